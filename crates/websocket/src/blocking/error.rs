//! How the blocking driver fails.

use std::io;

use crate::{
    CloseError, SendError, Violation,
    handshake::{AnswerError, HandshakeError, Refusal},
};

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
    /// The stream failed, or missed its own timeout.
    #[error(transparent)]
    Io(#[from] io::Error),
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

/// Why a stream did not become a WebSocket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The server refused the request, which was told so.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The server's answer opens no WebSocket.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The request cannot be built.
    #[error(transparent)]
    Request(#[from] HandshakeError),
    /// The client closed before its request was complete.
    #[error("the client closed before its request was complete")]
    Closed,
    /// The stream failed, or missed its own timeout.
    #[error(transparent)]
    Io(#[from] io::Error),
}
