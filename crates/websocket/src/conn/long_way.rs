//! The same as the short way's for messages in one long frame: a read brings one or several of them whole, and none of them takes the lock
//! to be given out; answers go out two with one call, or each past the queue where it will most likely be the only one of its turn.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::BufMut as _;
use tokio::task::coop::has_budget_remaining;

use super::{
    Stream, inner::Inner, read_ahead::ReadAhead, room::READ_AHEAD_FRAME_BYTES_MAX, shared::Shared,
};
use crate::Message;

impl<S: Stream> Shared<S> {
    /// Reads a long frame like the last one into `ahead`, in which nothing is, or waits. Not if it is too long for that.
    #[inline(never)]
    pub(super) fn try_read_long(
        self: &Arc<Self>,
        inner: &mut Inner<S>,
        task: &mut Context<'_>,
        ahead: &mut Option<Box<ReadAhead>>,
    ) -> Option<Poll<()>> {
        if inner.conn.last_frame_bytes() > READ_AHEAD_FRAME_BYTES_MAX {
            return None;
        }
        self.read_or_wait(inner, task, ahead, read_long)
    }

    /// Reads on where `last` holds the beginning of a long message that the read before took along; what was written can wait, since the
    /// program is given that message next. If nothing is there, the long way is to look at the beginning, and to wait.
    #[inline(never)]
    pub(super) fn try_read_rest(
        self: &Arc<Self>,
        inner: &mut Inner<S>,
        task: &mut Context<'_>,
        last: &mut ReadAhead,
    ) -> Option<Poll<()>> {
        if !last.begins_long()
            || inner.has_read_deadline()
            || !inner.conn.is_between_messages()
            || inner.conn.has_input()
            || inner.end().is_some()
        {
            return None;
        }
        last.tell(&mut inner.conn);
        let waker = self.waker();
        let mut cx = Context::from_waker(&waker);
        match inner.poll_read(task, &mut cx, |inner, cx| read_long(inner, last, cx)) {
            Poll::Pending => None,
            Poll::Ready(result) => self.after_read(inner, last, result),
        }
    }

    /// Queues a long message by a reference to it. One that finds as much unsent as may be goes out behind that with the same call, and one
    /// that will most likely be the only one of its turn goes out at once; what the stream leaves is queued. Gives whether the message was taken: it
    /// is for the caller to drop what is in `waiting` then. One that has to wait for room, or is not as simple, is left to the way of all messages.
    #[inline(never)]
    pub(super) fn queue_long(self: &Arc<Self>, waiting: &mut Option<Message>) -> bool {
        self.with_open(|inner| self.try_queue_long(inner, waiting))
            .unwrap_or(false)
    }

    #[inline]
    fn try_queue_long(
        self: &Arc<Self>,
        inner: &mut Inner<S>,
        waiting: &mut Option<Message>,
    ) -> bool {
        let Some(message) = waiting else {
            return false;
        };
        if inner.may_refuse_writes() {
            return false;
        }
        let Some(header) = inner.conn.header_of_long(message) else {
            return false;
        };
        let is_full = inner.conn.buffered() >= self.home.high_water_bytes;
        let is_lone =
            inner.turns.expect_lone_write() && inner.is_flushed() && !self.may_have_message(inner);
        let waker = self.waker();
        let mut cx = Context::from_waker(&waker);
        let mut sent = 0;
        // Out of its budget a task finds each stream blocked, as if its socket were full. Where it was full, the signal has to be told.
        let writes = (is_full || is_lone) && has_budget_remaining() && !inner.output_waits;
        if writes {
            let frame = [header.as_bytes(), message.as_bytes()];
            sent = inner.write_behind_queue(frame, &mut cx);
            if sent == frame[0].len() + frame[1].len() {
                inner.turns.written();
                if !inner.is_flushed() {
                    self.enlist_locked(inner);
                }
                return true;
            }
        }
        if inner.may_refuse_writes() || inner.conn.buffered() >= self.home.high_water_bytes {
            return false;
        }
        // Refused is only what was refused before.
        if let Some(message) = waiting.take()
            && inner.conn.send(message).is_ok()
        {
            inner.conn.advance(sent);
        }
        inner.turns.written();
        if writes {
            // What the stream does not take, the signal goes on with.
            let _ = self.poll_flush(inner, &mut cx);
        } else {
            self.enlist_locked(inner);
        }
        true
    }
}

fn read_long<S: Stream>(
    inner: &mut Inner<S>,
    into: &mut ReadAhead,
    cx: &mut Context<'_>,
) -> Poll<std::io::Result<()>> {
    let bytes_max = into.make_long_room(inner.conn.last_frame_bytes());
    inner.try_read_behind(&mut (&mut into.bytes).limit(bytes_max), cx)
}
