//! What a writer does, as methods of a handle, since a [`Conn`](super::Conn) does it, too, and keeps one handle for both of its
//! halves. Whoever has the only writer sees to it that two do not write at once.

use std::{
    future::{Future, poll_fn},
    task::{Context, Poll, ready},
};

use tokio::time::Instant;

use super::{Error, Stream, handle::Handle, inner::Inner};
use crate::{
    Compression, Message, MessageKind, PreparedMessage, SendError, connection::COPY_BYTES_MAX,
    deflate::Workspace,
};

/// From this length on, in bytes, a message is compressed without the connection's lock, so that neither its reader nor its
/// [`Control`](super::Control) waits meanwhile. A shorter one holds it for some 30 µs at most (level 6), about what waking a thread
/// costs. What is compressed under it whatever its length: prepared messages whose connection takes its context over, or is the first of its settings, and those of a
/// `Sink`, which may not wait; 64 KiB took 0.7 ms.
const COMPRESSED_APART_BYTES_MIN: usize = 4 << 10;

impl<S: Stream> Handle<S> {
    /// See [`Writer::write_message`](super::Writer::write_message).
    pub(super) fn write_message(
        &self,
        message: impl Into<Message>,
    ) -> impl Future<Output = Result<(), Error>> {
        let mut message = Some(message.into());
        poll_fn(move |cx| self.poll_message(cx, &mut message))
    }

    #[inline]
    fn poll_message(
        &self,
        task: &mut Context<'_>,
        waiting: &mut Option<Message>,
    ) -> Poll<Result<(), Error>> {
        let taken = match waiting {
            Some(message) if message.len() <= COPY_BYTES_MAX => self.queue_short(message),
            Some(_) => self.queue_long(waiting),
            None => false,
        };
        if taken {
            // Outside the lock: it may be the last that refers to its bytes.
            *waiting = None;
            return Poll::Ready(Ok(()));
        }
        self.poll_any_message(task, waiting)
    }

    fn poll_any_message(
        &self,
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

    /// See [`Writer::write_prepared`](super::Writer::write_prepared).
    pub(super) async fn write_prepared(&self, message: &PreparedMessage) -> Result<(), Error> {
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
        &self,
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
        &self,
        task: &mut Context<'_>,
        act: impl FnOnce(&Handle<S>, &mut Inner<S>) -> Result<R, Error>,
    ) -> Poll<Result<R, Error>> {
        let high_water_bytes = self.home.high_water_bytes;
        self.with(|inner| {
            inner.check_write_deadline()?;
            if inner.conn.buffered() >= high_water_bytes {
                let _ = self.flush(inner);
            }
            inner.check_writable()?;
            if inner.conn.buffered() >= high_water_bytes {
                inner.wait_for_progress(task.waker());
                return inner.poll_write_deadline(task).map(Err);
            }
            Poll::Ready(act(self, inner))
        })
    }

    /// Queues without waiting for room, after [`poll_room`](Self::poll_room) gave it.
    pub(super) fn queue(
        &self,
        queue: impl FnOnce(&mut Inner<S>) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        self.with(|inner| {
            inner.check_writable()?;
            queue(inner)?;
            self.sent_soon(inner);
            Ok(())
        })
    }

    /// See [`Writer::set_write_deadline`](super::Writer::set_write_deadline).
    pub(super) fn set_write_deadline(&self, deadline: Option<Instant>) {
        let runtime = &self.home.runtime;
        let last = self.with(|inner| inner.rare().write_deadline.set(deadline, runtime));
        drop(last);
    }

    /// See [`Writer::drained`](super::Writer::drained).
    pub(super) async fn drained(&self, below_bytes: usize) -> Result<(), Error> {
        poll_fn(|task| {
            self.with(|inner| {
                inner.check_write_deadline()?;
                if inner.conn.buffered() > below_bytes {
                    let _ = self.flush(inner);
                }
                inner.check_write_failure()?;
                if inner.conn.buffered() > below_bytes {
                    return inner.poll_progress(task, &self.home).map(Err);
                }
                Poll::Ready(Ok(()))
            })
        })
        .await
    }

    pub(super) fn compression(&self) -> Option<Compression> {
        self.with(|inner| inner.conn.compression().copied())
    }

    /// Begins the message that a [`MessageWriter`](super::MessageWriter) writes.
    pub(super) fn begin_message(&self, kind: MessageKind) -> Result<(), Error> {
        self.with(|inner| {
            inner.check_writable()?;
            Ok(inner.conn.begin_message(kind)?)
        })
    }

    /// See [`Writer::poll_flush`](super::Writer::poll_flush).
    pub(super) fn poll_unsent(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.with(|inner| {
            inner.check_write_deadline()?;
            if self.flush(inner).is_pending() {
                return inner.poll_progress(cx, &self.home).map(Err);
            }
            Poll::Ready(inner.check_write_failure())
        })
    }
}
