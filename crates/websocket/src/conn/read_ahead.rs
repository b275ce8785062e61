//! What was read and not given out yet, in its reader's hands: messages are taken from there without the connection's lock. Under load
//! one lock so serves all messages that one read brought.
//!
//! A reader has such bytes only while they begin at a frame's edge, and while nothing but [`Reader::read_message`](super::Reader::read_message) is called. Whatever else
//! it does, and whatever is not a whole message in one frame, puts them back first: then all is as if they had never been taken.

use std::cell::RefCell;

use bytes::BytesMut;

use crate::{Connection, Message, buffers, connection::ReadTerms};

/// Of these that nobody uses, how many a thread keeps for its readers: each with a buffer, besides those that [`buffers`] keeps.
const SPARE_MAX: usize = 4;

/// Lent by the thread, with a read buffer, from a read until all of it is given out and nothing more is there.
pub(super) struct ReadAhead {
    pub(super) bytes: BytesMut,
    terms: ReadTerms,
    /// Bytes of the last frame that was taken; 0 if none was.
    last_frame_bytes: usize,
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
        let room = std::mem::replace(&mut self.bytes, std::mem::take(conn.input()));
        if room.capacity() > 0 {
            buffers::give(room);
        }
        self.note_read(conn);
    }

    /// Whether there is more than one message, or the beginning of another.
    #[inline]
    pub(super) fn holds_more_than_one(&self) -> bool {
        self.terms.lone_bytes(&self.bytes) != Some(self.bytes.len())
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
