//! How reading and writing on a [`Conn`](super::Conn) fail.

use std::io;

use crate::{CloseError, SendError, Violation};

/// Why a call on a connection did not do what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The peer closed the connection, or the stream ended without a close frame (code 1006).
    #[error(transparent)]
    Closed(#[from] CloseError),
    /// The peer broke the protocol; it was told so with a close frame.
    #[error("the peer broke the protocol: {0}")]
    Protocol(#[from] Violation),
    /// Nothing was queued.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The stream failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Error {
    /// The peer's close, if that is what happened.
    pub fn as_close(&self) -> Option<&CloseError> {
        match self {
            Self::Closed(close) => Some(close),
            _ => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Io(error) => return error,
            Error::Closed(_) => io::ErrorKind::ConnectionAborted,
            Error::Protocol(_) | Error::Send(SendError::InvalidUtf8) => io::ErrorKind::InvalidData,
            Error::Send(_) => io::ErrorKind::BrokenPipe,
        };
        Self::new(kind, error)
    }
}

/// An [`io::Error`] that can be told again and again.
#[derive(Debug, Clone)]
pub(super) struct IoFailure {
    kind: io::ErrorKind,
    text: String,
}

impl From<io::Error> for IoFailure {
    fn from(error: io::Error) -> Self {
        Self {
            kind: error.kind(),
            text: error.to_string(),
        }
    }
}

impl From<&IoFailure> for Error {
    fn from(failure: &IoFailure) -> Self {
        Self::Io(io::Error::new(failure.kind, failure.text.clone()))
    }
}

/// How reading ended; every later call tells the same.
#[derive(Debug, Clone)]
pub(super) enum End {
    Closed(CloseError),
    Failed(Violation),
    Io(IoFailure),
}

impl From<&End> for Error {
    fn from(end: &End) -> Self {
        match end {
            End::Closed(close) => Self::Closed(close.clone()),
            End::Failed(violation) => Self::Protocol(*violation),
            End::Io(failure) => failure.into(),
        }
    }
}
