//! Close codes, close frames and how a connection ended (RFC 6455, section 7.4).

use std::fmt;

use crate::SendError;

/// Longest reason in a close frame, in bytes: a control frame's 125 less the two of the code.
pub const CLOSE_REASON_BYTES_MAX: usize = 123;

/// A close code. Any number can be held; [`CloseCode::is_sendable`] tells which may stand in a frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The purpose is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// The server stops or the page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// The peer sent a kind of data that this side does not take.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// Never in a frame: the close frame had no code.
    pub const NO_STATUS_RECEIVED: Self = Self(1005);
    /// Never in a frame: the stream ended without a close frame.
    pub const ABNORMAL_CLOSURE: Self = Self(1006);
    /// A text message that is not UTF-8, or another payload that is not what it claims to be.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// Against a policy for which there is no better code.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// Longer than this side reads.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// The client misses an extension that the server did not grant.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// This side has met something unexpected.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// The service restarts: come back, spread over a while.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// The service is overloaded: come back later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// A gateway got no valid answer from behind it.
    pub const BAD_GATEWAY: Self = Self(1014);
    /// Never in a frame: the TLS handshake failed.
    pub const TLS_HANDSHAKE: Self = Self(1015);

    /// Whether the code may stand in a close frame: the registered ones, libraries' 3000–3999 and applications' 4000–4999.
    pub const fn is_sendable(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }

    /// The payload of a close frame (section 5.5.1): the code, then the reason. That of [`CloseCode::NO_STATUS_RECEIVED`] is
    /// empty and has no place for a reason, which is left out.
    ///
    /// ```
    /// use suda_websocket::{CloseCode, SendError};
    /// assert_eq!(CloseCode::NORMAL.payload("bye"), Ok(b"\x03\xe8bye".to_vec()));
    /// assert_eq!(CloseCode::NO_STATUS_RECEIVED.payload(""), Ok(Vec::new()));
    /// assert_eq!(CloseCode(1006).payload(""), Err(SendError::BadCloseCode));
    /// ```
    ///
    /// # Errors
    /// [`SendError::BadCloseCode`] for a code that must not be sent, [`SendError::ReasonTooLong`] above
    /// [`CLOSE_REASON_BYTES_MAX`].
    pub fn payload(self, reason: &str) -> Result<Vec<u8>, SendError> {
        if !self.is_sendable() && self != Self::NO_STATUS_RECEIVED {
            return Err(SendError::BadCloseCode);
        }
        if reason.len() > CLOSE_REASON_BYTES_MAX {
            return Err(SendError::ReasonTooLong);
        }
        if self == Self::NO_STATUS_RECEIVED {
            return Ok(Vec::new());
        }
        Ok([&self.0.to_be_bytes(), reason.as_bytes()].concat())
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How the peer ended the connection. Closing is a value, not a failure: match on the code.
///
/// [`CloseCode::NO_STATUS_RECEIVED`] stands for a close frame without a code, [`CloseCode::ABNORMAL_CLOSURE`]
/// for a stream that ended without a close frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("closed by the peer: {code}{}{reason}", if reason.is_empty() { "" } else { " " })]
pub struct CloseError {
    /// The peer's code.
    pub code: CloseCode,
    /// The peer's reason, at most [`CLOSE_REASON_BYTES_MAX`] bytes.
    pub reason: Box<str>,
}

impl CloseError {
    pub(crate) fn abnormal() -> Self {
        Self {
            code: CloseCode::ABNORMAL_CLOSURE,
            reason: Box::default(),
        }
    }

    /// Whether the peer sent a close frame at all.
    pub fn is_clean(&self) -> bool {
        self.code != CloseCode::ABNORMAL_CLOSURE
    }
}

#[cfg(test)]
mod tests {
    use super::{CloseCode, CloseError};

    #[test]
    fn the_names_have_their_registered_numbers() {
        for (code, number, is_sendable) in [
            (CloseCode::NORMAL, 1000, true),
            (CloseCode::GOING_AWAY, 1001, true),
            (CloseCode::PROTOCOL_ERROR, 1002, true),
            (CloseCode::UNSUPPORTED_DATA, 1003, true),
            (CloseCode::NO_STATUS_RECEIVED, 1005, false),
            (CloseCode::ABNORMAL_CLOSURE, 1006, false),
            (CloseCode::INVALID_PAYLOAD, 1007, true),
            (CloseCode::POLICY_VIOLATION, 1008, true),
            (CloseCode::MESSAGE_TOO_BIG, 1009, true),
            (CloseCode::MANDATORY_EXTENSION, 1010, true),
            (CloseCode::INTERNAL_ERROR, 1011, true),
            (CloseCode::SERVICE_RESTART, 1012, true),
            (CloseCode::TRY_AGAIN_LATER, 1013, true),
            (CloseCode::BAD_GATEWAY, 1014, true),
            (CloseCode::TLS_HANDSHAKE, 1015, false),
        ] {
            assert_eq!(u16::from(code), number);
            assert_eq!(code.is_sendable(), is_sendable, "{code}");
        }
    }

    #[test]
    fn a_close_tells_its_code_and_its_reason() {
        let close = |reason: &str| CloseError {
            code: CloseCode::GOING_AWAY,
            reason: reason.into(),
        };
        assert_eq!(close("").to_string(), "closed by the peer: 1001");
        assert_eq!(close("bye").to_string(), "closed by the peer: 1001 bye");
    }

    #[test]
    fn only_registered_and_private_codes_are_sendable() {
        for code in [
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999,
            4000, 4999,
        ] {
            assert!(CloseCode(code).is_sendable(), "{code}");
        }
        for code in [
            0,
            999,
            1004,
            1005,
            1006,
            1015,
            1016,
            1100,
            2000,
            2999,
            5000,
            u16::MAX,
        ] {
            assert!(!CloseCode(code).is_sendable(), "{code}");
        }
    }
}
