//! The one waker that a connection's stream sees, unless it is [plain](super::plain).
//!
//! A stream may need to read in order to write and the other way round (TLS), and it remembers one waker per direction.
//! If reader and flusher polled it with wakers of their own, one could overwrite the other's. So both poll with this
//! one, which wakes the reader and, while output is waiting, has the connection flushed. A plain socket keeps its directions apart: there the
//! reader mostly waits with its own, and is known here for whoever polls in its place, the heart among them.
//!
//! The waker is what the handles share, counted once more. So a stream that waits keeps itself alive; the last handle to go ends
//! that by taking the stream out.

use std::{
    sync::{Arc, PoisonError},
    task::Waker,
};

use futures_task::{ArcWake, WakerRef, waker_ref};

use super::{
    Stream,
    shared::Shared,
    sync::{Mutex, MutexGuard},
};

/// The reader that is to be woken.
pub(super) struct Signal {
    reader: Mutex<Option<Waker>>,
}

impl Signal {
    pub(super) fn new() -> Self {
        Self {
            reader: Mutex::new(None),
        }
    }

    fn reader(&self) -> MutexGuard<'_, Option<Waker>> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called before the stream is polled for reading, so that no wake can come in between.
    #[inline]
    pub(super) fn set_reader(&self, waker: &Waker) {
        match &mut *self.reader() {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// The reader that waited, who is not to be woken again.
    pub(super) fn take_reader(&self) -> Option<Waker> {
        self.reader().take()
    }

    pub(super) fn wake_reader(&self) {
        if let Some(reader) = self.take_reader() {
            reader.wake();
        }
    }
}

impl<S: Stream> Shared<S> {
    /// The waker that the stream is polled with. It is counted only where the stream keeps it.
    #[inline]
    pub(super) fn waker(self: &Arc<Self>) -> WakerRef<'_> {
        waker_ref(self)
    }
}

impl<S: Stream> ArcWake for Shared<S> {
    fn wake_by_ref(shared: &Arc<Self>) {
        shared.stream_is_ready();
    }
}
