//! The server's side over bytes: from the first of a request to an answer. What it says is `policy`'s.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::request::Parts;

use super::head::HeadBuffer;
use super::key::AcceptValue;
use super::policy::{Policy, Terms};
use super::refusal::{Refusal, encode_refusal};
use super::request::Request;
use crate::Compression;

/// Where a server's handshake stands.
#[derive(Debug)]
pub enum Judged {
    /// The request is not complete. Read on.
    Pending,
    /// Send `response`, then speak WebSocket.
    Accept(Box<Accept>),
    /// Send `response`, then close.
    Reject(Reject),
}

/// An accepted handshake.
#[derive(Debug)]
#[non_exhaustive]
pub struct Accept {
    /// The request: path, cookies, …
    pub request: Request,
    /// Bytes to send.
    pub response: Bytes,
    /// The subprotocol chosen.
    pub subprotocol: Option<String>,
    /// The compression agreed on.
    pub compression: Option<Compression>,
    /// Bytes that came after the request: the beginning of the first frame.
    pub leftover: BytesMut,
}

/// A refused handshake.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reject {
    /// The status of the answer.
    pub status: StatusCode,
    /// Bytes to send. They say `Connection: close`.
    pub response: Bytes,
    /// Why.
    pub reason: Refusal,
}

impl Reject {
    fn new(policy: &Policy, reason: Refusal, request: Option<&Parts>) -> Self {
        let response = policy.refuse(reason, request);
        Self {
            status: response.status(),
            response: encode_refusal(response),
            reason,
        }
    }
}

/// The server's handshake over bytes. Feed [`receive`](Self::receive) until it says something else than
/// [`Judged::Pending`]. Holds at most [`HeadLimits::bytes_max`](super::HeadLimits::bytes_max) bytes and one piece.
#[derive(Debug)]
pub struct ServerHandshake {
    policy: Arc<Policy>,
    head: HeadBuffer,
    rejected: Option<Reject>,
}

impl ServerHandshake {
    /// Waits for a request. A server shares one policy among its handshakes by handing in an `Arc`.
    pub fn new(policy: impl Into<Arc<Policy>>) -> Self {
        let policy = policy.into();
        Self {
            head: HeadBuffer::new(policy.limits),
            policy,
            rejected: None,
        }
    }

    /// Takes the next bytes from the client, in pieces of any size. Never fails: what is wrong becomes a refusal, and a
    /// refusal stays. After an acceptance further bytes belong to the connection, not here.
    pub fn receive(&mut self, piece: &[u8]) -> Judged {
        match self.consider(piece) {
            None => Judged::Pending,
            Some(Err(reject)) => Judged::Reject(reject),
            Some(Ok(agreed)) => {
                let mut answer = Vec::with_capacity(agreed.encoded_bytes());
                agreed.encode(|part| answer.extend_from_slice(part));
                Judged::Accept(Box::new(agreed.into_accept(answer.into())))
            }
        }
    }

    /// As [`receive`](Self::receive), but whoever reads on may lend the memory for the answer; `None` while the request is not complete.
    pub(crate) fn consider(&mut self, piece: &[u8]) -> Option<Result<Agreed<'_>, Reject>> {
        let Self {
            policy,
            head,
            rejected,
        } = self;
        if let Some(reject) = rejected {
            return Some(Err(reject.clone()));
        }
        let policy = &**policy;
        // Judged by its lines: whoever wants a map of them makes it.
        let judged = match head.receive_plain(piece, |request| policy.consider(request)) {
            Some(judged) => Ok(judged),
            None => match head.receive(piece) {
                Ok(None) => return None,
                Ok(Some(whole)) => whole.with_request(|request| policy.consider(request)),
                Err(error) => Err(error),
            },
        };
        let reject = match judged {
            Ok((request, Ok((accept, terms)))) => {
                return Some(Ok(Agreed {
                    request,
                    accept,
                    terms,
                    leftover: head.take_rest(),
                }));
            }
            Ok((request, Err(refusal))) => Reject::new(policy, refusal, Some(request.as_parts())),
            Err(error) => Reject::new(policy, error.into(), None),
        };
        *rejected = Some(reject.clone());
        head.take_rest();
        Some(Err(reject))
    }

    /// Nobody wants to wait for the rest of the request.
    pub fn handle_timeout(&mut self) -> Reject {
        match &self.rejected {
            Some(reject) => reject.clone(),
            None => Reject::new(&self.policy, Refusal::Timeout, None),
        }
    }
}

/// An accepted handshake whose answer is still to be written.
pub(crate) struct Agreed<'a> {
    request: Request,
    accept: AcceptValue,
    terms: Terms<'a>,
    leftover: BytesMut,
}

impl Agreed<'_> {
    /// How long the answer is.
    pub(crate) fn encoded_bytes(&self) -> usize {
        self.terms.encoded_bytes()
    }

    /// The answer, part after part.
    pub(crate) fn encode(&self, put: impl FnMut(&[u8])) {
        self.terms.encode(&self.accept, put);
    }

    pub(crate) fn into_accept(self, response: Bytes) -> Accept {
        Accept {
            request: self.request,
            response,
            subprotocol: self.terms.subprotocol.map(|(name, _)| name.to_owned()),
            compression: self.terms.compression.map(|(agreed, _)| agreed),
            leftover: self.leftover,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::refusal::encode_head;
    use super::*;
    use http::header::{self, HeaderMap, HeaderValue};

    const REQUEST: &[u8] = b"GET /room HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: b, a\r\n\
        Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

    /// The bytes that go out at once are those of the answer that an HTTP server is given.
    #[test]
    fn both_ways_to_an_answer_give_the_same_bytes() {
        let mut own = HeaderMap::new();
        own.append("x-one", HeaderValue::from_static("1"));
        own.append(header::SERVER, HeaderValue::from_static("suda"));
        own.append(header::SET_COOKIE, HeaderValue::from_static("a=b"));
        let policies = [
            Policy::default(),
            Policy {
                subprotocols: vec!["a".to_owned()],
                ..Policy::default()
            },
            Policy {
                subprotocols: vec!["c".to_owned(), "b".to_owned()],
                compression: Some(Compression::default()),
                response_headers: own,
                response_headers_for: Some(Arc::new(|request| {
                    let mut made = HeaderMap::new();
                    let path = HeaderValue::from_str(request.uri.path()).unwrap();
                    made.append(header::LOCATION, path);
                    made
                })),
                ..Policy::default()
            },
        ];
        for policy in policies {
            let Judged::Accept(accept) = ServerHandshake::new(policy.clone()).receive(REQUEST)
            else {
                panic!("refused");
            };
            let agreement = policy.judge(accept.request.as_parts()).unwrap();
            assert_eq!(accept.response, encode_head(&agreement.response));
            assert_eq!(accept.subprotocol, agreement.subprotocol);
            assert_eq!(accept.compression, agreement.compression);
        }
    }
}
