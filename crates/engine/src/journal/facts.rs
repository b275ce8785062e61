//! What a batch must know, and what the store knew of it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::{ClientId, Digest, Entry, EntryId, RoomFacts, RoomId, RoomRef, Timestamp, UserId};

/// What to read inside the transaction before a batch is planned. Nothing stands in it twice.
///
/// A room that stands under its name in `members` or `messages` stands in `rooms` too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lookup {
    /// Commands that may have been answered already.
    pub answered: Vec<(UserId, ClientId)>,
    /// Rooms of which nothing is known.
    pub rooms: Vec<RoomRef>,
    /// Who may be a member of what.
    pub members: Vec<(RoomRef, UserId)>,
    /// Messages that may exist: room and seq.
    pub messages: Vec<(RoomRef, u64)>,
    /// Rooms in which entries may have been committed but never handed on.
    pub unsettled: Vec<Unsettled>,
}

/// A room in which entries after this seq may have been committed but never handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unsettled {
    /// The room. It may not exist.
    pub room: RoomId,
    /// Entries up to this seq were handed on.
    pub after_seq: u64,
}

impl Lookup {
    pub(super) fn tidy(&mut self) {
        self.answered.sort();
        self.answered.dedup();
        self.rooms.sort();
        self.rooms.dedup();
        self.members.sort();
        self.members.dedup();
        self.messages.sort();
        self.messages.dedup();
    }
}

/// What the store knew of what a [`Lookup`] named. What it did not know is simply not there.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Commands that were answered already.
    pub answered: HashMap<(UserId, ClientId), AnsweredRow>,
    /// The rooms that exist.
    pub rooms: Vec<RoomFacts>,
    /// The memberships that exist.
    pub members: HashSet<(RoomId, UserId)>,
    /// The messages that exist: room and seq.
    pub messages: HashSet<(RoomId, u64)>,
    /// All entries after the seqs named in [`Lookup::unsettled`], in the order of their seqs within each room.
    pub unsettled: Vec<Arc<Entry>>,
}

/// A command that took effect, kept for ever so that a retry gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredRow {
    /// Who asked.
    pub author: UserId,
    /// Under which client id.
    pub client_id: ClientId,
    /// For what.
    pub digest: Digest,
    /// Which command it was.
    pub kind: AnsweredKind,
    /// The room that it was about.
    pub room: RoomId,
    /// The entry that it made; the room's newest one where it made none.
    pub seq: u64,
    /// That entry's id.
    pub id: EntryId,
    /// When it was answered first.
    pub at: Timestamp,
    /// How many members the room had then.
    pub member_count: u32,
}

/// Which command an [`AnsweredRow`] is about. The numbers are for stores and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum AnsweredKind {
    /// `CreateRoom`.
    CreateRoom = 1,
    /// `Join`.
    Join = 2,
    /// `Leave`.
    Leave = 3,
    /// `Post`.
    Post = 4,
}

impl AnsweredKind {
    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::CreateRoom, Self::Join, Self::Leave, Self::Post]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}
