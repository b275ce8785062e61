//! Entries of the ring that fail, as no kernel does when it is asked to: before it has taken anything, after it has taken some, and for good.
//!
//! Where there is no ring at all, these say so and have nothing to fail.

use std::{
    env,
    io::{self, Read},
    os::{
        fd::{AsFd, AsRawFd},
        unix::{net::UnixStream, process::ExitStatusExt},
    },
    process::Command,
    thread,
};

use io_uring::{IoUring, opcode, types::Fd};

use super::{FAILURES_MAX, Sending, check, ring, send_each, send_each_by, take_completions};

const COUNT: usize = 5;

/// What became of [`COUNT`] sends, and of the ring after them.
#[derive(Debug, PartialEq)]
struct Seen {
    /// Why it broke.
    error: Option<i32>,
    /// Of each send, in order, whether it was made.
    made: [bool; COUNT],
    received: Vec<u8>,
    is_there: bool,
    /// Of one more send.
    made_after: bool,
}

/// On a thread of its own, whose ring may break. None without a ring.
fn seen(enter: impl FnMut(&IoUring, usize) -> io::Result<usize> + Send) -> Option<Seen> {
    thread::scope(|scope| scope.spawn(|| see(enter)).join().unwrap())
}

fn see(enter: impl FnMut(&IoUring, usize) -> io::Result<usize>) -> Option<Seen> {
    if let Err(error) = check() {
        println!("no io_uring here ({error}): there is nothing to fail");
        return None;
    }
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let bytes: Vec<u8> = (0..=COUNT as u8).collect();
    let mut sends: Vec<_> = (bytes.chunks(1))
        .map(|byte| Some(Sending::new(ours.as_fd(), byte)))
        .collect();
    let (last, first) = sends.split_last_mut().unwrap();
    let error = send_each_by(enter, first).err();
    let made =
        |send: &Option<Sending<'_>>| match send.as_ref().and_then(|send| send.outcome.as_ref()) {
            Some(sent) => {
                assert_eq!(*sent.as_ref().unwrap(), 1);
                true
            }
            None => false,
        };
    let seen = (
        error.map(|error| error.raw_os_error().unwrap()),
        std::array::from_fn(|index| made(&first[index])),
        check().is_ok(),
    );
    send_each(std::slice::from_mut(last)).unwrap();
    let made_after = made(last);
    drop(sends);
    drop(ours);
    let mut received = Vec::new();
    theirs.read_to_end(&mut received).unwrap();
    let (error, made, is_there) = seen;
    Some(Seen {
        error,
        made,
        received,
        is_there,
        made_after,
    })
}

fn error(number: i32) -> io::Result<usize> {
    Err(io::Error::from_raw_os_error(number))
}

fn all_made() -> Seen {
    Seen {
        error: None,
        made: [true; COUNT],
        received: (0..=COUNT as u8).collect(),
        is_there: true,
        made_after: true,
    }
}

/// Broken after it made the first so many: it is given up, and never entered again with what it still holds.
fn broken(number: i32, made: usize) -> Seen {
    Seen {
        error: Some(number),
        made: std::array::from_fn(|index| index < made),
        received: (0..made as u8).collect(),
        is_there: false,
        made_after: false,
    }
}

/// Has the kernel take the next so many sends.
fn take(ring: &IoUring, count: u32) {
    // SAFETY: the sends are as `submit` made them, and what they borrow lives until their completions were taken.
    let taken = unsafe { ring.submitter().enter::<()>(count, 0, 0, None) };
    assert_eq!(taken.unwrap(), count as usize);
}

#[test]
fn an_entry_that_fails_for_a_while_is_repeated_and_nothing_is_sent_twice() {
    for (number, times) in [
        (libc::EAGAIN, FAILURES_MAX),
        (libc::EBUSY, FAILURES_MAX),
        // A signal says nothing of the ring, however many there are.
        (libc::EINTR, 10 * FAILURES_MAX),
    ] {
        let mut failures = 0;
        let passing = seen(|ring, left| {
            failures += 1;
            match failures <= times {
                true => error(number),
                false => ring.submit_and_wait(left),
            }
        });
        assert!(passing.is_none_or(|seen| seen == all_made()), "{number}");
    }
}

#[test]
fn failures_count_only_in_a_row() {
    let mut entries = 0;
    let steps = seen(|ring, _| {
        entries += 1;
        if entries % (FAILURES_MAX + 1) == 0 {
            take(ring, 1);
            return Ok(1);
        }
        error(libc::EBUSY)
    });
    assert!(steps.is_none_or(|seen| seen == all_made()));
}

#[test]
fn an_entry_that_fails_after_the_kernel_took_all_is_not_repeated() {
    for number in [libc::EINTR, libc::EBUSY] {
        let mut entries = 0;
        let late = seen(|ring, _| {
            entries += 1;
            take(ring, COUNT as u32);
            error(number)
        });
        assert!(late.is_none_or(|seen| seen == all_made() && entries == 1));
    }
}

#[test]
fn a_ring_that_stays_busy_is_given_up_with_what_it_was_not_given() {
    let busy = seen(|_, _| error(libc::EBUSY));
    assert!(busy.is_none_or(|seen| seen == broken(libc::EBUSY, 0)));
}

#[test]
fn a_ring_that_breaks_is_given_up_at_once_and_what_it_sent_is_known() {
    for count in 0..=COUNT {
        let mut entries = 0;
        let breaking = seen(|ring, _| {
            entries += 1;
            take(ring, count as u32);
            error(libc::EBADF)
        });
        let Some(seen) = breaking else { return };
        assert_eq!(seen, broken(libc::EBADF, count));
        assert_eq!(entries, 1);
    }
}

const CHILD: &str = "SUDA_RING_BREAKS_UNDER_WAY";

/// In a process of its own, which it ends.
#[test]
fn a_ring_that_breaks_while_the_kernel_may_read_what_was_lent_ends_the_process() {
    if env::var_os(CHILD).is_some() {
        return break_under_way();
    }
    if check().is_err() {
        return println!("no io_uring here: there is nothing to break");
    }
    let name = "a_ring_that_breaks_while_the_kernel_may_read_what_was_lent_ends_the_process";
    let child = Command::new(env::current_exe().unwrap())
        .arg(name)
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert_eq!(child.status.signal(), Some(libc::SIGABRT), "{child:?}");
}

/// The kernel has something that is never done: it waits until there is something to read.
fn break_under_way() {
    let mut ring = ring().unwrap();
    let (ours, _theirs) = UnixStream::pair().unwrap();
    let entry = opcode::PollAdd::new(Fd(ours.as_raw_fd()), libc::POLLIN as u32).build();
    // SAFETY: it borrows nothing but a descriptor, which stays open.
    unsafe { ring.submission().push(&entry) }.unwrap();
    let mut is_first = true;
    let enter = |ring: &IoUring, _| {
        if std::mem::take(&mut is_first) {
            take(ring, 1);
        }
        error(libc::EBADF)
    };
    let _ = take_completions(&mut ring, enter, &mut [], 1);
}
