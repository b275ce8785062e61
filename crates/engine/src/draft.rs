//! A mutating command on its way to the journal.

use sha2::{Digest as _, Sha256};

use crate::{ClientId, Refusal, RoomRef, UserId};

/// The SHA-256 of what a draft asks for, by which a retry is told from another command under the same client id.
pub type Digest = [u8; 32];

/// A mutating command that waits for the journal's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The command's id on its connection, for the reply.
    pub command_id: u64,
    /// Who asks.
    pub author: UserId,
    /// The author's name, as it will stand in the entry.
    pub author_name: String,
    /// What makes a retry recognisable.
    pub client_id: ClientId,
    /// What is asked.
    pub intent: Intent,
    /// Why the session would refuse it. It travels along instead of being answered at once, because a retry of something that took effect
    /// must get its first answer whatever the session thinks of it now; only the journal knows whether this is one.
    pub objection: Option<Refusal>,
}

/// What a mutating command asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Make a public room.
    CreateRoom {
        /// Its name, in the form that [`suda_protocol::names::room_name`] gives.
        name: String,
    },
    /// Become a member.
    Join {
        /// Of this room.
        room: RoomRef,
    },
    /// Stop being a member.
    Leave {
        /// Of this room.
        room: RoomRef,
    },
    /// Say something.
    Post {
        /// In this room.
        room: RoomRef,
        /// What is said.
        text: String,
        /// The seq of the message that it answers; 0 where it answers none.
        reply_to: u64,
    },
}

impl Intent {
    /// The room that it is about. The one to be made is pointed at by its name.
    pub fn room(&self) -> RoomRef {
        match self {
            Self::CreateRoom { name } => RoomRef::named(name),
            Self::Join { room } | Self::Leave { room } | Self::Post { room, .. } => room.clone(),
        }
    }
}

impl Draft {
    /// The digest of kind and payload. Who asks, and under which ids, is not part of it.
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        // Every variable part goes in behind its length, so that no two payloads can run together into the same bytes.
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        match &self.intent {
            Intent::CreateRoom { name } => {
                part(b"create_room");
                part(name.as_bytes());
            }
            Intent::Join { room } => {
                part(b"join");
                room_parts(room, &mut part);
            }
            Intent::Leave { room } => {
                part(b"leave");
                room_parts(room, &mut part);
            }
            Intent::Post {
                room,
                text,
                reply_to,
            } => {
                part(b"post");
                room_parts(room, &mut part);
                part(text.as_bytes());
                part(&reply_to.to_be_bytes());
            }
        }
        hash.finalize().into()
    }
}

fn room_parts(room: &RoomRef, part: &mut impl FnMut(&[u8])) {
    match room {
        RoomRef::Id(id) => {
            part(b"id");
            part(id.0.as_bytes());
        }
        RoomRef::Name(name) => {
            part(b"name");
            part(name.as_bytes());
        }
    }
}
