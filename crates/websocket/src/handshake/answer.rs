//! Verifying a server's answer (RFC 6455, section 4.1, "the client MUST validate the server's response").

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::{Response, StatusCode, Version};

use super::client::HandshakeError;
use super::compression;
use super::field::{Single, has_token, single};
use super::head::HeadError;
use super::limits::INFORMATIONAL_RESPONSES_MAX;
use crate::Compression;

/// Why an answer doesn't open a WebSocket, with the answer as far as it was understood.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.sentence())]
#[non_exhaustive]
pub struct AnswerError {
    /// What is wrong with the answer.
    pub fault: AnswerFault,
    /// Status and headers, and the first [`REFUSAL_BODY_BYTES_MAX`](super::REFUSAL_BODY_BYTES_MAX) bytes of the body.
    /// `None` if the answer's head could not be understood.
    pub response: Option<Box<Response<Bytes>>>,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerFault {
    /// The status is not 101: the server doesn't want to. Its reasons are in the response.
    #[error("the server refused the WebSocket")]
    Refused,
    /// The bytes are not an HTTP/1.x answer.
    #[error("the server's answer is not HTTP/1.1")]
    Malformed,
    /// The answer's head is longer than [`HeadLimits::bytes_max`](super::HeadLimits::bytes_max).
    #[error("the head of the server's answer is too long")]
    HeadTooLarge,
    /// More header lines than [`HeadLimits::lines_max`](super::HeadLimits::lines_max).
    #[error("the server's answer has too many header lines")]
    TooManyHeaders,
    /// More informational answers than [`INFORMATIONAL_RESPONSES_MAX`].
    #[error("the server sent more than {INFORMATIONAL_RESPONSES_MAX} informational answers")]
    TooManyInformational,
    /// The server closed before its answer's head was complete.
    #[error("the server closed the connection before it had answered")]
    Truncated,
    /// The 101 answer's `Upgrade` is not `websocket`.
    #[error("the Upgrade header of the server's answer does not name websocket")]
    Upgrade,
    /// The 101 answer's `Connection` doesn't name `upgrade`.
    #[error("the Connection header of the server's answer does not name upgrade")]
    Connection,
    /// `Sec-WebSocket-Accept` is missing, stands twice, or doesn't follow from our key.
    #[error("the Sec-WebSocket-Accept header of the server's answer does not match the key")]
    Accept,
    /// The server chose a subprotocol that was not offered, or several.
    #[error("the server chose a subprotocol that was not offered")]
    Subprotocol,
    /// The server chose an extension that was not offered, or `Sec-WebSocket-Extensions` is malformed.
    #[error("the server chose an extension that was not offered")]
    Extension,
    /// The server's parameters for permessage-deflate are invalid, or do not keep to what was offered (RFC 7692, section 7.1).
    #[error("the server's parameters for compression do not keep to what was offered")]
    Compression,
}

impl AnswerError {
    pub(crate) fn new(fault: AnswerFault, response: Option<Response<Bytes>>) -> Self {
        Self {
            fault,
            response: response.map(Box::new),
        }
    }

    fn sentence(&self) -> String {
        match (&self.response, self.fault) {
            (Some(response), AnswerFault::Refused) => {
                format!("{} ({})", self.fault, response.status())
            }
            _ => self.fault.to_string(),
        }
    }
}

impl From<HeadError> for AnswerFault {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::TooManyBytes => Self::HeadTooLarge,
            HeadError::TooManyHeaders => Self::TooManyHeaders,
            HeadError::BareLf | HeadError::Malformed => Self::Malformed,
        }
    }
}

/// What a client expects of the answer.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) accept: String,
    pub(super) subprotocols: Vec<String>,
    pub(super) compression: Option<Compression>,
}

impl Expected {
    /// Checks a head; gives the subprotocol that the server chose, and the compression that it agreed to.
    pub(super) fn verify(
        &self,
        response: &Response<()>,
    ) -> Result<(Option<String>, Option<Compression>), AnswerFault> {
        let headers = response.headers();
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(AnswerFault::Refused);
        }
        if response.version() != Version::HTTP_11 {
            return Err(AnswerFault::Malformed);
        }
        if !has_token(headers, header::UPGRADE, b"websocket") {
            return Err(AnswerFault::Upgrade);
        }
        if !has_token(headers, header::CONNECTION, b"upgrade") {
            return Err(AnswerFault::Connection);
        }
        match single(headers, header::SEC_WEBSOCKET_ACCEPT) {
            Single::One(accept) if accept == self.accept.as_bytes() => {}
            _ => return Err(AnswerFault::Accept),
        }
        self.verify_agreement(headers)
    }

    /// What is the same over every version of HTTP.
    pub(super) fn verify_agreement(
        &self,
        headers: &HeaderMap,
    ) -> Result<(Option<String>, Option<Compression>), AnswerFault> {
        let compression = compression::verify(self.compression.as_ref(), headers)?;
        let subprotocol = match single(headers, header::SEC_WEBSOCKET_PROTOCOL) {
            Single::Absent => None,
            Single::One(name) => {
                let offered = &mut self.subprotocols.iter();
                let chosen = offered.find(|offered| offered.as_bytes() == name);
                Some(chosen.ok_or(AnswerFault::Subprotocol)?.clone())
            }
            Single::Malformed => return Err(AnswerFault::Subprotocol),
        };
        Ok((subprotocol, compression))
    }
}

/// Checks the subprotocols that a client wants to offer: tokens, each once (RFC 6455, section 4.1).
pub(super) fn check_offer(subprotocols: &[String]) -> Result<(), HandshakeError> {
    for (n, name) in subprotocols.iter().enumerate() {
        if !super::field::is_token(name) || subprotocols[..n].contains(name) {
            return Err(HandshakeError::Subprotocol(name.clone()));
        }
    }
    Ok(())
}
