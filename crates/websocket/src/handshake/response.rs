//! Reading an HTTP/1.1 answer as far as it matters: the head of one that opens a tunnel, the head and the beginning of the
//! body of one that refuses. Servers answer a handshake so, and HTTP proxies a CONNECT.

use bytes::{Bytes, BytesMut};
use http::{Response, StatusCode};

use super::answer::AnswerFault;
use super::body::BodyStart;
use super::head::HeadBuffer;
use super::limits::{HeadLimits, INFORMATIONAL_RESPONSES_MAX};

/// Takes an answer in pieces of any size, within the limits of heads, lines and bodies.
#[derive(Debug)]
pub(crate) struct ResponseReader {
    is_success: fn(StatusCode) -> bool,
    limits: HeadLimits,
    state: State,
    informational_seen: usize,
}

#[derive(Debug)]
enum State {
    Head(HeadBuffer),
    /// The answer is a refusal; its body is being collected.
    Body(Response<()>, BodyStart),
}

/// Where reading an answer stands.
#[derive(Debug)]
pub(crate) enum Received {
    Pending,
    /// The head of a success, and the bytes after it, which belong to the tunnel.
    Success(Response<()>, BytesMut),
    Refusal(Response<Bytes>),
}

impl ResponseReader {
    /// `is_success` says which status opens the tunnel; the body of such an answer is none.
    pub(crate) fn new(limits: HeadLimits, is_success: fn(StatusCode) -> bool) -> Self {
        Self {
            is_success,
            limits,
            state: State::Head(HeadBuffer::new(limits)),
            informational_seen: 0,
        }
    }

    pub(crate) fn receive(&mut self, piece: &[u8]) -> Result<Received, AnswerFault> {
        let mut owned: BytesMut;
        let mut piece = piece;
        loop {
            match &mut self.state {
                State::Head(buffer) => {
                    let Some(head) = buffer.receive(piece)? else {
                        return Ok(Received::Pending);
                    };
                    let response = head.parse_response()?;
                    let rest = buffer.take_rest();
                    if (self.is_success)(response.status()) {
                        return Ok(Received::Success(response, rest));
                    }
                    self.state = if response.status().is_informational() {
                        self.informational_seen += 1;
                        if self.informational_seen > INFORMATIONAL_RESPONSES_MAX {
                            return Err(AnswerFault::TooManyInformational);
                        }
                        State::Head(HeadBuffer::new(self.limits))
                    } else {
                        let body = BodyStart::new(&response);
                        State::Body(response, body)
                    };
                    owned = rest;
                    piece = &owned;
                }
                State::Body(response, body) => {
                    if !body.receive(piece) {
                        return Ok(Received::Pending);
                    }
                    let refusal = std::mem::take(response).map(|()| body.content());
                    return Ok(Received::Refusal(refusal));
                }
            }
        }
    }

    /// The stream has ended: the refusal as far as it came, if it is one.
    pub(crate) fn handle_end(self) -> Option<Response<Bytes>> {
        match self.state {
            State::Head(_) => None,
            State::Body(response, body) => Some(response.map(|()| body.content())),
        }
    }

    /// Whether the answer is a refusal and only the rest of its body is missing.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.state, State::Body(..))
    }
}
