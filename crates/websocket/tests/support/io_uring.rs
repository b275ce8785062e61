//! The rings of this process, as the kernel shows them.

use std::{
    fs::{self, DirEntry, File},
    io,
    os::fd::{FromRawFd as _, IntoRawFd as _, OwnedFd, RawFd},
};

use rustix::{
    io::dup2,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

fn rings() -> Vec<RawFd> {
    let ring = |entry: io::Result<DirEntry>| {
        let path = entry.unwrap().path();
        // The folder's own descriptor is gone with it.
        let target = fs::read_link(&path).ok()?;
        (target.as_os_str() == "anon_inode:[io_uring]")
            .then(|| path.file_name().unwrap().to_str().unwrap().parse().unwrap())
    };
    fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(ring)
        .collect()
}

/// How many sends the rings have completed. None: there are no rings, or the kernel does not tell.
#[allow(dead_code)]
pub(crate) fn completed() -> Option<u64> {
    let mut completed = None;
    for ring in rings() {
        let told = fs::read_to_string(format!("/proc/self/fdinfo/{ring}")).unwrap();
        let tail = told.lines().find_map(|line| line.strip_prefix("CqTail:"))?;
        *completed.get_or_insert(0) += tail.trim().parse::<u64>().unwrap();
    }
    completed
}

/// Runs `act` while nothing can be opened, so that no ring can be made.
pub(crate) fn without_descriptors<R>(act: impl FnOnce() -> R) -> R {
    let before = getrlimit(Resource::Nofile);
    let none = Rlimit {
        current: Some(0),
        ..before
    };
    setrlimit(Resource::Nofile, none).unwrap();
    let result = act();
    setrlimit(Resource::Nofile, before).unwrap();
    result
}

/// Takes the descriptor of the only ring away, as a program does that closes what is not its own.
pub(crate) fn break_the_ring() {
    let null = File::open("/dev/null").unwrap();
    let mut broken = 0;
    for number in rings() {
        // SAFETY: the number stays open, for another file, and is given back to its owner.
        let mut ring = unsafe { OwnedFd::from_raw_fd(number) };
        dup2(&null, &mut ring).unwrap();
        let _ = ring.into_raw_fd();
        broken += 1;
    }
    assert_eq!(broken, 1);
}
