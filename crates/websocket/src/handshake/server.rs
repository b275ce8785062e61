//! The server's side: from a request to a verdict (RFC 6455, section 4.2).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Version};

use super::compression;
use super::field::{self, Single, has_token, is_token, single};
use super::head::{HeadBuffer, parse_request};
use super::key::{self, accept_key};
use super::limits::REQUEST_HEAD_BYTES_MAX;
use super::origin::{Authority, OriginPolicy};
use super::refusal::{Refusal, encode_head};
use crate::Compression;

/// What a server accepts. The default takes no subprotocol and no extension, and pages of its own host only.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Subprotocols that the server speaks, the dearest first. The first that the client also offers is chosen;
    /// if there is none, the handshake goes on without.
    pub subprotocols: Vec<String>,
    /// Which pages may connect.
    pub origin: OriginPolicy,
    /// Headers to add to the accepting answer, a cookie for example. One that belongs to the handshake itself makes every
    /// request be answered with 500.
    pub response_headers: HeaderMap,
    /// Compression for the clients that offer it; none by default.
    pub compression: Option<Compression>,
}

/// What both sides have agreed on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Agreement {
    /// The 101 answer.
    pub response: Response<()>,
    /// The subprotocol chosen.
    pub subprotocol: Option<String>,
    /// The compression agreed on.
    pub compression: Option<Compression>,
}

impl Policy {
    /// Judges a request head that an HTTP server has already parsed. The order of the checks is: is it HTTP as it must be,
    /// is it a WebSocket, is it ours.
    pub fn judge(&self, request: &Parts) -> Result<Agreement, Refusal> {
        check_http(request)?;
        let key = check_websocket(request)?;
        if !self.origin.allows(request) {
            return Err(Refusal::Origin);
        }
        let compression = compression::choose(self.compression.as_ref(), &request.headers)
            .map_err(|_| Refusal::Extensions)?;
        let subprotocol = self.choose_subprotocol(&request.headers);
        let mut response = self.accepting(key, subprotocol.as_ref())?;
        let compression = compression.map(|(agreed, answer)| {
            let headers = response.headers_mut();
            headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, answer);
            agreed
        });
        Ok(Agreement {
            response,
            subprotocol: subprotocol.map(|(name, _)| name),
            compression,
        })
    }

    fn choose_subprotocol(&self, headers: &HeaderMap) -> Option<(String, HeaderValue)> {
        let offered = field::subprotocols(headers);
        let chosen = self
            .subprotocols
            .iter()
            .find(|ours| offered.contains(&ours.as_str()))?;
        // What the client offered is a token, so what equals it is one, too.
        Some((chosen.clone(), HeaderValue::from_str(chosen).ok()?))
    }

    fn accepting(
        &self,
        key: &str,
        subprotocol: Option<&(String, HeaderValue)>,
    ) -> Result<Response<()>, Refusal> {
        if self.response_headers.keys().any(belongs_to_handshake) {
            return Err(Refusal::ResponseHeaders);
        }
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let accept = HeaderValue::from_str(&accept_key(key)).map_err(|_| Refusal::Key)?;
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        if let Some((_, value)) = subprotocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, value.clone());
        }
        for (name, value) in &self.response_headers {
            headers.append(name, value.clone());
        }
        Ok(response)
    }
}

/// Headers that the handshake writes itself, or that would give a 101 or a GET a body.
pub(super) fn belongs_to_handshake(name: &HeaderName) -> bool {
    [
        header::UPGRADE,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
    ]
    .contains(name)
        || name.as_str().starts_with("sec-websocket-")
}

fn check_http(request: &Parts) -> Result<(), Refusal> {
    if request.method != Method::GET {
        return Err(Refusal::Method);
    }
    if request.version != Version::HTTP_11 {
        return Err(Refusal::HttpVersion);
    }
    let scheme_fits = matches!(request.uri.scheme_str(), None | Some("http" | "https"));
    if !scheme_fits || !request.uri.path().starts_with('/') {
        return Err(Refusal::RequestTarget);
    }
    match single(&request.headers, header::HOST) {
        Single::One(host) if Authority::parse(host).is_some() => {}
        _ => return Err(Refusal::Host),
    }
    // A length of zero announces nothing.
    let no_length = match single(&request.headers, header::CONTENT_LENGTH) {
        Single::Absent => true,
        Single::One(length) => length == "0",
        Single::Malformed => false,
    };
    if !no_length || request.headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(Refusal::Body);
    }
    Ok(())
}

/// The checks of RFC 6455, section 4.2.1; gives the key.
fn check_websocket(request: &Parts) -> Result<&str, Refusal> {
    let headers = &request.headers;
    if !has_token(headers, header::CONNECTION, "upgrade") {
        return Err(Refusal::Connection);
    }
    if !has_token(headers, header::UPGRADE, "websocket") {
        return Err(Refusal::Upgrade);
    }
    match single(headers, header::SEC_WEBSOCKET_VERSION) {
        Single::One("13") => {}
        Single::Malformed => return Err(Refusal::DuplicateVersion),
        _ => return Err(Refusal::Version),
    }
    let key = match single(headers, header::SEC_WEBSOCKET_KEY) {
        Single::One(key) if key::is_valid(key) => key,
        _ => return Err(Refusal::Key),
    };
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
    if lines.iter().any(|line| line.to_str().is_err())
        || !field::subprotocols(headers).into_iter().all(is_token)
    {
        return Err(Refusal::Subprotocol);
    }
    Ok(key)
}

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
    pub request: Parts,
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
#[derive(Debug)]
#[non_exhaustive]
pub struct Reject {
    /// The status of the answer.
    pub status: StatusCode,
    /// Bytes to send. They say `Connection: close`.
    pub response: Bytes,
    /// Why.
    pub reason: Refusal,
}

impl From<Refusal> for Reject {
    fn from(reason: Refusal) -> Self {
        Self {
            status: reason.status(),
            response: reason.encode(),
            reason,
        }
    }
}

/// The server's handshake over bytes. Feed [`receive`](Self::receive) until it says something else than
/// [`Judged::Pending`]. Holds at most [`REQUEST_HEAD_BYTES_MAX`] bytes and one piece.
#[derive(Debug)]
pub struct ServerHandshake {
    policy: Arc<Policy>,
    head: HeadBuffer,
    verdict_given: Option<Refusal>,
}

impl ServerHandshake {
    /// Waits for a request. A server shares one policy among its handshakes by handing in an `Arc`.
    pub fn new(policy: impl Into<Arc<Policy>>) -> Self {
        Self {
            policy: policy.into(),
            head: HeadBuffer::new(REQUEST_HEAD_BYTES_MAX),
            verdict_given: None,
        }
    }

    /// Takes the next bytes from the client, in pieces of any size. Never fails: what is wrong becomes a refusal, and a
    /// refusal stays. After an acceptance further bytes belong to the connection, not here.
    pub fn receive(&mut self, piece: &[u8]) -> Judged {
        if let Some(refusal) = self.verdict_given {
            return Judged::Reject(refusal.into());
        }
        match self.try_receive(piece) {
            Ok(None) => Judged::Pending,
            Ok(Some(accept)) => Judged::Accept(Box::new(accept)),
            Err(refusal) => {
                self.verdict_given = Some(refusal);
                self.head.take_rest();
                Judged::Reject(refusal.into())
            }
        }
    }

    fn try_receive(&mut self, piece: &[u8]) -> Result<Option<Accept>, Refusal> {
        let Some(head) = self.head.receive(piece)? else {
            return Ok(None);
        };
        let request = parse_request(&head)?;
        let Agreement {
            response,
            subprotocol,
            compression,
        } = self.policy.judge(&request)?;
        let leftover = self.head.take_rest();
        Ok(Some(Accept {
            request,
            response: encode_head(&response).freeze(),
            subprotocol,
            compression,
            leftover,
        }))
    }
}
