//! Why a command was not even taken.

use suda_protocol::{ErrorCode, v1};
use uuid::Uuid;

use crate::machine::{PENDING_BYTES_MAX, PENDING_COMMANDS_MAX, QUESTIONS_MAX};

/// Why a command was not taken. Nothing was sent and nothing is kept of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Too much waits already.
    #[error(
        "{commands} commands with {bytes} bytes wait to be sent; {PENDING_COMMANDS_MAX} with {PENDING_BYTES_MAX} bytes may."
    )]
    OutboxFull {
        /// How many wait.
        commands: usize,
        /// Their bytes.
        bytes: usize,
    },
    /// Too many questions wait already.
    #[error("{QUESTIONS_MAX} questions wait for an answer; no more may.")]
    TooManyQuestions,
    /// A command with that client id waits already.
    #[error("A command with the client id {client_id} waits already.")]
    AlreadyPending {
        /// The client id.
        client_id: Uuid,
    },
    /// The message has more bytes than the server takes.
    #[error("The message has {bytes} bytes; {bytes_max} are allowed.")]
    TextTooLong {
        /// How many it has.
        bytes: usize,
        /// How many it may have.
        bytes_max: usize,
    },
    /// The message has so many characters that JSON must escape that its command would be larger than the server reads.
    #[error("The command would have {bytes} bytes; {bytes_max} are allowed.")]
    CommandTooLarge {
        /// How many it would have.
        bytes: usize,
        /// How many it may have.
        bytes_max: usize,
    },
    /// The message is empty.
    #[error("The message is empty.")]
    EmptyText,
    /// The room's id or name is empty or longer than any.
    #[error("That is no id or name of a room.")]
    InvalidRoom,
    /// As many rooms are open as may be.
    #[error("{rooms_max} rooms are open; no more may be.")]
    TooManyOpenRooms {
        /// How many may be.
        rooms_max: usize,
    },
    /// The session is over: signed out, or told not to come back.
    #[error("The session is over. Sign in again.")]
    Ended,
}

impl From<CommandError> for v1::Error {
    fn from(error: CommandError) -> v1::Error {
        let code = match error {
            CommandError::OutboxFull { .. } | CommandError::TooManyQuestions => ErrorCode::Busy,
            CommandError::AlreadyPending { .. } => ErrorCode::ClientIdReused,
            CommandError::TextTooLong { .. } | CommandError::CommandTooLarge { .. } => {
                ErrorCode::TextTooLong
            }
            CommandError::EmptyText => ErrorCode::EmptyText,
            CommandError::InvalidRoom => ErrorCode::UnknownRoom,
            CommandError::TooManyOpenRooms { .. } => ErrorCode::TooManyOpenRooms,
            CommandError::Ended => ErrorCode::Unauthenticated,
        };
        let limit = match error {
            CommandError::TextTooLong { bytes_max, .. } => bytes_max,
            CommandError::TooManyOpenRooms { rooms_max } => rooms_max,
            _ => 0,
        };
        v1::Error::of(code)
            .with_limit(u32::try_from(limit).unwrap_or(u32::MAX))
            .with_message(error.to_string())
    }
}
