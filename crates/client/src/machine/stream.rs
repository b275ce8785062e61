//! One open room: how far its entries were delivered, and whether the next one may be.

use std::collections::VecDeque;

use suda_protocol::v1::{self, Cursor, Entry};

use super::backoff::Jitter;
use super::event::Event;
use crate::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// To be opened, from that time on.
    Closed { not_before: Timestamp },
    /// `Open` is under way.
    Opening,
    /// The server sends entries.
    Live,
    /// The next page is to be asked for.
    Page,
    /// `Log` is under way.
    Paging,
}

#[derive(Debug)]
pub(super) struct Stream {
    /// The room as it was asked for.
    pub(super) asked: String,
    /// The room as it was when the stream was last opened.
    pub(super) opened: Option<v1::Room>,
    /// The last entry that was delivered; none until the first opening tells where the stream starts.
    pub(super) cursor: Option<Cursor>,
    /// Whether the owner asked for everything, so that a reset starts at the beginning too.
    pub(super) from_beginning: bool,
    /// Whether the owner asked for the room again while it was open: a removal on its way is of the membership before.
    pub(super) wanted_again: bool,
    pub(super) phase: Phase,
    /// Openings in a row after which no entry came.
    pub(super) fruitless: u32,
    /// The top that the last heartbeat told and that was lacking.
    pub(super) lacked: Option<u64>,
    /// Whether the last heartbeat did not list the room.
    pub(super) unlisted: bool,
}

impl Stream {
    /// The room as the server is to be told.
    pub(super) fn room(&self) -> &str {
        self.id().unwrap_or(&self.asked)
    }

    /// The room's id, once an answer told it.
    pub(super) fn id(&self) -> Option<&str> {
        self.opened.as_ref().map(|room| room.id.as_str())
    }

    /// To be opened again: at once, unless that was in vain before.
    pub(super) fn reopen(&mut self, now: Timestamp, jitter: &mut Jitter) {
        let wait_ms = if self.fruitless == 0 {
            0
        } else {
            jitter.wait_ms(self.fruitless)
        };
        self.fruitless = self.fruitless.saturating_add(1);
        self.lacked = None;
        self.unlisted = false;
        self.phase = Phase::Closed {
            not_before: now.saturating_add(wait_ms),
        };
    }

    pub(super) fn reset(
        &mut self,
        now: Timestamp,
        jitter: &mut Jitter,
        events: &mut VecDeque<Event>,
    ) {
        events.push_back(Event::Reset {
            room: self.room().to_owned(),
        });
        self.cursor = self.from_beginning.then(Cursor::default);
        self.reopen(now, jitter);
    }

    /// Delivers the entry if it is the next one.
    pub(super) fn deliver(&mut self, entry: Entry, events: &mut VecDeque<Event>) -> Step {
        let Some(cursor) = &mut self.cursor else {
            return Step::Broken;
        };
        if entry.seq == cursor.seq.saturating_add(1) {
            *cursor = Cursor {
                seq: entry.seq,
                id: entry.id.clone(),
            };
            self.fruitless = 0;
            events.push_back(Event::Entry(entry));
            Step::Delivered
        } else if entry.seq > cursor.seq || (entry.seq == cursor.seq && entry.id != cursor.id) {
            Step::Broken
        } else {
            Step::Old
        }
    }
}

/// What an entry was.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Delivered,
    /// One that was delivered before.
    Old,
    /// One that doesn't follow what was delivered: asking again from the cursor settles it.
    Broken,
}
