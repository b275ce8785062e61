//! Why a command is not carried out.

use suda_protocol::v1::{self, ErrorCode};

/// A refusal: the code, when to try again, and which bound it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The row of the protocol's error table.
    pub code: ErrorCode,
    /// How long to wait before the same command can succeed, in milliseconds; 0 where that isn't known.
    pub retry_after_ms: u32,
    /// The bound that the command is beyond, as [`v1::Error::limit`] has it; 0 where there is none.
    pub limit: u32,
}

impl Refusal {
    /// A refusal that says nothing about when to try again.
    pub const fn new(code: ErrorCode) -> Self {
        Self {
            code,
            retry_after_ms: 0,
            limit: 0,
        }
    }

    /// The same with the bound that the command is beyond.
    pub const fn with_limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// The error as it goes over the wire.
    pub fn error(self) -> v1::Error {
        v1::Error::of(self.code)
            .with_retry_after_ms(self.retry_after_ms)
            .with_limit(self.limit)
    }

    /// The reply that carries this refusal to the command with this id.
    pub fn reply(self, command_id: u64) -> v1::Reply {
        reply(command_id, v1::reply::Result::Error(self.error()))
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

/// The reply to the command with this id.
pub(crate) fn reply(command_id: u64, result: v1::reply::Result) -> v1::Reply {
    v1::Reply {
        id: command_id,
        result: Some(result),
    }
}
