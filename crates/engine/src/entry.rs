//! An entry, its place in its room, and what is known of a room.

use std::sync::Arc;

use suda_protocol::v1;

use crate::{EntryId, InvalidId, RoomId, Timestamp, UserId};

/// How far a reader is in a room: the seq of the last entry that it has, and the id of the entry there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The seq; 0 before the first entry.
    pub seq: u64,
    /// That entry's id; nil where seq is 0.
    pub id: EntryId,
}

impl Cursor {
    /// Before the first entry.
    pub const BEGINNING: Self = Self {
        seq: 0,
        id: EntryId(uuid::Uuid::nil()),
    };

    /// As it goes over the wire.
    pub fn to_wire(self) -> v1::Cursor {
        let id = if self.seq == 0 {
            String::new()
        } else {
            self.id.to_string()
        };
        v1::Cursor { seq: self.seq, id }
    }

    /// As it came over the wire. The id beside seq 0 is not looked at.
    ///
    /// # Errors
    /// [`InvalidId`] where the id is no UUID.
    pub fn from_wire(wire: &v1::Cursor) -> Result<Self, InvalidId> {
        match wire.seq {
            0 => Ok(Self::BEGINNING),
            seq => Ok(Self {
                seq,
                id: wire.id.parse()?,
            }),
        }
    }
}

/// One durable thing that happened in a room.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    room: RoomId,
    id: EntryId,
    author: UserId,
    wire: v1::Entry,
}

impl Entry {
    /// An entry from its parts.
    pub fn new(
        room: RoomId,
        at_place: Cursor,
        author: UserId,
        author_name: impl Into<String>,
        at: Timestamp,
        what: v1::entry::What,
    ) -> Self {
        let wire = v1::Entry {
            room: room.to_string(),
            seq: at_place.seq,
            id: at_place.id.to_string(),
            author: author.to_string(),
            author_name: author_name.into(),
            at_ms: at,
            what: Some(what),
        };
        Self {
            room,
            id: at_place.id,
            author,
            wire,
        }
    }

    /// An entry as a store kept it.
    ///
    /// # Errors
    /// [`InvalidId`] where one of the ids is no UUID.
    pub fn from_wire(wire: v1::Entry) -> Result<Self, InvalidId> {
        Ok(Self {
            room: wire.room.parse()?,
            id: wire.id.parse()?,
            author: wire.author.parse()?,
            wire,
        })
    }

    /// The room in which it happened.
    pub fn room(&self) -> RoomId {
        self.room
    }

    /// Its number in the room, from 1.
    pub fn seq(&self) -> u64 {
        self.wire.seq
    }

    /// Its id.
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// The cursor of a reader whose last entry this is.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            seq: self.wire.seq,
            id: self.id,
        }
    }

    /// Who did it.
    pub fn author(&self) -> UserId {
        self.author
    }

    /// When the server made it. For display only: order is seq.
    pub fn at(&self) -> Timestamp {
        self.wire.at_ms
    }

    /// What happened; `None` for a kind that this build does not know.
    pub fn what(&self) -> Option<&v1::entry::What> {
        self.wire.what.as_ref()
    }

    /// The entry as it goes over the wire.
    pub fn wire(&self) -> &v1::Entry {
        &self.wire
    }

    /// Who may not read the room any more from this entry on.
    pub fn removes(&self) -> Option<UserId> {
        match self.wire.what {
            Some(v1::entry::What::MemberLeft(_)) => Some(self.author),
            _ => None,
        }
    }
}

/// What a [`Roster`](crate::Roster) must know of the handle to an entry that it hands around.
pub trait Sequenced: Clone {
    /// The entry's room.
    fn room(&self) -> RoomId;
    /// The entry's place in it.
    fn cursor(&self) -> Cursor;
    /// Who may not read the room any more from this entry on.
    fn removes(&self) -> Option<UserId>;
}

impl Sequenced for Arc<Entry> {
    fn room(&self) -> RoomId {
        Entry::room(self)
    }

    fn cursor(&self) -> Cursor {
        Entry::cursor(self)
    }

    fn removes(&self) -> Option<UserId> {
        Entry::removes(self)
    }
}

/// What a store knows of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomFacts {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// Its newest entry.
    pub top: Cursor,
    /// How many members it has.
    pub member_count: u32,
}

impl RoomFacts {
    /// The room as somebody sees it who is or isn't one of its members.
    pub fn to_wire(&self, member: bool) -> v1::Room {
        v1::Room {
            id: self.id.to_string(),
            name: self.name.clone(),
            top: Some(self.top.to_wire()),
            member_count: self.member_count,
            member,
        }
    }
}
