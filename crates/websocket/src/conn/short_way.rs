//! Reading and writing where nothing has to be waited for, decided or remembered: a message that is here whole, and a short answer for
//! which there is room. In a plain loop under load these are all but one in a wake-up. Whatever is not as simple takes the long way, which
//! does the same with these, too.

use std::sync::Arc;

use super::{
    Stream,
    shared::{Locked, Shared},
};
use crate::{Message, frame::HEADER_BYTES_MAX};

impl<S: Stream> Shared<S> {
    /// The next message, if it can be given out as it lies in the read buffer; else the lock, for the long way.
    #[inline]
    pub(super) fn take_message(&self) -> Result<Message, Locked<'_, S>> {
        let mut locked = self.lock();
        let message = (locked.as_mut())
            .filter(|inner| !inner.has_read_deadline())
            .and_then(|inner| inner.conn.take_message());
        message.ok_or(locked)
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
