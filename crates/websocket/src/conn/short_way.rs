//! Reading and writing where nothing has to be decided or remembered: a message that is here whole, or after one read, and a short answer
//! for which there is room, or that is sent at once. In a plain loop under load these are all but one in a wake-up. Whatever is not as simple takes the long way, which
//! does the same with these, too.

use std::{
    io,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::task::coop::has_budget_remaining;

use super::{
    Stream,
    error::End,
    gathering,
    inner::Inner,
    plain,
    read_ahead::ReadAhead,
    room::{LONG_FRAME_BYTES, give_room_up},
    shared::{Locked, Shared},
    short_frame::ShortFrame,
};
use crate::{Message, frame::HEADER_BYTES_MAX};

impl<S: Stream> Shared<S> {
    /// Reads on: sends what was written and reads once into `ahead`, or has it take what lies in the connection. What is in it then
    /// begins at a frame's edge, while no message has begun. If things are not as simple as that, the lock is given, for the long way, and
    /// nothing is left in `ahead`, which is also so where that begins with something that is not a whole message.
    #[inline]
    pub(super) fn poll_read_ahead(
        self: &Arc<Self>,
        task: &mut Context<'_>,
        ahead: &mut Option<Box<ReadAhead>>,
    ) -> Result<Poll<()>, Locked<'_, S>> {
        let mut locked = self.lock();
        let Some(inner) = locked.as_mut() else {
            return Err(locked);
        };
        let Some(polled) = self.try_read_ahead(inner, task, ahead) else {
            if let Some(left) = ahead.take() {
                self.put_back(inner, left);
            }
            return Err(locked);
        };
        let woken = inner.take_woken();
        drop(locked);
        for waker in woken {
            waker.wake();
        }
        Ok(polled)
    }

    #[inline]
    fn try_read_ahead(
        self: &Arc<Self>,
        inner: &mut Inner<S>,
        task: &mut Context<'_>,
        ahead: &mut Option<Box<ReadAhead>>,
    ) -> Option<Poll<()>> {
        if let Some(last) = ahead {
            if !last.bytes.is_empty() {
                return self.try_read_rest(inner, task, last);
            }
            last.tell(&mut inner.conn);
        }
        if inner.has_read_deadline() || !inner.conn.is_between_messages() {
            return None;
        }
        if !inner.conn.input().is_empty() {
            // What came with the handshake, what the heart has read, or what the long way left.
            let into = ahead.get_or_insert_with(ReadAhead::lend);
            into.take_over(&mut inner.conn);
            self.tell_more_ahead(true);
            return Some(Poll::Ready(()));
        }
        if inner.end().is_some() {
            return None;
        }
        if inner.conn.last_frame_bytes() >= LONG_FRAME_BYTES {
            return self.try_read_long(inner, task, ahead);
        }
        self.read_or_wait(inner, task, ahead, |inner, into, cx| {
            inner.try_read(&mut into.bytes, cx)
        })
    }

    /// Has `read` read once into `ahead`, in which nothing is; where it finds nothing, the reader waits.
    #[inline(always)]
    pub(super) fn read_or_wait(
        self: &Arc<Self>,
        inner: &mut Inner<S>,
        task: &mut Context<'_>,
        ahead: &mut Option<Box<ReadAhead>>,
        read: impl Fn(&mut Inner<S>, &mut ReadAhead, &mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Option<Poll<()>> {
        let waker = self.waker();
        let mut cx = Context::from_waker(&waker);
        // As in the long way: what was written goes first. Or, if there is nothing to read, with what others have.
        inner.turns.end();
        let leaves = gathering::may_leave(self, inner);
        if !leaves {
            let _ = self.poll_flush(inner, &mut cx);
        }
        let into = ahead.get_or_insert_with(ReadAhead::lend);
        let mut polled = Poll::Pending;
        if std::mem::take(&mut inner.reader_waited) {
            // It comes because something is there, most likely. If not, the stream is asked again, with the reader known to the signal.
            polled = read(inner, into, &mut cx);
        }
        if polled.is_pending() {
            self.signal.set_reader(task.waker());
            polled = inner.poll_read(task, &mut cx, |inner, cx| read(inner, into, cx));
        }
        if leaves {
            match polled {
                Poll::Pending => gathering::note_left(),
                Poll::Ready(_) => {
                    let _ = self.poll_flush(inner, &mut cx);
                }
            }
        }
        match polled {
            Poll::Pending => {
                inner.reader_waited = true;
                if let Some(empty) = ahead.take() {
                    empty.give_back();
                }
                // What the long way has read into.
                give_room_up(inner.conn.input());
                Some(Poll::Pending)
            }
            Poll::Ready(result) => self.after_read(inner, into, result),
        }
    }

    /// Notes what a read into `into` brought.
    #[inline(always)]
    pub(super) fn after_read(
        &self,
        inner: &mut Inner<S>,
        into: &mut ReadAhead,
        read: io::Result<()>,
    ) -> Option<Poll<()>> {
        match read {
            // The stream may have ended: nothing was read then.
            Ok(()) if into.bytes.is_empty() => None,
            Ok(()) => {
                into.note_read(&inner.conn);
                self.tell_more_ahead(true);
                Some(Poll::Ready(()))
            }
            Err(error) => {
                inner.set_end(End::Io(error.into()));
                None
            }
        }
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
        let sent = inner.turns.expect_lone_write()
            && !gathering::may_leave_message(self, message.len())
            && self.send_at_once(inner, message);
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
        if !inner.is_flushed() || self.may_have_message(inner) {
            return false;
        }
        // Out of its budget a task finds each stream blocked, as if its socket were full.
        if plain::socket(inner.stream()).is_none() && !has_budget_remaining() {
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

#[cfg(all(test, not(suda_loom)))]
mod tests {
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Waker},
    };

    use crate::{Config, Conn, Message, Parts, Role};
    use tokio::io::{AsyncWriteExt, duplex};

    #[tokio::test]
    async fn a_connection_that_waits_after_the_long_way_holds_no_read_buffer() {
        let (ours, mut theirs) = duplex(1 << 16);
        let mut conn = Conn::from_parts(ours, Parts::new(Role::Client, Config::default()));
        // A message in two frames, which is not for the short way.
        let frames = [0x02, 1, b'a', 0x80, 1, b'b'];
        theirs.write_all(&frames).await.unwrap();
        assert_eq!(conn.read_message().await.unwrap(), Message::binary("ab"));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(pin!(conn.read_message()).poll(&mut cx).is_pending());
        let (reader, ..) = conn.split();
        let capacity = reader.handle.with(|inner| inner.conn.input().capacity());
        assert_eq!(capacity, 0);
    }
}
