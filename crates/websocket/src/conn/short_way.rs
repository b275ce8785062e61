//! Reading and writing where nothing has to be waited for, decided or remembered: a message that is here whole, and a short answer for
//! which there is room. In a plain loop under load these are all but one in a wake-up. Whatever is not as simple takes the long way, which
//! does the same with these, too.

use std::sync::Arc;

use super::{Stream, shared::Shared};
use crate::{Message, frame::HEADER_BYTES_MAX};

impl<S: Stream> Shared<S> {
    /// The next message, if it can be given out as it lies in the read buffer.
    #[inline]
    pub(super) fn take_message(&self) -> Option<Message> {
        let mut guard = self.lock();
        let inner = guard.as_mut()?;
        if inner.has_read_deadline() {
            return None;
        }
        inner.conn.take_message()
    }

    /// Queues a message by copying it behind others; gives whether it did.
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
        let queued = inner.conn.send_short(message);
        if queued {
            self.enlist_locked(inner);
        }
        queued
    }
}
