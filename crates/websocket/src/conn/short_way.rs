//! Reading and writing where nothing has to be decided or remembered: a message that is here whole, or after one read, and a short answer
//! for which there is room, or that is sent at once. In a plain loop under load these are all but one in a wake-up. Whatever is not as simple takes the long way, which
//! does the same with these, too.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use super::{
    Stream,
    error::End,
    inner::Inner,
    shared::{Locked, Shared},
    short_frame::ShortFrame,
};
use crate::{Message, frame::HEADER_BYTES_MAX};

impl<S: Stream> Shared<S> {
    /// The next message, if it can be given out as it lies in the read buffer, at once or after one read for which all that was written
    /// is sent; else the lock, for the long way.
    #[inline]
    pub(super) fn poll_short(
        self: &Arc<Self>,
        task: &mut Context<'_>,
    ) -> Result<Poll<Message>, Locked<'_, S>> {
        let mut locked = self.lock();
        let Some(inner) = locked.as_mut().filter(|inner| !inner.has_read_deadline()) else {
            return Err(locked);
        };
        if let Some(message) = inner.conn.take_message() {
            return Ok(Poll::Ready(message));
        }
        if !inner.conn.is_between_frames() || inner.end().is_some() {
            return Err(locked);
        }
        let waker = self.waker();
        let mut cx = Context::from_waker(&waker);
        // As in the long way: what was written goes first.
        inner.turns.end();
        let _ = self.poll_flush(inner, &mut cx);
        let mut filled = Poll::Pending;
        if std::mem::take(&mut inner.reader_waited) {
            // It comes because something is there, most likely. If not, the stream is asked again, with the reader known to the signal.
            filled = inner.poll_fill_between(&mut cx);
        }
        if filled.is_pending() {
            self.signal.set_reader(task.waker());
            filled = inner.poll_fill_between(&mut cx);
        }
        let polled = match filled {
            Poll::Pending => {
                inner.reader_waited = true;
                Some(Poll::Pending)
            }
            Poll::Ready(Ok(())) => inner.conn.take_message().map(Poll::Ready),
            Poll::Ready(Err(error)) => {
                inner.set_end(End::Io(error.into()));
                None
            }
        };
        let Some(polled) = polled else {
            return Err(locked);
        };
        let woken = inner.take_woken();
        drop(locked);
        for waker in woken {
            waker.wake();
        }
        Ok(polled)
    }

    /// Sends a message at once that will most likely be the only one of its turn, or else queues it by copying it behind others; gives
    /// whether it did.
    #[inline]
    pub(super) fn queue_short(self: &Arc<Self>, message: &Message) -> bool {
        let mut guard = self.lock();
        let Some(inner) = guard.as_mut() else {
            return false;
        };
        let unsent = inner.conn.buffered() + HEADER_BYTES_MAX + message.len();
        // From the high-water mark on, it is for a call of its own.
        if unsent >= self.home.high_water_bytes || inner.may_refuse_writes() {
            return false;
        }
        let sent = inner.turns.expect_lone_write() && self.send_at_once(inner, message);
        if !sent && !inner.conn.send_short(message) {
            return false;
        }
        inner.turns.written();
        if !sent {
            self.enlist_locked(inner);
        }
        true
    }

    /// Sends a short message past the queue if all is sent and no other message lies ready, whose answer could go along; gives whether
    /// it did.
    #[inline]
    fn send_at_once(self: &Arc<Self>, inner: &mut Inner<S>, message: &Message) -> bool {
        if !inner.is_flushed() || inner.conn.has_input() {
            return false;
        }
        let Some(mut frame) = ShortFrame::lend() else {
            return false;
        };
        let Some(frame_bytes) = inner.conn.write_short(message, &mut frame) else {
            frame.give_back();
            return false;
        };
        let waker = self.waker();
        let mut cx = Context::from_waker(&waker);
        if !inner.write_at_once(&frame[..frame_bytes], message, &mut cx) {
            // The flusher sees to the rest, and to whom that wakes.
            self.enlist_locked(inner);
        }
        frame.give_back();
        true
    }
}
