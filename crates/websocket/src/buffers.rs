//! Buffers that a thread's connections lend each other, so that an idle connection holds none and a busy one allocates none.

use std::cell::RefCell;

use bytes::BytesMut;

/// Size of a lent buffer, in bytes: what one read call can take.
pub(crate) const BUFFER_BYTES: usize = 64 << 10;
/// A buffer that has grown beyond this is not kept, in bytes.
const KEPT_BYTES_MAX: usize = 2 * BUFFER_BYTES;
/// Buffers that a thread keeps for later.
const SPARE_MAX: usize = 4;

/// Size of a wide buffer, in bytes: what one read of several long frames can take.
#[cfg(feature = "tokio")]
pub(crate) const WIDE_BYTES: usize = 264 << 10;
/// Wide buffers of a thread, all there ever are: one that is read into, and others for as long as answers that did not go out
/// at once refer to them.
#[cfg(feature = "tokio")]
const WIDE_MAX: usize = 4;

thread_local! {
    static SPARE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

#[cfg(feature = "tokio")]
thread_local! {
    /// Of each wide buffer a part without bytes, by which the thread keeps it while it is lent, and can tell when nobody uses it any more.
    static WIDE: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer with room for [`BUFFER_BYTES`].
pub(crate) fn take() -> BytesMut {
    SPARE
        .try_with(|spare| spare.borrow_mut().pop())
        .ok()
        .flatten()
        .unwrap_or_else(|| BytesMut::with_capacity(BUFFER_BYTES))
}

/// An empty buffer with room for `bytes`, which may be more than [`BUFFER_BYTES`].
#[cfg(feature = "tokio")]
pub(crate) fn take_with(bytes: usize) -> BytesMut {
    SPARE
        .try_with(|spare| {
            let mut spare = spare.borrow_mut();
            let fits = spare.iter_mut().rposition(|one| one.try_reclaim(bytes))?;
            Some(spare.swap_remove(fits))
        })
        .ok()
        .flatten()
        .unwrap_or_else(|| BytesMut::with_capacity(bytes.max(BUFFER_BYTES)))
}

/// An empty buffer of [`WIDE_BYTES`], unless all that the thread may have are in use. It is given back by being dropped, together with the
/// last message that refers to it, wherever that happens.
#[cfg(feature = "tokio")]
pub(crate) fn take_wide() -> Option<BytesMut> {
    WIDE.try_with(|wide| {
        let mut wide = wide.borrow_mut();
        // Only one that nobody else refers to is whole.
        let known = wide
            .iter_mut()
            .find_map(|kept| kept.try_reclaim(WIDE_BYTES).then(|| kept.split_off(0)));
        if known.is_some() || wide.len() >= WIDE_MAX {
            return known;
        }
        let mut kept = BytesMut::with_capacity(WIDE_BYTES);
        let lent = kept.split_off(0);
        wide.push(kept);
        Some(lent)
    })
    .ok()
    .flatten()
}

/// Clears a buffer that is not used any more, and gives whether it is worth keeping: the next one can use it at once. Not what a
/// message still refers to, not what never had room, and not the memory of one long message for short ones.
#[inline]
pub(crate) fn is_spare(buffer: &mut BytesMut) -> bool {
    buffer.clear();
    // Its capacity may be less than the memory behind it. Where it was too little and could be reclaimed, it is all of it.
    let hides_memory = buffer.capacity() >= BUFFER_BYTES;
    !(hides_memory && buffer.try_reclaim(KEPT_BYTES_MAX + 1))
        && buffer.try_reclaim(BUFFER_BYTES)
        && buffer.capacity() <= KEPT_BYTES_MAX
}

/// Gives a buffer back, which is kept if it [is worth it](is_spare).
pub(crate) fn give(mut buffer: BytesMut) {
    if !is_spare(&mut buffer) {
        return;
    }
    // A thread that is ending has no spares any more: the buffer is freed then.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < SPARE_MAX {
            spare.push(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Forgets the spares that other tests of this thread left.
    fn without_spares() {
        SPARE.with_borrow_mut(Vec::clear);
    }

    #[test]
    fn what_is_given_back_is_lent_again() {
        without_spares();
        let mut first = take();
        let memory = first.as_ptr();
        first.extend_from_slice(&[7; 1000]);
        drop(first.split_to(900));
        give(first);
        let second = take();
        assert_eq!(second.as_ptr(), memory);
        assert!(second.is_empty() && second.capacity() >= BUFFER_BYTES);
    }

    #[test]
    fn a_buffer_that_a_message_refers_to_or_that_has_no_room_is_not_lent() {
        without_spares();
        let mut first = take();
        first.extend_from_slice(b"kept");
        let kept = first.split_to(4).freeze();
        give(first);
        give(BytesMut::new());
        give(BytesMut::with_capacity(KEPT_BYTES_MAX + 1));
        let mut grown = BytesMut::with_capacity(KEPT_BYTES_MAX + 1);
        drop(grown.split_off(BUFFER_BYTES));
        give(grown);
        SPARE.with_borrow(|spare| assert!(spare.is_empty()));
        assert_eq!(&kept[..], b"kept");
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn a_thread_lends_a_few_wide_buffers_and_each_again_once_nothing_refers_to_it() {
        WIDE.with_borrow_mut(Vec::clear);
        let mut lent: Vec<_> = std::iter::from_fn(take_wide).take(WIDE_MAX + 1).collect();
        assert_eq!(lent.len(), WIDE_MAX);
        let memory = lent[1].as_ptr();
        lent[1].extend_from_slice(b"kept");
        let message = lent[1].split_to(4).freeze();
        drop(lent.remove(1));
        assert!(take_wide().is_none());
        assert_eq!(&message[..], b"kept");
        drop(message);
        let again = take_wide().unwrap();
        assert_eq!(again.as_ptr(), memory);
        assert!(again.is_empty() && again.capacity() == WIDE_BYTES);
        assert!(take_wide().is_none());
    }
}
