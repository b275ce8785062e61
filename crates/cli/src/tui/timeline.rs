//! What has happened in a room, as far as it is loaded: entries in the order of seq. How they look is in [`block`], which part of
//! them is seen in [`scroll`].

pub(super) mod block;
pub(super) mod scroll;

use std::collections::VecDeque;

use suda_protocol::v1::{self, entry::What as EntryKind};
use uuid::Uuid;

/// Entries of one room that are kept while one reads its end; what is older is loaded again when it is wanted.
pub(super) const KEPT_MAX: usize = 2_000;

/// Entries of one room that can be loaded by scrolling up.
pub(super) const LOADED_MAX: usize = 50_000;

/// What identifies a thing in the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// An entry, by its seq.
    Entry(u64),
    /// A message of one's own that has no entry yet, by its client id.
    Post(Uuid),
}

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) seq: u64,
    pub(super) author: String,
    pub(super) author_name: String,
    pub(super) at_ms: i64,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Message { text: String, reply_to: u64 },
    RoomCreated { name: String },
    Joined,
    Left,
}

impl Item {
    /// None for a kind of entry that this program does not know.
    pub(super) fn of_entry(entry: v1::Entry) -> Option<Item> {
        let what = match entry.what? {
            EntryKind::MessagePosted(posted) => What::Message {
                text: posted.text,
                reply_to: posted.reply_to,
            },
            EntryKind::RoomCreated(created) => What::RoomCreated { name: created.name },
            EntryKind::MemberJoined(_) => What::Joined,
            EntryKind::MemberLeft(_) => What::Left,
        };
        Some(Item {
            seq: entry.seq,
            author: entry.author,
            author_name: entry.author_name,
            at_ms: entry.at_ms,
            what,
        })
    }

    pub(super) fn of_message(message: v1::Message) -> Item {
        Item {
            seq: message.seq,
            author: message.author,
            author_name: message.author_name,
            at_ms: message.at_ms,
            what: What::Message {
                text: message.text,
                reply_to: message.reply_to,
            },
        }
    }

    /// The text, if it is a message.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.what {
            What::Message { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// The loaded entries.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    items: VecDeque<Item>,
    /// The last seq that was seen, shown or not.
    pub(super) last_seq: u64,
    /// Whether the server has older messages.
    pub(super) more_above: bool,
    /// Whether they have been asked for.
    pub(super) loading_above: bool,
}

impl Timeline {
    pub(super) fn items(&self) -> &VecDeque<Item> {
        &self.items
    }

    pub(super) fn find(&self, seq: u64) -> Option<usize> {
        self.items.binary_search_by_key(&seq, |item| item.seq).ok()
    }

    /// The seqs of the messages, oldest first.
    pub(super) fn messages(&self) -> impl DoubleEndedIterator<Item = u64> {
        let messages = self.items.iter().filter(|item| item.text().is_some());
        messages.map(|item| item.seq)
    }

    pub(super) fn first_seq(&self) -> Option<u64> {
        self.items.front().map(|item| item.seq)
    }

    /// Adds the newest entry; false where it is known already, shown or not.
    pub(super) fn push(&mut self, seq: u64, item: Option<Item>) -> bool {
        if seq <= self.last_seq {
            return false;
        }
        self.last_seq = seq;
        self.items.extend(item);
        true
    }

    /// Adds older messages, newest first as the server gives them.
    pub(super) fn prepend(&mut self, page: v1::MessagePage) {
        for message in page.messages {
            if self.first_seq().is_none_or(|first| message.seq < first) {
                self.last_seq = self.last_seq.max(message.seq);
                self.items.push_front(Item::of_message(message));
            }
        }
        self.more_above = page.more && self.items.len() < LOADED_MAX;
        self.loading_above = false;
    }

    /// Forgets the oldest entries above [`KEPT_MAX`], half of those at a time.
    pub(super) fn trim(&mut self) {
        if self.items.len() > KEPT_MAX {
            self.items.drain(..self.items.len() - KEPT_MAX / 2);
            self.more_above = true;
        }
    }
}
