//! The same as the short way's for messages in one long frame: a read brings one or several of them whole, and none of them takes the lock
//! to be given out.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::BufMut as _;

use super::{Stream, inner::Inner, read_ahead::ReadAhead, shared::Shared};

impl<S: Stream> Shared<S> {
    /// Reads a long frame like the last one into `ahead`, in which nothing is, or waits.
    #[inline(never)]
    pub(super) fn try_read_long(
        self: &Arc<Self>,
        inner: &mut Inner<S>,
        task: &mut Context<'_>,
        ahead: &mut Option<Box<ReadAhead>>,
    ) -> Option<Poll<()>> {
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
            Poll::Ready(result) => Self::after_read(inner, last, result),
        }
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
