//! What a [`Machine`](crate::Machine) tells its owner.

use suda_protocol::{CloseCode, v1};
use uuid::Uuid;

use crate::Timestamp;

/// Something that the owner should know.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The connection is a session: rooms are being opened again and pending commands sent.
    Online {
        /// Who is signed in.
        user: v1::User,
    },
    /// There is no connection; another attempt follows by itself.
    Offline {
        /// When.
        retry_at: Timestamp,
        /// Why there is none.
        reason: OfflineReason,
    },
    /// The token is not valid, or no longer. No further attempt is made.
    SignedOut {
        /// What the server said.
        error: v1::Error,
    },
    /// The server ended the connection in a way that means "don't come back". No further attempt is made.
    Stopped {
        /// The close code.
        close_code: u16,
        /// What it means.
        message: String,
    },
    /// A room's stream is open.
    Opened {
        /// The room as it was asked for: an id or a name.
        asked: String,
        /// The room.
        room: v1::Room,
        /// Entries after this one follow. After the first opening and after a [`Event::Reset`] it is where the stream
        /// starts; otherwise it is where the stream stood before.
        after: v1::Cursor,
    },
    /// A room's stream can't be opened; it is not tried again.
    OpenRefused {
        /// The room as it was asked for.
        asked: String,
        /// Why.
        error: v1::Error,
    },
    /// The next entry of a room: each exactly once, in the order of seq, without a hole.
    Entry(v1::Entry),
    /// What was delivered of this room belongs to another past of the server (a restored backup, say): forget it. What
    /// follows starts anew.
    Reset {
        /// The room's id.
        room: String,
    },
    /// The user is no member of the room any more; its stream has ended.
    Removed {
        /// The room's id.
        room: String,
    },
    /// A mutating command took effect; it is on the server's disk. Exactly one `Accepted` or `Refused` comes for each
    /// client id.
    Accepted {
        /// The command's client id.
        client_id: Uuid,
        /// What came of it.
        outcome: Outcome,
    },
    /// A mutating command was refused for good.
    Refused {
        /// The command's client id.
        client_id: Uuid,
        /// Why.
        error: v1::Error,
    },
    /// A mutating command could not be taken yet; it is sent again by itself.
    Delayed {
        /// The command's client id.
        client_id: Uuid,
        /// Why.
        error: v1::Error,
        /// When it is sent again.
        retry_at: Timestamp,
    },
    /// The answer to a question.
    Answer {
        /// The question.
        request: RequestId,
        /// The answer, or why there is none.
        result: Result<Answer, v1::Error>,
    },
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq)]
pub enum OfflineReason {
    /// None could be made.
    Unreachable {
        /// What was in the way, for a person; empty where nobody knows.
        message: String,
    },
    /// It closed, or was lost, with this close code if there was one.
    Lost {
        /// The code, RFC 6455 section 7.4.
        close_code: Option<u16>,
    },
    /// The server announced that it stops.
    GoingAway,
    /// Nothing was heard for too long, or a command was not answered.
    Silent,
    /// The server could not take a session just now.
    Refused {
        /// Why.
        error: v1::Error,
    },
}

impl std::fmt::Display for OfflineReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OfflineReason::Unreachable { message } if message.is_empty() => {
                f.write_str("the server can't be reached")
            }
            OfflineReason::Unreachable { message } => f.write_str(message),
            OfflineReason::Lost {
                close_code: Some(code),
            } => match CloseCode::from_number(*code) {
                Some(code) => f.write_str(code.message()),
                None => write!(f, "the connection was lost (code {code})"),
            },
            OfflineReason::Lost { close_code: None } => f.write_str("the connection was lost"),
            OfflineReason::GoingAway => f.write_str(CloseCode::GoingAway.message()),
            OfflineReason::Silent => f.write_str("the server went silent"),
            OfflineReason::Refused { error } => f.write_str(&error.message),
        }
    }
}

/// What came of a mutating command.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The room exists.
    RoomCreated(v1::RoomCreation),
    /// The author is a member.
    Joined(v1::Joined),
    /// The author is no member.
    Left(v1::Left),
    /// The message is an entry.
    Posted(v1::Posted),
}

/// A question's number, unique within a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A page of rooms.
    Rooms(v1::RoomList),
    /// A page of messages.
    Messages(v1::MessagePage),
    /// A page of a room's log.
    Log(v1::LogPage),
}
