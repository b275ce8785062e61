//! The one waker that a connection's stream ever sees.
//!
//! A stream may need to read in order to write and the other way round (TLS), and it remembers one waker per direction.
//! If reader and flusher polled it with wakers of their own, one could overwrite the other's. So both poll with this
//! one, which wakes the reader and, while output is waiting, has the connection flushed.

use std::{
    sync::{Arc, PoisonError, Weak},
    task::{Wake, Waker},
};

use super::{
    heart::Beating,
    sync::{AtomicBool, Mutex, Ordering},
};

pub(super) struct Signal {
    /// Weak, or the stream's waker would keep the stream alive.
    target: Weak<dyn Beating>,
    reader: Mutex<Option<Waker>>,
    output_waits: AtomicBool,
}

impl Signal {
    pub(super) fn new(target: Weak<dyn Beating>) -> Self {
        Self {
            target,
            reader: Mutex::new(None),
            output_waits: AtomicBool::new(false),
        }
    }

    /// The connection, while it lives.
    pub(super) fn target(&self) -> Option<Arc<dyn Beating>> {
        self.target.upgrade()
    }

    /// Whether a reader waits to be woken.
    pub(super) fn has_reader(&self) -> bool {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        reader.is_some()
    }

    /// To be called before the stream is polled for reading, so that no wake can come in between.
    pub(super) fn set_reader(&self, waker: &Waker) {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *reader {
            Some(known) => known.clone_from(waker),
            None => *reader = Some(waker.clone()),
        }
    }

    pub(super) fn wake_reader(&self) {
        let reader = self
            .reader
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// To be set before a poll of the stream for writing on whose wake somebody relies, and taken back once all is written.
    pub(super) fn set_output_waits(&self, waits: bool) {
        self.output_waits.store(waits, Ordering::Release);
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    /// May be called from inside a poll of the stream, so it must not touch the connection's lock.
    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_reader();
        if self.output_waits.load(Ordering::Acquire)
            && let Some(target) = self.target.upgrade()
        {
            target.enlist();
        }
    }
}
