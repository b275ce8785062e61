//! Whether many sends can be made at once.

use std::io;

/// Whether this thread can send to many connections with one system call, and if not, why: mostly because a container's rules or a
/// setting of the kernel (`kernel.io_uring_disabled`) forbid it. [`broadcast`](crate::broadcast) and [`flush_all`](crate::flush_all), and the runtime's turns, find out by themselves and then send to one after the
/// other, with the same results; this is for a line in a log.
///
/// The kernel is asked once for each thread, which costs it one descriptor and some 20 KiB as long as it lives.
///
/// # Errors
/// What the kernel said; [`io::ErrorKind::Unsupported`] if there is no such thing here.
pub fn check_io_uring() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    return super::ring::check();
    #[cfg(not(target_os = "linux"))]
    Err(io::ErrorKind::Unsupported.into())
}
