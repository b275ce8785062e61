//! What can go wrong in the core: a peer that breaks the rules, and a call that cannot be obeyed.

use crate::CloseCode;

/// A rule that the peer broke. The connection has answered with one close frame and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A reserved bit is set that no extension gave a meaning (section 5.2).
    #[error("a reserved bit is set")]
    ReservedBits,
    /// An opcode that RFC 6455 does not define (section 5.2).
    #[error("unknown opcode {0:#x}")]
    UnknownOpCode(u8),
    /// A control frame in several pieces (section 5.5).
    #[error("a control frame is fragmented")]
    FragmentedControl,
    /// A control frame of more than 125 bytes (section 5.5).
    #[error("a control frame is longer than 125 bytes")]
    LongControl,
    /// A client's frame without a mask (section 5.1).
    #[error("a frame from the client is not masked")]
    Unmasked,
    /// A server's frame with a mask (section 5.1).
    #[error("a frame from the server is masked")]
    Masked,
    /// A length in more bytes than it needs, or of 2⁶³ and above (section 5.2).
    #[error("a frame's length is not encoded as it must be")]
    BadLength,
    /// A continuation with nothing to continue (section 5.4).
    #[error("a continuation frame without a message to continue")]
    UnexpectedContinuation,
    /// A new message inside an unfinished one (section 5.4).
    #[error("a new message begins before the last one is finished")]
    ExpectedContinuation,
    /// A close payload of one byte, or with a code that must not be sent (section 7.4).
    #[error("an invalid close frame")]
    BadClose,
    /// Text or a close reason that is not UTF-8 (section 8.1).
    #[error("text that is not UTF-8")]
    InvalidUtf8,
    /// A compressed message that cannot be inflated, or ends inside a block (RFC 7692, section 7.2.2).
    #[error("compressed data that cannot be inflated")]
    BadCompression,
    /// A message over [`Config::read_limit`](crate::Config::read_limit).
    #[error("a message is longer than the read limit")]
    TooLong,
    /// A message of more frames than [`Config::fragments_max`](crate::Config::fragments_max) and its content allow.
    #[error("a message has too many fragments")]
    TooManyFragments,
}

impl Violation {
    /// The code of the close frame that answers it.
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::InvalidUtf8 | Self::BadCompression => CloseCode::INVALID_PAYLOAD,
            Self::TooLong | Self::TooManyFragments => CloseCode::MESSAGE_TOO_BIG,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}

/// Why something was not queued for sending. Nothing of it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// A close frame is already queued or sent; nothing may follow it (section 5.5.1).
    #[error("the connection is closing")]
    Closing,
    /// A message that is sent in parts is not finished.
    #[error("a message that is sent in parts is not finished")]
    MessageOpen,
    /// More than 125 bytes for a ping or pong (section 5.5).
    #[error("a control frame takes at most 125 bytes")]
    ControlTooLong,
    /// [`CONTROL_FRAMES_MAX`](crate::CONTROL_FRAMES_MAX) control frames are waiting for the socket.
    #[error("too many control frames are waiting to be sent")]
    ControlQueueFull,
    /// A close code that must not stand in a frame (section 7.4).
    #[error("this close code must not be sent")]
    BadCloseCode,
    /// A close reason of more than 123 bytes.
    #[error("a close reason takes at most 123 bytes")]
    ReasonTooLong,
    /// A text message whose parts are not UTF-8. It cannot be finished any more: close the connection.
    #[error("the parts of a text message are not UTF-8")]
    InvalidUtf8,
    /// [`Config::outbox_bytes_max`](crate::Config::outbox_bytes_max) is reached: the peer reads too slowly.
    #[error("the outbox is full")]
    Full,
}
