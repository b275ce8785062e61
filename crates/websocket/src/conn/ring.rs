//! Sends to many sockets with one system call, through an io_uring of the thread.
//!
//! Lives here: all that is said to the kernel about it, and with it all `unsafe` code of this driver. Does not live here: whose bytes they are, and what
//! follows from an outcome. [`send_each`] has a safe twin, a loop of `send`, which gives the same outcomes: the tests compare them, and where the kernel
//! refuses a ring the caller writes to its streams one by one.
//!
//! **Why this is sound.** The kernel reads the bytes of a send from when it is submitted until its completion is posted. [`send_each`] borrows
//! them, and it does not return, nor unwind, before it has taken as many completions as the kernel has taken sends:
//!
//! - A send that the kernel took posts one completion, whatever becomes of it. None is lost: a ring has room for twice as many as are ever under way.
//! - One that it did not take lies in the submission queue, where the kernel looks only when the ring is entered. It is entered again until the queue
//!   is empty, or else never: the ring is closed before the borrow ends.
//! - A failed entry (interrupted, out of memory) is repeated. Where the ring itself is broken while sends are under way, which needs
//!   somebody who closes descriptors that are not theirs, the process ends.
//! - A descriptor is looked up while the ring is entered, so it is borrowed for long enough, too.
//!
//! Miri cannot run this: it knows no io_uring. What is to be done after a failed entry is tested with entries that fail on purpose.
#![allow(unsafe_code)]

use std::{
    cell::RefCell,
    io,
    os::fd::{AsRawFd, BorrowedFd},
    process, thread,
};

use io_uring::{IoUring, Probe, opcode, types::Fd};

use crate::events::event;

/// Sends that are submitted together, and so the locks that are held together. With 16 or 256 no difference could be told from the noise.
pub(super) const SENDS_MAX: usize = 64;
/// Failed entries in a row that are put down to a lack of memory.
const FAILURES_MAX: u32 = 64;

/// Bytes for a socket.
#[derive(Debug)]
pub(super) struct Sending<'a> {
    socket: BorrowedFd<'a>,
    bytes: &'a [u8],
    outcome: Option<io::Result<usize>>,
}

impl<'a> Sending<'a> {
    pub(super) fn new(socket: BorrowedFd<'a>, bytes: &'a [u8]) -> Self {
        Self {
            socket,
            bytes,
            outcome: None,
        }
    }

    /// What `send` would have given: how many bytes the socket took, or why it took none. `WouldBlock`: it is full. None: it was not tried.
    pub(super) fn into_outcome(self) -> Option<io::Result<usize>> {
        self.outcome
    }
}

/// What a thread knows of its ring.
enum Slot {
    Untried,
    Ready(Box<IoUring>),
    /// With the system's number for why.
    Refused(Option<i32>),
}

thread_local! {
    static RING: RefCell<Slot> = const { RefCell::new(Slot::Untried) };
}

impl Slot {
    fn refused(error: &io::Error) -> Self {
        Self::Refused(error.raw_os_error())
    }

    fn is_ready(&self) -> io::Result<()> {
        match self {
            Self::Ready(_) => Ok(()),
            Self::Refused(Some(number)) => Err(io::Error::from_raw_os_error(*number)),
            Self::Refused(None) | Self::Untried => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// To be called while neither the ring nor a connection is in use: whoever listens to events may send them through a connection.
pub(super) fn tell_refused(_error: &io::Error) {
    event!(debug, error = %_error, "no io_uring: sends are made one by one");
}

/// Makes this thread's ring, if it was not tried yet.
pub(super) fn check() -> io::Result<()> {
    let checked = RING.try_with(|slot| {
        let mut slot = slot.borrow_mut();
        if let Slot::Untried = *slot {
            match ring() {
                Ok(ring) => *slot = Slot::Ready(Box::new(ring)),
                Err(error) => {
                    *slot = Slot::refused(&error);
                    return (Err(error), true);
                }
            }
        }
        (slot.is_ready(), false)
    });
    // A thread that is ending has no ring any more.
    let (checked, is_news) = checked.unwrap_or((Err(io::ErrorKind::Unsupported.into()), false));
    if let Err(error) = &checked
        && is_news
    {
        tell_refused(error);
    }
    checked
}

fn ring() -> io::Result<IoUring> {
    let entries = SENDS_MAX as u32;
    // Only this thread submits, and all of a batch is to be tried. Kernels before 6.0 do not know these flags.
    let ring = (IoUring::builder().dontfork())
        .setup_single_issuer()
        .setup_submit_all()
        .build(entries);
    let ring = match ring {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            IoUring::builder().dontfork().build(entries)?
        }
        made => made?,
    };
    let mut probe = Probe::new();
    ring.submitter().register_probe(&mut probe)?;
    if !probe.is_supported(opcode::Send::CODE) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok(ring)
}

/// Sends what each of the sockets takes at once, and waits for none. At most [`SENDS_MAX`] of them are tried, none after the first that is missing, and none where
/// [`check`] has made no ring, or the thread is ending.
///
/// # Errors
/// Why the ring broke, which is to be [told](tell_refused); what was sent by then has its outcome, and there is no ring any more.
pub(super) fn send_each(sends: &mut [Option<Sending<'_>>]) -> io::Result<()> {
    send_each_by(IoUring::submit_and_wait, sends)
}

/// `enter` hands over what is queued, and then waits for so many completions. The tests have others than the real one.
fn send_each_by(
    enter: impl FnMut(&IoUring, usize) -> io::Result<usize>,
    sends: &mut [Option<Sending<'_>>],
) -> io::Result<()> {
    let sent = RING.try_with(|slot| {
        let mut slot = slot.borrow_mut();
        let Slot::Ready(ring) = &mut *slot else {
            return Ok(());
        };
        send_on(ring, enter, sends).inspect_err(|error| {
            // Closes the ring, and with it forgets the sends that it was not given.
            *slot = Slot::refused(error);
        })
    });
    sent.unwrap_or(Ok(()))
}

/// After an error the kernel has none of the bytes, but the ring may still hold sends: it must not be entered again.
fn send_on(
    ring: &mut IoUring,
    enter: impl FnMut(&IoUring, usize) -> io::Result<usize>,
    sends: &mut [Option<Sending<'_>>],
) -> io::Result<()> {
    let borrowed = Borrowed;
    let submitted = submit(ring, sends);
    let taken = take_completions(ring, enter, sends, submitted);
    // Not one of the sends is the kernel's any more.
    std::mem::forget(borrowed);
    taken
}

/// How many sends were queued.
fn submit(ring: &mut IoUring, sends: &[Option<Sending<'_>>]) -> usize {
    let mut queue = ring.submission();
    let mut queued = 0;
    for send in sends.iter().map_while(Option::as_ref) {
        let len = u32::try_from(send.bytes.len()).unwrap_or(u32::MAX);
        let entry = opcode::Send::new(Fd(send.socket.as_raw_fd()), send.bytes.as_ptr(), len)
            .flags(libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)
            .build()
            .user_data(queued as u64);
        // SAFETY: the descriptor and the `len` bytes, which nobody writes to while they are borrowed, stay what they are as long as
        // the kernel may look at them: see the module's head.
        if unsafe { queue.push(&entry) }.is_err() {
            break;
        }
        queued += 1;
    }
    queued
}

/// Enters the ring until all `submitted` sends are completed, which with `MSG_DONTWAIT` they are as soon as they are taken.
fn take_completions(
    ring: &mut IoUring,
    mut enter: impl FnMut(&IoUring, usize) -> io::Result<usize>,
    sends: &mut [Option<Sending<'_>>],
    submitted: usize,
) -> io::Result<()> {
    let mut left = submitted;
    let mut failures = 0;
    while left > 0 {
        // It waits only once all were taken, and then for as many as there are.
        let entered = enter(ring, left);
        for completion in ring.completion() {
            left -= 1;
            if let Some(Some(send)) = sends.get_mut(completion.user_data() as usize) {
                send.outcome = outcome(completion.result());
            }
        }
        let Err(error) = entered else {
            failures = 0;
            continue;
        };
        if error.kind() == io::ErrorKind::Interrupted {
            continue;
        }
        failures += 1;
        let passing = matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EBUSY));
        if !passing || failures > FAILURES_MAX {
            let waiting = ring.submission().len();
            if waiting == left {
                return Err(error);
            }
            if failures > FAILURES_MAX {
                // The kernel may still read what the caller lent, and cannot be asked when it is done.
                process::abort();
            }
        }
        thread::yield_now();
    }
    Ok(())
}

/// An interrupted send counts as not tried.
fn outcome(result: i32) -> Option<io::Result<usize>> {
    match usize::try_from(result) {
        Ok(sent) => Some(Ok(sent)),
        Err(_) if result == -libc::EINTR => None,
        Err(_) => Some(Err(io::Error::from_raw_os_error(-result))),
    }
}

/// While it lives the kernel may read what was lent to it: a panic must not get past.
struct Borrowed;

impl Drop for Borrowed {
    fn drop(&mut self) {
        process::abort();
    }
}

#[cfg(test)]
mod failing_tests;
#[cfg(test)]
mod tests;
