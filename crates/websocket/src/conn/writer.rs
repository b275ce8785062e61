//! The writing half.

use std::{
    fmt,
    future::{Future, poll_fn},
    mem::take,
    task::{Context, Poll},
};

use tokio::time::Instant;

use super::{Error, MessageWriter, Stream, handle::Handle, without_budget};
use crate::{Compression, Message, MessageKind, PreparedMessage};

/// The one who writes data messages to a connection. There is only one, and it has no clone, so two messages are never written at
/// once: `tests/compile_fail` has the programs that the compiler refuses. One after the other they may be:
///
/// ```
/// # async fn write(mut writer: suda_websocket::Writer<tokio::net::TcpStream>) {
/// let one = writer.write_message("one");
/// let _ = tokio::join!(one);
/// let two = writer.write_message("two");
/// let _ = tokio::join!(two);
/// # }
/// ```
pub struct Writer<S: Stream> {
    handle: Handle<S>,
}

impl<S: Stream> Writer<S> {
    pub(super) fn new(handle: Handle<S>) -> Self {
        Self { handle }
    }

    pub(super) fn handle(&self) -> &Handle<S> {
        &self.handle
    }

    /// Queues a message, which is sent when this task gives way at the latest. Waits only while
    /// [`Config::high_water_bytes`](crate::Config::high_water_bytes) or more are unsent.
    ///
    /// It returns when the message is queued, not when the stream has it: [`flush`](Self::flush) waits for that, and a stream that
    /// fails later is told by the next call. What is queued when the runtime ends is lost, so flush or close before that.
    ///
    /// Like the other calls that may send, it polls the stream where it is called: a stream that needs its runtime's context for that,
    /// as one with a timer of tokio does, has to be written to from a task of that runtime.
    ///
    /// Cancel safe: a dropped call has queued the message whole, or not at all, if it was still waiting. Then the message went with the
    /// call: keep a clone, which costs no copy, if it must be sent all the same.
    ///
    /// # Errors
    /// [`Error::Send`] when this side is closing, [`Error::Closed`] or [`Error::Protocol`] when the connection has ended,
    /// [`Error::Io`] when the stream failed, [`Error::PeerSilent`] when the heartbeat gave up, [`Error::TimedOut`] when the
    /// [write deadline](Self::set_write_deadline) passed. Nothing was queued then.
    pub fn write_message(
        &mut self,
        message: impl Into<Message>,
    ) -> impl Future<Output = Result<(), Error>> {
        self.handle.write_message(message)
    }

    /// Queues a reference to a prepared message; else as [`write_message`](Self::write_message), also for cancel safety.
    ///
    /// # Errors
    /// As [`write_message`](Self::write_message).
    pub async fn write_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.handle.write_prepared(message).await
    }

    /// From `deadline` on, every call that may wait fails with [`Error::TimedOut`], also one that is waiting; none: they wait as long
    /// as they must, as at first. What was queued before is still sent. A write that failed so has queued nothing, and may be
    /// repeated with a later deadline.
    pub fn set_write_deadline(&mut self, deadline: Option<Instant>) {
        self.handle.set_write_deadline(deadline);
    }

    /// The compression that both sides agreed on, if they did.
    pub fn compression(&self) -> Option<Compression> {
        self.handle.compression()
    }

    /// Whether the next messages are to be compressed, if compression was agreed on; at first they are. Messages below
    /// [`Compression::bytes_min`] are not.
    pub fn set_compression(&mut self, on: bool) {
        self.handle.with(|inner| inner.conn.set_compression(on));
    }

    /// How hard to compress the next messages, as [`Compression::level`].
    pub fn set_compression_level(&mut self, level: u8) {
        self.handle
            .with(|inner| inner.conn.set_compression_level(level));
    }

    /// Begins a message of unknown length, which is sent, and compressed, in frames as it is written.
    ///
    /// # Errors
    /// As [`write_message`](Self::write_message).
    pub fn next_writer(&mut self, kind: MessageKind) -> Result<MessageWriter<'_, S>, Error> {
        MessageWriter::begin(&self.handle, kind)
    }

    /// Queues a reference to a prepared message and never waits. It wakes nobody, so what was queued goes out
    /// with the next [`try_flush`](Self::try_flush), [`flush`](Self::flush), [`write_message`](Self::write_message) or
    /// read on this connection. To send to many, [`broadcast`](crate::broadcast) is cheaper.
    ///
    /// # Errors
    /// [`SendError::Full`](crate::SendError::Full) while [`Config::outbox_bytes_max`](crate::Config::outbox_bytes_max) or more are unsent; else as
    /// [`write_message`](Self::write_message). Nothing was queued then.
    pub fn try_send_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.handle.with(|inner| {
            inner.check_writable()?;
            Ok(inner.conn.try_send_prepared(message)?)
        })
    }

    /// Sends what the stream takes now, in vectored writes, and never waits. What it does not take follows by itself as soon
    /// as it can; [`drained`](Self::drained) tells when.
    ///
    /// # Errors
    /// [`Error::Io`] when the stream failed.
    pub fn try_flush(&mut self) -> Result<(), Error> {
        without_budget(|| {
            self.handle.with(|inner| {
                let _ = self.handle.flush(inner);
                inner.check_write_failure()
            })
        })
    }

    /// Bytes that were queued and not yet taken by the stream, frame headers included.
    pub fn buffered(&self) -> usize {
        self.handle.with(|inner| inner.conn.buffered())
    }

    /// Waits until at most `below_bytes` are unsent. Cancel safe.
    ///
    /// # Errors
    /// [`Error::Io`] when the stream failed, [`Error::TimedOut`] when the write deadline passed.
    pub async fn drained(&mut self, below_bytes: usize) -> Result<(), Error> {
        self.handle.drained(below_bytes).await
    }

    /// [`flush`](Self::flush) for a future of one's own: ready when nothing is unsent. Every waker given is woken when
    /// the stream has taken some of it, or has failed, whatever else is called meanwhile; then it is to be polled again. The write
    /// deadline wakes the last one.
    ///
    /// # Errors
    /// [`Error::Io`] when the stream failed, [`Error::TimedOut`] when the write deadline passed.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handle.poll_unsent(cx)
    }

    /// Waits until the stream has taken all that was written, and has passed it on if it buffers itself. Cancel safe.
    ///
    /// # Errors
    /// [`Error::Io`] when the stream failed, [`Error::TimedOut`] when the write deadline passed.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }
}

impl<S: Stream> Drop for Writer<S> {
    /// Takes with it what was its own.
    fn drop(&mut self) {
        let own = (self.handle).with(|inner| Some(take(&mut inner.known_rare()?.write_deadline)));
        drop(own);
    }
}

impl<S: Stream> fmt::Debug for Writer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("buffered", &self.buffered())
            .finish_non_exhaustive()
    }
}
