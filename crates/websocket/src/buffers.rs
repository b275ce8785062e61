//! Buffers that a thread's connections lend each other, so that an idle connection holds none and a busy one allocates none.

use std::cell::RefCell;

use bytes::BytesMut;

/// Size of a lent buffer, in bytes: what one read call can take.
pub(crate) const BUFFER_BYTES: usize = 64 << 10;
/// Buffers that a thread keeps for later.
const SPARE_MAX: usize = 4;

thread_local! {
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer with room for [`BUFFER_BYTES`].
pub(crate) fn take() -> BytesMut {
    let mut buffer = SPARE
        .try_with(|spare| spare.borrow_mut().pop())
        .ok()
        .flatten()
        .unwrap_or_default();
    // Takes the old memory again if nobody holds a message out of it.
    buffer.reserve(BUFFER_BYTES);
    if buffer.capacity() > 2 * BUFFER_BYTES {
        // The memory of one long message is not kept for short ones.
        buffer = BytesMut::with_capacity(BUFFER_BYTES);
    }
    buffer
}

/// Gives a buffer back.
pub(crate) fn give(mut buffer: BytesMut) {
    buffer.clear();
    // A thread that is ending has no spares any more: the buffer is freed then.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < SPARE_MAX {
            spare.push(buffer);
        }
    });
}
