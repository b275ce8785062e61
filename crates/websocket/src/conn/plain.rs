//! A stream that is nothing but a TCP socket, read and written without what streams in general need.
//!
//! Its directions do not wake each other, so that a reader may wait there with its own waker instead of the one that the [signal](super::signal) passes on.
//! And the runtime knows mostly whether it is ready: what is tried then keeps no waker, and takes nothing of the task's budget. That is for the caller to
//! see to, who may do only so much between two calls of [`poll_readable`].

use std::{
    any::Any,
    io,
    task::{Context, Poll},
};

use bytes::BufMut;
use tokio::io::Interest;

use super::Stream;

#[cfg(all(test, suda_loom))]
pub(super) use super::loom_pipe::PlainPipe as Socket;
#[cfg(not(all(test, suda_loom)))]
pub(super) use tokio::net::TcpStream as Socket;

/// Where a read that gets less than it has room for has emptied the socket, by what tokio goes by, too: epoll tells of whatever comes after it.
const KNOWS_EMPTY: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// The socket, if `stream` is nothing else.
#[inline]
pub(super) fn socket<S: Stream>(stream: &S) -> Option<&Socket> {
    (stream as &dyn Any).downcast_ref().filter(|_| KNOWS_EMPTY)
}

/// Ready when there may be something to read. Like a read of the stream it takes of the budget, and keeps the last task's waker.
#[inline]
pub(super) fn poll_readable(socket: &Socket, task: &mut Context<'_>) -> Poll<io::Result<()>> {
    socket.poll_read_ready(task)
}

/// Reads once, without waiting.
#[inline]
pub(super) fn try_read(socket: &Socket, bytes: &mut impl BufMut) -> Poll<io::Result<usize>> {
    let room = bytes.chunk_mut().len();
    let mut read = Err(io::ErrorKind::WouldBlock.into());
    // The readiness that it takes back is the one from before the read, and stays if the socket was ready once more since.
    let _ = socket.try_io(Interest::READABLE, || {
        read = socket.try_read_buf(bytes);
        match read {
            Ok(count) if count < room => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(()),
        }
    });
    at_once(read)
}

/// Writes once, without waiting.
#[inline]
pub(super) fn try_write(socket: &Socket, bytes: &[u8]) -> Poll<io::Result<usize>> {
    at_once(socket.try_write(bytes))
}

/// Writes several pieces once, without waiting.
#[inline]
pub(super) fn try_write_vectored(
    socket: &Socket,
    pieces: &[io::IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    at_once(socket.try_write_vectored(pieces))
}

#[inline]
fn at_once(result: io::Result<usize>) -> Poll<io::Result<usize>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        result => Poll::Ready(result),
    }
}
