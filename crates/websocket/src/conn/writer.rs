//! The writing half.

use std::{
    fmt,
    future::{Future, poll_fn},
    mem::take,
    task::{Context, Poll, ready},
};

use tokio::time::Instant;

use super::{Error, MessageWriter, Stream, handle::Handle, inner::Inner};
use crate::{Compression, Message, MessageKind, PreparedMessage, SendError, deflate::Workspace};

/// From this length on, in bytes, a message is compressed without the connection's lock, so that neither its reader nor its
/// [`Control`](super::Control) waits meanwhile. A shorter one holds it for some 30 µs at most (level 6), about what waking a thread
/// costs. What is compressed under it whatever its length: prepared messages whose connection takes its context over, and those of a
/// `Sink`, which may not wait; 64 KiB took 0.7 ms.
const COMPRESSED_APART_BYTES_MIN: usize = 4 << 10;

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

    /// Queues a message, which is sent as soon as this task gives way. Waits only while
    /// [`Config::high_water_bytes`](crate::Config::high_water_bytes) or more are unsent.
    ///
    /// It returns when the message is queued, not when the stream has it: [`flush`](Self::flush) waits for that, and a stream that
    /// fails later is told by the next call. What is queued when the runtime ends is lost, so flush or close before that.
    ///
    /// Cancel safe: a dropped call has queued the message whole, or not at all, if it was still waiting. Then the message went with the
    /// call: keep a clone, which costs no copy, if it must be sent all the same.
    ///
    /// # Errors
    /// [`Error::Send`] when this side is closing, [`Error::Closed`] or [`Error::Protocol`] when the connection has ended,
    /// [`Error::Io`] when the stream failed, [`Error::PeerSilent`] when the heartbeat gave up, [`Error::TimedOut`] when the
    /// [write deadline](Self::set_write_deadline) passed. Nothing was queued then.
    // Not `async`: the future then holds the message once, and not once for each function on the way.
    pub fn write_message(
        &mut self,
        message: impl Into<Message>,
    ) -> impl Future<Output = Result<(), Error>> {
        let mut message = Some(message.into());
        poll_fn(move |cx| self.poll_message(cx, &mut message))
    }

    fn poll_message(
        &mut self,
        task: &mut Context<'_>,
        waiting: &mut Option<Message>,
    ) -> Poll<Result<(), Error>> {
        let bytes = waiting.as_ref().map_or(0, Message::len);
        let lent = ready!(self.poll_room(task, |handle, inner| {
            if bytes >= COMPRESSED_APART_BYTES_MIN
                && let Some(lent) = inner.conn.lend_compression(bytes)?
            {
                return Ok(Some(lent));
            }
            if let Some(message) = waiting.take() {
                inner.conn.send(message)?;
                handle.sent_soon(inner);
            }
            Ok(None)
        }))?;
        if let (Some(mut lent), Some(message)) = (lent, waiting.take()) {
            let mut work = Workspace::take();
            let compressed = lent.compress(message.as_bytes(), true, &mut work);
            self.queue(|inner| inner.conn.send_compressed(lent, message.kind(), compressed))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Queues a reference to a prepared message; else as [`write_message`](Self::write_message), also for cancel safety.
    ///
    /// # Errors
    /// As [`write_message`](Self::write_message).
    pub async fn write_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        poll_fn(|cx| {
            self.poll_room(cx, |handle, inner| {
                inner.conn.send_prepared(message)?;
                handle.sent_soon(inner);
                Ok(())
            })
        })
        .await
    }

    /// Queues a frame of the open message as soon as there is room.
    pub(super) fn poll_part(
        &mut self,
        task: &mut Context<'_>,
        piece: &[u8],
        fin: bool,
    ) -> Poll<Result<(), Error>> {
        let lent = ready!(self.poll_room(task, |handle, inner| {
            let lent = inner.conn.lend_compression_of_part(piece, fin)?;
            if lent.is_none() {
                inner.conn.push_part(piece, fin);
                handle.sent_soon(inner);
            }
            Ok(lent)
        }))?;
        if let Some(mut lent) = lent {
            let mut work = Workspace::take();
            let compressed = lent.compress(piece, fin, &mut work);
            self.queue(|inner| inner.conn.send_compressed_part(lent, compressed, fin))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Runs `act` under the connection's lock as soon as there is room to queue something.
    pub(super) fn poll_room<R>(
        &mut self,
        task: &mut Context<'_>,
        act: impl FnOnce(&Handle<S>, &mut Inner<S>) -> Result<R, Error>,
    ) -> Poll<Result<R, Error>> {
        let high_water_bytes = self.handle.home.high_water_bytes;
        self.handle.with(|inner| {
            inner.check_write_deadline()?;
            if inner.conn.buffered() >= high_water_bytes {
                let _ = self.handle.flush(inner);
            }
            inner.check_writable()?;
            if inner.conn.buffered() >= high_water_bytes {
                inner.wait_for_progress(task.waker());
                return inner.poll_write_deadline(task).map(Err);
            }
            Poll::Ready(act(&self.handle, inner))
        })
    }

    /// Queues without waiting for room, after [`poll_room`](Self::poll_room) gave it.
    pub(super) fn queue(
        &mut self,
        queue: impl FnOnce(&mut Inner<S>) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        self.handle.with(|inner| {
            inner.check_writable()?;
            queue(inner)?;
            self.handle.sent_soon(inner);
            Ok(())
        })
    }

    /// From `deadline` on, every call that may wait fails with [`Error::TimedOut`], also one that is waiting; none: they wait as long
    /// as they must, as at first. What was queued before is still sent. A write that failed so has queued nothing, and may be
    /// repeated with a later deadline.
    pub fn set_write_deadline(&mut self, deadline: Option<Instant>) {
        let runtime = &self.handle.home.runtime;
        let last = (self.handle).with(|inner| inner.rare().write_deadline.set(deadline, runtime));
        drop(last);
    }

    /// The compression that both sides agreed on, if they did.
    pub fn compression(&self) -> Option<Compression> {
        self.handle.with(|inner| inner.conn.compression().copied())
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
        self.handle.with(|inner| {
            inner.check_writable()?;
            Ok::<_, Error>(inner.conn.begin_message(kind)?)
        })?;
        Ok(MessageWriter::new(self, kind))
    }

    /// Queues a reference to a prepared message and never waits. For fan-out: it wakes nobody, so what was queued goes out
    /// with the next [`try_flush`](Self::try_flush), [`flush`](Self::flush), [`write_message`](Self::write_message) or
    /// read on this connection.
    ///
    /// # Errors
    /// [`SendError::Full`] while [`Config::outbox_bytes_max`](crate::Config::outbox_bytes_max) or more are unsent; else as
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
        self.handle.with(|inner| {
            let _ = self.handle.flush(inner);
            inner.check_write_failure()
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
        poll_fn(|task| {
            self.handle.with(|inner| {
                inner.check_write_deadline()?;
                if inner.conn.buffered() > below_bytes {
                    let _ = self.handle.flush(inner);
                }
                inner.check_write_failure()?;
                if inner.conn.buffered() > below_bytes {
                    inner.wait_for_progress(task.waker());
                    return inner.poll_write_deadline(task).map(Err);
                }
                Poll::Ready(Ok(()))
            })
        })
        .await
    }

    /// [`flush`](Self::flush) for a future of one's own: ready when nothing is unsent. Every waker given is woken when
    /// the stream has taken some of it, or has failed, whatever else is called meanwhile; then it is to be polled again. The write
    /// deadline wakes the last one.
    ///
    /// # Errors
    /// [`Error::Io`] when the stream failed, [`Error::TimedOut`] when the write deadline passed.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handle.with(|inner| {
            inner.check_write_deadline()?;
            if self.handle.flush(inner).is_pending() {
                inner.wait_for_progress(cx.waker());
                return inner.poll_write_deadline(cx).map(Err);
            }
            Poll::Ready(inner.check_write_failure())
        })
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
