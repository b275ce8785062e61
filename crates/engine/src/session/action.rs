//! What a session wants done about a command.

use suda_protocol::v1;

use crate::{Cursor, DeviceId, Draft, RoomRef};

/// What the shell does next about a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Send this.
    Reply(v1::Reply),
    /// Find out whose token it is, then call [`Session::authenticated`](crate::Session::authenticated) or
    /// [`Session::refused`](crate::Session::refused).
    Authenticate {
        /// The command to answer.
        command_id: u64,
        /// What the client sent; empty where it relies on the upgrade request.
        token: String,
        /// The device, if the client named one.
        device: Option<DeviceId>,
        /// The client program and version, for logs; cut to the protocol's limit.
        client: String,
    },
    /// Hand it to the journal.
    Submit(Draft),
    /// Hand it to the roster's `open`.
    Open {
        /// The command to answer.
        command_id: u64,
        /// Which room.
        room: RoomRef,
        /// How far the reader is; `None` for "from the newest entry on".
        cursor: Option<Cursor>,
    },
    /// Hand it to the roster's `close`.
    Close {
        /// The command to answer.
        command_id: u64,
        /// Which room.
        room: RoomRef,
    },
    /// Ask the store, then shape its answer with [`reading`](crate::reading).
    Query {
        /// The command to answer.
        command_id: u64,
        /// What to ask.
        query: Query,
    },
}

/// A question that changes nothing. Counts are within the limits already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Entries after a cursor, oldest first.
    Log {
        /// Which room.
        room: RoomRef,
        /// After this one.
        after: Cursor,
        /// How many at most.
        count: usize,
    },
    /// Messages as they now are, newest first.
    Messages {
        /// Which room.
        room: RoomRef,
        /// Only those before this seq; `None` for the newest.
        before_seq: Option<u64>,
        /// How many at most.
        count: usize,
    },
    /// Rooms by name.
    ListRooms {
        /// Only those that the asker is a member of.
        mine: bool,
        /// Only those whose name comes after this one; empty for the first page.
        after_name: String,
        /// How many at most.
        count: usize,
    },
}
