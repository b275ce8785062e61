//! What a run costs the machine: CPU time and memory of the server's process, as Linux tells them, and single commits of a disk.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the disk is measured.
const DISK_TIME: Duration = Duration::from_secs(2);
/// What one commit writes: a page of the database.
const COMMIT_BYTES: usize = 4096;

/// A process at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Usage {
    /// Of all its threads, the system's work for them included.
    pub(super) cpu: Duration,
    /// The same by the threads' names, the numbers at their ends left out.
    pub(super) threads: BTreeMap<String, Duration>,
    /// Memory of its own, files not counted.
    pub(super) memory_bytes: u64,
}

/// Looks at a process of this machine.
pub(super) fn usage(pid: u32) -> io::Result<Usage> {
    let folder = format!("/proc/{pid}");
    let mut threads = BTreeMap::<String, Duration>::new();
    for task in fs::read_dir(format!("{folder}/task"))? {
        let task = task?.path();
        let read = |name| fs::read_to_string(task.join(name));
        // A thread that has just ended has no figures any more.
        let (Ok(name), Ok(text)) = (read("comm"), read("schedstat")) else {
            continue;
        };
        let name = name
            .trim()
            .trim_end_matches(|end: char| end.is_ascii_digit());
        let used = Duration::from_nanos(first_number(&text).unwrap_or_default());
        *threads
            .entry(name.trim_end_matches('-').to_owned())
            .or_default() += used;
    }
    let status = fs::read_to_string(format!("{folder}/status"))?;
    let own_kib = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .and_then(first_number)
        .ok_or(io::ErrorKind::Unsupported)?;
    Ok(Usage {
        cpu: threads.values().sum(),
        threads,
        memory_bytes: own_kib * 1024,
    })
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// How often in a second a page can be written to a folder's disk for good, one after the other.
pub(super) fn commits_per_second(folder: &Path) -> io::Result<f64> {
    let path = folder.join(format!("suda-load-{}", uuid::Uuid::new_v4()));
    let measured = File::create_new(&path).and_then(|file| count_commits(file, DISK_TIME));
    // Whatever was measured, the file is of no further use.
    let _ = fs::remove_file(path);
    measured
}

fn count_commits(mut file: File, time: Duration) -> io::Result<f64> {
    let page = [0x5a; COMMIT_BYTES];
    let began = Instant::now();
    let mut commits = 0_u32;
    while began.elapsed() < time {
        file.write_all(&page)?;
        file.sync_data()?;
        commits += 1;
    }
    Ok(f64::from(commits) / began.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_used_something() {
        let usage = usage(std::process::id()).unwrap();
        assert!(usage.cpu > Duration::ZERO);
        assert_eq!(usage.threads.values().sum::<Duration>(), usage.cpu);
        assert!(usage.memory_bytes > 0);
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(usage(u32::MAX).is_err());
    }

    #[test]
    fn a_disk_commits_and_nothing_is_left_on_it() {
        let folder = std::env::temp_dir().join(format!("suda-disk-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        let file = File::create_new(folder.join("x")).unwrap();
        assert!(count_commits(file, Duration::from_millis(1)).unwrap() > 0.0);
        fs::remove_file(folder.join("x")).unwrap();
        assert!(commits_per_second(&folder.join("nowhere")).is_err());
        fs::remove_dir(folder).unwrap();
    }
}
