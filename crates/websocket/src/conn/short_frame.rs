//! Memory for a short frame on its way past the queue, which a thread keeps for all its connections.

use std::{
    cell::Cell,
    ops::{Deref, DerefMut},
};

use crate::frame::SHORT_FRAME_BYTES_MAX;

type Memory = Box<[u8; SHORT_FRAME_BYTES_MAX]>;

thread_local! {
    static SPARE: Cell<Option<Memory>> = const { Cell::new(None) };
}

/// Lent, since the stream that the frame is written to may be the program's own and write to another connection meanwhile.
pub(super) struct ShortFrame(Memory);

impl ShortFrame {
    /// None where the thread is ending.
    #[inline]
    pub(super) fn lend() -> Option<Self> {
        let spare = SPARE.try_with(Cell::take).ok()?;
        Some(Self(spare.unwrap_or_else(|| {
            // Once for each thread.
            Box::new([0; SHORT_FRAME_BYTES_MAX])
        })))
    }

    #[inline]
    pub(super) fn give_back(self) {
        // A thread that is ending keeps nothing.
        let _ = SPARE.try_with(|spare| spare.set(Some(self.0)));
    }
}

impl Deref for ShortFrame {
    type Target = [u8; SHORT_FRAME_BYTES_MAX];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for ShortFrame {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
