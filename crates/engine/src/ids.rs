//! The names of things: UUIDs told apart by type, the ways to point at a room, and time.

use std::fmt;
use std::str::FromStr;

use suda_protocol::names;
use uuid::Uuid;

/// A moment in milliseconds since 1970 UTC. Always an argument; never read from a clock here.
pub type Timestamp = i64;

/// The text is not a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

id!(
    /// A person's account.
    UserId
);
id!(
    /// A room.
    RoomId
);
id!(
    /// An entry. With its seq it makes a [`Cursor`](crate::Cursor).
    EntryId
);
id!(
    /// What a client made before its first attempt at a mutating command. Unique per author, for ever; never shown to others.
    ClientId
);
id!(
    /// A device, as its client named itself.
    DeviceId
);
id!(
    /// One signed-in device on one connection; for logs.
    SessionId
);

/// How a command points at a room: by its id or by its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoomRef {
    /// The room with this id.
    Id(RoomId),
    /// The room whose name has this key ([`suda_protocol::names::key`]).
    Name(String),
}

impl RoomRef {
    /// Reads a room as it stands in a command. `None` for what can be neither an id nor a name, so that no such room can exist.
    pub fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(id) => Some(Self::Id(id)),
            Err(InvalidId) => names::room_name(text).ok().map(|name| Self::named(&name)),
        }
    }

    /// The room with this (normalised) name.
    pub fn named(name: &str) -> Self {
        Self::Name(names::key(name))
    }
}

impl From<RoomId> for RoomRef {
    fn from(id: RoomId) -> Self {
        Self::Id(id)
    }
}
