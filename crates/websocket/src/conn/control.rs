//! Control frames from anywhere.

use std::{fmt, io};

use super::{Endpoints, Error, Stream, handle::Handle, inner::Inner};
use crate::{CloseCode, SendError};

/// Pings and closes a connection, from any task or thread, also while a long write is under way: a control frame waits for
/// at most one frame of it ([`Config::frame_bytes_max`](crate::Config::frame_bytes_max)), and for 64 KiB of shorter frames before that, which
/// are joined. Never waits itself.
///
/// Keeps the connection open as a [`Reader`](super::Reader) or [`Writer`](super::Writer) does.
pub struct Control<S: Stream> {
    handle: Handle<S>,
}

impl<S: Stream> Control<S> {
    pub(super) fn new(handle: Handle<S>) -> Self {
        Self { handle }
    }

    /// Queues a ping with at most 125 bytes, ahead of unsent data. It never waits: if the peer takes nothing, it
    /// fails once more than [`CONTROL_FRAMES_MAX`](crate::CONTROL_FRAMES_MAX) are queued.
    ///
    /// # Errors
    /// [`Error::Send`] if it is too long, [`CONTROL_FRAMES_MAX`](crate::CONTROL_FRAMES_MAX) are waiting or this side is
    /// closing; else as [`Writer::write_message`](super::Writer::write_message).
    pub fn ping(&self, payload: &[u8]) -> Result<(), Error> {
        ping(&self.handle, payload)
    }

    /// Queues a pong that nobody asked for (RFC 6455, section 5.5.3). Pings are answered without it.
    ///
    /// # Errors
    /// As [`ping`](Self::ping).
    pub fn pong(&self, payload: &[u8]) -> Result<(), Error> {
        pong(&self.handle, payload)
    }

    /// Bytes that were read from the stream so far. It grows whenever the peer is heard from: comparing it with an earlier
    /// value is how a heartbeat learns that the peer lives.
    pub fn received_bytes(&self) -> u64 {
        self.handle.with(|inner| inner.received_bytes())
    }

    /// Gives the connection up at once: drops what is unsent and stops waiting. Writing fails from now on, and reading after what has already been read. The stream is
    /// closed when the last handle is dropped, without lingering.
    pub fn abort(&self) {
        self.handle.abort();
    }

    /// Runs `look` on the stream, to ask or set what it offers: an option of its socket, the state of its TLS session. It must not block,
    /// nor use this connection, which waits until it returns.
    pub fn with_stream<R>(&self, look: impl FnOnce(&S) -> R) -> R {
        self.handle.with(|inner| look(inner.stream()))
    }

    /// Queues a close frame behind the data that was written. The reader tells how the peer answers.
    ///
    /// # Errors
    /// [`Error::Send`] for a code or reason that cannot be sent, or if this side is closing already; else as
    /// [`ping`](Self::ping).
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<(), Error> {
        close(&self.handle, code, reason)
    }
}

impl<S: Stream + Endpoints> Control<S> {
    /// The address of this end of the stream.
    ///
    /// # Errors
    /// As [`Endpoints::local_addr`].
    pub fn local_addr(&self) -> io::Result<S::Addr> {
        self.with_stream(S::local_addr)
    }

    /// The address of the other end of the stream.
    ///
    /// # Errors
    /// As [`Endpoints::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<S::Addr> {
        self.with_stream(S::peer_addr)
    }
}

impl<S: Stream> Clone for Control<S> {
    fn clone(&self) -> Self {
        Self {
            handle: self.handle.clone(),
        }
    }
}

impl<S: Stream> fmt::Debug for Control<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

pub(super) fn ping<S: Stream>(handle: &Handle<S>, payload: &[u8]) -> Result<(), Error> {
    queue(handle, |inner| inner.conn.ping(payload))
}

pub(super) fn pong<S: Stream>(handle: &Handle<S>, payload: &[u8]) -> Result<(), Error> {
    queue(handle, |inner| inner.conn.pong(payload))
}

pub(super) fn close<S: Stream>(
    handle: &Handle<S>,
    code: CloseCode,
    reason: &str,
) -> Result<(), Error> {
    queue(handle, |inner| inner.conn.close(code, reason))
}

fn queue<S: Stream>(
    handle: &Handle<S>,
    act: impl FnOnce(&mut Inner<S>) -> Result<(), SendError>,
) -> Result<(), Error> {
    handle.with(|inner| {
        inner.check_writable()?;
        act(inner)?;
        handle.enlist_locked(inner);
        Ok(())
    })
}
