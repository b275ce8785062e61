//! How reading and writing on a [`Conn`](super::Conn) fail.

use std::io;

use crate::{CloseCode, CloseError, SendError, Violation};

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
    /// The read or write deadline passed. Nothing was lost or queued: the call may be repeated with another deadline. Only
    /// [`MessageWriter::finish`](crate::MessageWriter::finish) may not, since it takes the writer.
    #[error("the deadline passed")]
    TimedOut,
    /// Nothing came from the peer for [`Heartbeat::timeout`](crate::Heartbeat::timeout): the connection was given up.
    #[error("the peer was silent for too long")]
    PeerSilent,
    /// A message that is not the JSON value which was asked for, or a value that JSON cannot express. The connection goes on.
    #[cfg(feature = "json")]
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// The peer's close, if that is what happened.
    pub fn as_close(&self) -> Option<&CloseError> {
        match self {
            Self::Closed(close) => Some(close),
            _ => None,
        }
    }

    /// Whether the peer closed with one of `codes`.
    ///
    /// ```
    /// # use suda_websocket::{CloseCode, CloseError, Error};
    /// let left = Error::Closed(CloseError { code: CloseCode::GOING_AWAY, reason: "".into() });
    /// assert!(left.is_close(&[CloseCode::NORMAL, CloseCode::GOING_AWAY]));
    /// assert!(!Error::TimedOut.is_close(&[CloseCode::NORMAL]));
    /// ```
    pub fn is_close(&self, codes: &[CloseCode]) -> bool {
        self.as_close()
            .is_some_and(|close| codes.contains(&close.code))
    }

    /// Whether the peer closed with another code than those `expected`. What is no close at all is not unexpected either.
    ///
    /// ```
    /// # use suda_websocket::{CloseCode, CloseError, Error};
    /// let lost = Error::Closed(CloseError { code: CloseCode::ABNORMAL_CLOSURE, reason: "".into() });
    /// assert!(lost.is_unexpected_close(&[CloseCode::NORMAL, CloseCode::GOING_AWAY]));
    /// assert!(!lost.is_unexpected_close(&[CloseCode::ABNORMAL_CLOSURE]));
    /// assert!(!Error::TimedOut.is_unexpected_close(&[CloseCode::NORMAL]));
    /// ```
    pub fn is_unexpected_close(&self, expected: &[CloseCode]) -> bool {
        self.as_close()
            .is_some_and(|close| !expected.contains(&close.code))
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Io(error) => return error,
            Error::Closed(_) => io::ErrorKind::ConnectionAborted,
            Error::Protocol(_) | Error::Send(SendError::InvalidUtf8) => io::ErrorKind::InvalidData,
            Error::Send(_) => io::ErrorKind::BrokenPipe,
            Error::TimedOut | Error::PeerSilent => io::ErrorKind::TimedOut,
            #[cfg(feature = "json")]
            Error::Json(_) => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

/// An [`io::Error`] that can be told again and again.
#[derive(Debug, Clone)]
pub(super) enum IoFailure {
    /// The operating system's number, which costs nothing to keep.
    Os(i32),
    Other {
        kind: io::ErrorKind,
        text: String,
    },
}

impl IoFailure {
    fn to_error(&self) -> io::Error {
        match self {
            Self::Os(code) => io::Error::from_raw_os_error(*code),
            Self::Other { kind, text } => io::Error::new(*kind, text.clone()),
        }
    }
}

impl std::fmt::Display for IoFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_error().fmt(f)
    }
}

impl From<io::Error> for IoFailure {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(code) => Self::Os(code),
            None => Self::Other {
                kind: error.kind(),
                text: error.to_string(),
            },
        }
    }
}

impl From<&IoFailure> for Error {
    fn from(failure: &IoFailure) -> Self {
        Self::Io(failure.to_error())
    }
}

/// How reading ended; every later call tells the same.
#[derive(Debug, Clone)]
pub(super) enum End {
    Closed(CloseError),
    Failed(Violation),
    Io(IoFailure),
    Silent,
}

impl From<&End> for Error {
    fn from(end: &End) -> Self {
        match end {
            End::Closed(close) => Self::Closed(close.clone()),
            End::Failed(violation) => Self::Protocol(*violation),
            End::Io(failure) => failure.into(),
            End::Silent => Self::PeerSilent,
        }
    }
}
