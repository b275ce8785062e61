//! Why bytes could not be read as a command or a message, in words that help the person who typed them.

use crate::limits::COMMAND_BYTES_MAX;
use crate::v1::{self, ErrorCode};

/// Why bytes could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than a command may have; they were not looked at.
    #[error("The command has {bytes} bytes; {COMMAND_BYTES_MAX} are allowed.")]
    TooLarge {
        /// How many came.
        bytes: usize,
    },
    /// Not the JSON mapping of the schema.
    #[error("The JSON could not be read: {message}.")]
    Json {
        /// What is wrong, with the line and the column.
        message: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1; 0 at the beginning of a line.
        column: usize,
        /// The command's id where that much could be read, else 0.
        id: u64,
    },
    /// Not the Protobuf encoding of the schema.
    #[error("The bytes are no Protobuf message of this protocol: {message}.")]
    Proto {
        /// What is wrong.
        message: String,
    },
    /// A text message where the subprotocol has binary ones, or the other way round.
    #[error("This connection speaks {subprotocol}, which takes {kind} messages only.")]
    WrongKind {
        /// The connection's subprotocol.
        subprotocol: &'static str,
        /// The kind of message that it takes.
        kind: &'static str,
    },
    /// The command has no id, or 0.
    #[error("The command has no id. Give each a new number, from 1.")]
    NoId,
    /// The command has an id, but no request that this version knows.
    #[error("The command has no request, or one that this server does not know.")]
    NoRequest {
        /// The command's id.
        id: u64,
    },
}

impl DecodeError {
    /// The id that the reply carries: the command's where it could be read, else 0.
    pub fn command_id(&self) -> u64 {
        match self {
            DecodeError::Json { id, .. } | DecodeError::NoRequest { id } => *id,
            DecodeError::TooLarge { .. }
            | DecodeError::Proto { .. }
            | DecodeError::WrongKind { .. }
            | DecodeError::NoId => 0,
        }
    }

    /// The code of the reply.
    pub fn code(&self) -> ErrorCode {
        match self {
            DecodeError::NoRequest { .. } => ErrorCode::UnknownCommand,
            _ => ErrorCode::Malformed,
        }
    }
}

impl From<&DecodeError> for v1::Error {
    fn from(error: &DecodeError) -> v1::Error {
        v1::Error::of(error.code()).with_message(error.to_string())
    }
}
