//! The client's side: the request, and what becomes of the answer (RFC 6455, section 4.1).

use std::fmt;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName};
use http::{Response, StatusCode};

use super::answer::{AnswerError, AnswerFault, Expected, check_offer};
use super::compression;
use super::key::{accept_key, new_key};
use super::limits::HeadLimits;
use super::policy::belongs_to_handshake;
use super::refusal::encode_headers;
use super::response::{Received, ResponseReader};
use super::target::Target;
use crate::Compression;

/// What a client asks for.
#[derive(Clone)]
pub struct ClientOptions {
    /// Subprotocols to offer, the dearest first. Tokens, each once.
    pub subprotocols: Vec<String>,
    /// Headers to add to the request: `Authorization`, `Cookie`, `Origin`, … None that belongs to the handshake itself.
    pub headers: HeaderMap,
    /// Compression to offer; none by default.
    pub compression: Option<Compression>,
    /// Bounds of the answer's head; [`HeadLimits::RESPONSE`] by default.
    pub limits: HeadLimits,
}

/// The headers' names only: their values may be credentials.
impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("subprotocols", &self.subprotocols)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("compression", &self.compression)
            .field("limits", &self.limits)
            .finish()
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            subprotocols: Vec::new(),
            headers: HeaderMap::new(),
            compression: None,
            limits: HeadLimits::RESPONSE,
        }
    }
}

impl ClientOptions {
    pub(super) fn check(&self) -> Result<(), HandshakeError> {
        let owned = |name: &&HeaderName| **name == header::HOST || belongs_to_handshake(name);
        if let Some(name) = self.headers.keys().find(owned) {
            return Err(HandshakeError::Header(name.clone()));
        }
        check_offer(&self.subprotocols)
    }
}

/// Why a request cannot be built.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// This header belongs to the handshake itself.
    #[error("the header {0} belongs to the handshake and cannot be set")]
    Header(HeaderName),
    /// This subprotocol is no token, or is offered twice.
    #[error("the subprotocol {0:?} is not a token, or stands twice")]
    Subprotocol(String),
    /// The URL cannot be written as the target of an HTTP/2 request.
    #[error("the URL cannot be asked for over HTTP/2")]
    Target,
    /// The operating system gave no random bytes for the key.
    #[error("no random bytes for the key: {0}")]
    Random(getrandom::Error),
}

/// Where a client's handshake stands.
#[derive(Debug)]
pub enum Answered {
    /// The answer is not complete. Read on.
    Pending,
    /// The WebSocket is open.
    Accept(Box<Answer>),
    /// It is not going to open. Close.
    Fail(AnswerError),
}

/// A verified answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// Status and headers.
    pub response: Response<()>,
    /// The subprotocol that the server chose; one of those offered.
    pub subprotocol: Option<String>,
    /// The compression that the server agreed to; only if it was offered.
    pub compression: Option<Compression>,
    /// Bytes that came after the answer: the beginning of the first frame.
    pub leftover: BytesMut,
}

/// The client's handshake over bytes: send [`request`](Self::request), then feed [`receive`](Self::receive) until it says
/// something else than [`Answered::Pending`]; when the stream ends before that, ask [`handle_end`](Self::handle_end).
pub struct ClientHandshake {
    request: Bytes,
    expected: Expected,
    answer: ResponseReader,
}

/// Without the request, which may hold credentials.
impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake").finish_non_exhaustive()
    }
}

impl ClientHandshake {
    /// Builds the request with a fresh random key.
    pub fn new(target: &Target, options: &ClientOptions) -> Result<Self, HandshakeError> {
        options.check()?;
        let key = new_key().map_err(HandshakeError::Random)?;
        let expected = Expected {
            accept: accept_key(&key),
            subprotocols: options.subprotocols.clone(),
            compression: options.compression,
        };
        let request = encode_request(target, &key, options);
        Ok(Self {
            request,
            expected,
            answer: ResponseReader::new(options.limits, |status| {
                status == StatusCode::SWITCHING_PROTOCOLS
            }),
        })
    }

    /// Bytes to send first.
    pub fn request(&self) -> &Bytes {
        &self.request
    }

    /// Takes the next bytes from the server, in pieces of any size. Never fails in itself: what is wrong comes as
    /// [`Answered::Fail`], after which there is nothing more to feed.
    pub fn receive(&mut self, piece: &[u8]) -> Answered {
        match self.answer.receive(piece) {
            Ok(Received::Pending) => Answered::Pending,
            Ok(Received::Success(response, rest)) => self.switching(response, rest),
            Ok(Received::Refusal(response)) => {
                Answered::Fail(AnswerError::new(AnswerFault::Refused, Some(response)))
            }
            Err(fault) => Answered::Fail(AnswerError::new(fault, None)),
        }
    }

    /// The stream has ended, or nobody wants to wait any longer: what is known is the answer.
    pub fn handle_end(self) -> AnswerError {
        match self.answer.handle_end() {
            Some(refusal) => AnswerError::new(AnswerFault::Refused, Some(refusal)),
            None => AnswerError::new(AnswerFault::Truncated, None),
        }
    }

    /// Whether the server has refused and only the rest of its reasons is missing.
    pub fn is_refused(&self) -> bool {
        self.answer.is_refused()
    }

    fn switching(&self, response: Response<()>, leftover: BytesMut) -> Answered {
        match self.expected.verify(&response) {
            Ok((subprotocol, compression)) => Answered::Accept(Box::new(Answer {
                response,
                subprotocol,
                compression,
                leftover,
            })),
            Err(fault) => Answered::Fail(AnswerError::new(
                fault,
                Some(response.map(|()| Bytes::new())),
            )),
        }
    }
}

fn encode_request(target: &Target, key: &str, options: &ClientOptions) -> Bytes {
    let mut bytes = BytesMut::with_capacity(512);
    let mut line = |parts: &[&str]| {
        parts
            .iter()
            .for_each(|part| bytes.extend_from_slice(part.as_bytes()))
    };
    line(&["GET ", target.path_and_query(), " HTTP/1.1\r\n"]);
    line(&["Host: ", &target.host_header(), "\r\n"]);
    line(&["Upgrade: websocket\r\n", "Connection: Upgrade\r\n"]);
    line(&[
        "Sec-WebSocket-Key: ",
        key,
        "\r\n",
        "Sec-WebSocket-Version: 13\r\n",
    ]);
    if !options.subprotocols.is_empty() {
        line(&[
            "Sec-WebSocket-Protocol: ",
            &options.subprotocols.join(", "),
            "\r\n",
        ]);
    }
    if let Some(ours) = &options.compression {
        line(&[
            "Sec-WebSocket-Extensions: ",
            &compression::offer(ours),
            "\r\n",
        ]);
    }
    encode_headers(&options.headers, &mut bytes);
    bytes.extend_from_slice(b"\r\n");
    bytes.freeze()
}
