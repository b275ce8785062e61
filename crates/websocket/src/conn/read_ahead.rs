//! What was read and not given out yet, in its reader's hands: messages are taken from there without the connection's lock. Under load
//! one lock so serves all messages that one read brought.
//!
//! A reader has such bytes only while they begin at a frame's edge, and while nothing but [`Reader::read_message`](super::Reader::read_message) is called. Whatever else
//! it does, and whatever is not a whole message in one frame, puts them back first: then all is as if they had never been taken.

use std::cell::RefCell;

use bytes::BytesMut;

use super::room::{LONG_FRAME_BYTES, READ_AHEAD_FRAME_BYTES_MAX, WAITING_BYTES_MAX, bytes_behind};
use crate::{Connection, Message, buffers, connection::ReadTerms};

/// Of these that nobody uses, how many a thread keeps for its readers: each with a buffer, besides those that [`buffers`] keeps.
const SPARE_MAX: usize = 4;

/// Lent by the thread, with a read buffer, from a read until all of it is given out and nothing more is there.
pub(super) struct ReadAhead {
    pub(super) bytes: BytesMut,
    terms: ReadTerms,
    /// Bytes of the last frame that was taken; 0 if none was.
    last_frame_bytes: usize,
    /// While the bytes lie in a wide buffer, which is only for long frames that came together, the one that they lay in before.
    narrow: Option<BytesMut>,
}

thread_local! {
    #[expect(clippy::vec_box, reason = "the boxes are what is lent")]
    static SPARE: RefCell<Vec<Box<ReadAhead>>> = const { RefCell::new(Vec::new()) };
}

impl ReadAhead {
    /// One without bytes.
    #[inline]
    pub(super) fn lend() -> Box<Self> {
        SPARE
            .try_with(|spare| spare.borrow_mut().pop())
            .ok()
            .flatten()
            .unwrap_or_else(|| {
                Box::new(Self {
                    bytes: BytesMut::new(),
                    terms: ReadTerms::default(),
                    last_frame_bytes: 0,
                    narrow: None,
                })
            })
    }

    /// The next message, if it lies here whole, in one frame, and nothing has to be judged.
    #[inline(always)]
    pub(super) fn take_message(&mut self) -> Option<Message> {
        let before = self.bytes.len();
        let message = self.terms.take_lone(&mut self.bytes)?;
        self.last_frame_bytes = before - self.bytes.len();
        Some(message)
    }

    /// Takes all that `conn` has not consumed. To be called only while there is nothing here and no frame or message is arriving.
    pub(super) fn take_over(&mut self, conn: &mut Connection) {
        self.replace_buffer(std::mem::take(conn.input()));
        self.note_read(conn);
    }

    /// Goes on with a buffer that is not wide, and may hold bytes already. What is in the last one is lost.
    fn replace_buffer(&mut self, buffer: BytesMut) {
        let last = std::mem::replace(&mut self.bytes, buffer);
        // A wide one is back once it is dropped.
        let last = self.narrow.take().unwrap_or(last);
        if last.capacity() > 0 {
            buffers::give(last);
        }
    }

    /// Whether all that is here is the beginning of a long message, for whose rest it pays to read on, since nothing is to be judged before.
    pub(super) fn begins_long(&self) -> bool {
        self.bytes.len() <= WAITING_BYTES_MAX
            && (LONG_FRAME_BYTES..=READ_AHEAD_FRAME_BYTES_MAX).contains(&self.last_frame_bytes)
            && self.terms.begins_lone(&self.bytes)
    }

    /// Makes room for a long frame like the last one, or for as many as fit into a wide buffer if the read before found more than it
    /// asked for; gives how many bytes the next read is to take at most. It ends little behind a frame's end: more of the next frame would have to be
    /// moved, and a read that gets less than it asked for tells that there is no more.
    pub(super) fn make_long_room(&mut self, like_it: usize) -> usize {
        let expected = like_it.saturating_sub(self.bytes.len());
        let behind = bytes_behind(&self.bytes, expected, like_it);
        let bytes_max = expected + behind + WAITING_BYTES_MAX;
        if self.bytes.try_reclaim(bytes_max) {
            return bytes_max;
        }
        if behind > 0
            && let Some(mut wide) = buffers::take_wide()
        {
            wide.extend_from_slice(&self.bytes);
            let last = std::mem::replace(&mut self.bytes, wide);
            self.narrow.get_or_insert(last);
            return bytes_max;
        }
        let bytes_max = expected + WAITING_BYTES_MAX;
        if !self.bytes.try_reclaim(bytes_max) {
            self.move_to(buffers::take_with(self.bytes.len() + bytes_max));
        }
        bytes_max
    }

    fn move_to(&mut self, mut narrow: BytesMut) {
        narrow.extend_from_slice(&self.bytes);
        self.replace_buffer(narrow);
    }

    /// Bytes were added that are to be judged as `conn` would.
    #[inline]
    pub(super) fn note_read(&mut self, conn: &Connection) {
        self.terms = conn.read_terms();
        self.last_frame_bytes = conn.last_frame_bytes();
    }

    /// Tells `conn` how long the last frame was.
    #[inline]
    pub(super) fn tell(&self, conn: &mut Connection) {
        conn.set_last_frame_bytes(self.last_frame_bytes);
    }

    /// Gives what was not taken back to `conn`, before whatever arrived meanwhile.
    pub(super) fn put_back(mut self: Box<Self>, conn: &mut Connection) {
        self.tell(conn);
        if self.narrow.is_some() && !self.bytes.is_empty() {
            // A connection may wait for the rest for long.
            let room = self.last_frame_bytes + WAITING_BYTES_MAX;
            self.move_to(buffers::take_with(room.max(self.bytes.len())));
        }
        if !self.bytes.is_empty() {
            let input = conn.input();
            if !input.is_empty() {
                self.bytes.extend_from_slice(input);
            }
            std::mem::swap(input, &mut self.bytes);
        }
        self.give_back();
    }

    /// To the thread. What is still here is lost.
    pub(super) fn give_back(mut self: Box<Self>) {
        if let Some(narrow) = self.narrow.take() {
            self.bytes = narrow;
        }
        if !buffers::is_spare(&mut self.bytes) {
            self.bytes = BytesMut::new();
        }
        // Another connection's frames are no guess for the next one's.
        self.last_frame_bytes = 0;
        // A thread that is ending has no spares any more: it is freed then.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARE_MAX {
                spare.push(self);
            }
        });
    }
}
