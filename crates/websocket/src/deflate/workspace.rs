//! Memory to compress and inflate into, one for each thread, so that a message costs none.

use std::cell::Cell;

/// Bytes that are inflated at once, and so what a bomb may cost beyond the read limit.
pub(crate) const INFLATED_CHUNK_BYTES: usize = 16 << 10;
/// A longer workspace is not kept: the memory of one long message is not needed for short ones.
const KEPT_BYTES_MAX: usize = 256 << 10;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Bytes that are all initialised, whatever they were used for before. Given back to the thread when dropped.
#[derive(Debug)]
pub(crate) struct Workspace {
    bytes: Vec<u8>,
}

impl Workspace {
    /// At least [`INFLATED_CHUNK_BYTES`].
    pub(crate) fn take() -> Self {
        let mut bytes = SPARE.try_with(Cell::take).unwrap_or_default();
        if bytes.is_empty() {
            bytes = vec![0; INFLATED_CHUNK_BYTES];
        }
        Self { bytes }
    }

    /// All of it.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// One chunk of it.
    pub(crate) fn chunk(&mut self) -> &mut [u8] {
        &mut self.bytes[..INFLATED_CHUNK_BYTES]
    }

    /// Doubles it.
    pub(crate) fn grow(&mut self) {
        self.bytes.resize(2 * self.bytes.len(), 0);
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        if self.bytes.len() <= KEPT_BYTES_MAX {
            // A thread that is ending has no spare any more: the memory is freed then.
            let _ = SPARE.try_with(|spare| spare.set(std::mem::take(&mut self.bytes)));
        }
    }
}
