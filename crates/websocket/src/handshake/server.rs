//! The server's side: from a request to a verdict (RFC 6455, section 4.2).

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Version};

use super::compression;
use super::field::{self, Single, has_token, is_token, single};
use super::head::{HeadBuffer, HeadError, parse_request};
use super::key::{self, accept_key};
use super::limits::HeadLimits;
use super::origin::{Authority, OriginPolicy};
use super::refusal::{Refusal, encode_head, encode_refusal};
use crate::Compression;

/// Makes headers for the accepting answer to this request.
pub type ResponseHeaders = dyn Fn(&Parts) -> HeaderMap + Send + Sync;

/// Makes the answer to a refused request. There is no request if its head was never complete.
pub type RefusalResponse = dyn Fn(Refusal, Option<&Parts>) -> Response<Bytes> + Send + Sync;

/// What a server accepts. The default takes no subprotocol and no extension, and pages of its own host only.
#[derive(Clone)]
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
    /// Headers to add to the accepting answer, made for each request; under the same rule as `response_headers`.
    pub response_headers_for: Option<Arc<ResponseHeaders>>,
    /// Makes the answers to refused requests, in place of [`Refusal::response`].
    pub refusal_response: Option<Arc<RefusalResponse>>,
    /// Bounds of the request's head, where it is read here; [`HeadLimits::REQUEST`] by default.
    pub limits: HeadLimits,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            subprotocols: Vec::new(),
            origin: OriginPolicy::default(),
            response_headers: HeaderMap::new(),
            compression: None,
            response_headers_for: None,
            refusal_response: None,
            limits: HeadLimits::REQUEST,
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("subprotocols", &self.subprotocols)
            .field("origin", &self.origin)
            .field("response_headers", &self.response_headers)
            .field("compression", &self.compression)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
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
    /// Judges a request head of HTTP/1.1 that an HTTP server has already parsed; those of HTTP/2 are for
    /// [`judge_connect`](Self::judge_connect). The order of the checks is: is it HTTP as it must be,
    /// is it a WebSocket, is it ours.
    pub fn judge(&self, request: &Parts) -> Result<Agreement, Refusal> {
        check_http(request)?;
        let key = check_websocket(request)?;
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let accept = HeaderValue::from_str(&accept_key(key)).map_err(|_| Refusal::Key)?;
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        self.agree(request, response)
    }

    /// What is the same over every version of HTTP: who may connect, and what is agreed on.
    pub(super) fn agree(
        &self,
        request: &Parts,
        mut response: Response<()>,
    ) -> Result<Agreement, Refusal> {
        if !self.origin.allows(request) {
            return Err(Refusal::Origin);
        }
        let compression = compression::choose(self.compression.as_ref(), &request.headers)
            .map_err(|_| Refusal::Extensions)?;
        let subprotocol = self.choose_subprotocol(&request.headers);
        let headers = response.headers_mut();
        if let Some((_, value)) = &subprotocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, value.clone());
        }
        self.add_headers(request, headers)?;
        let compression = compression.map(|(agreed, answer)| {
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

    /// The answer to a refused request. One made by `refusal_response` that would say yes, or not yet, is replaced by our own.
    pub fn refuse(&self, refusal: Refusal, request: Option<&Parts>) -> Response<Bytes> {
        let made = self.refusal_response.as_ref();
        made.map(|make| make(refusal, request))
            .filter(|response| response.status().as_u16() >= 300)
            .unwrap_or_else(|| refusal.response())
    }

    fn add_headers(&self, request: &Parts, headers: &mut HeaderMap) -> Result<(), Refusal> {
        let made = self.response_headers_for.as_ref();
        let made = made.map(|make| make(request)).unwrap_or_default();
        for (name, value) in self.response_headers.iter().chain(&made) {
            if belongs_to_handshake(name) {
                return Err(Refusal::ResponseHeaders);
            }
            headers.append(name, value.clone());
        }
        Ok(())
    }
}

/// Headers that the handshake writes itself, or that would give a 101 or a GET a body.
pub(crate) fn belongs_to_handshake(name: &HeaderName) -> bool {
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
    if has_body(&request.headers) {
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
    check_subprotocols(headers)?;
    Ok(key)
}

pub(super) fn check_subprotocols(headers: &HeaderMap) -> Result<(), Refusal> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
    if lines.iter().any(|line| line.to_str().is_err())
        || !field::subprotocols(headers).into_iter().all(is_token)
    {
        return Err(Refusal::Subprotocol);
    }
    Ok(())
}

/// Whether the request announces bytes of its own, which would be taken for frames. A length of zero announces nothing.
pub(super) fn has_body(headers: &HeaderMap) -> bool {
    let no_length = match single(headers, header::CONTENT_LENGTH) {
        Single::Absent => true,
        Single::One(length) => length == "0",
        Single::Malformed => false,
    };
    !no_length || headers.contains_key(header::TRANSFER_ENCODING)
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
/// [`Judged::Pending`]. Holds at most [`HeadLimits::bytes_max`] bytes and one piece.
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
        if let Some(reject) = &self.rejected {
            return Judged::Reject(reject.clone());
        }
        let request = match self.receive_request(piece) {
            Ok(None) => return Judged::Pending,
            Ok(Some(request)) => request,
            Err(refusal) => return self.reject(refusal, None),
        };
        match self.policy.judge(&request) {
            Ok(agreement) => Judged::Accept(Box::new(self.accept(request, agreement))),
            Err(refusal) => self.reject(refusal, Some(&request)),
        }
    }

    /// Nobody wants to wait for the rest of the request.
    pub fn handle_timeout(&mut self) -> Reject {
        match &self.rejected {
            Some(reject) => reject.clone(),
            None => Reject::new(&self.policy, Refusal::Timeout, None),
        }
    }

    fn receive_request(&mut self, piece: &[u8]) -> Result<Option<Parts>, HeadError> {
        let head = self.head.receive(piece)?;
        head.map(|head| parse_request(&head)).transpose()
    }

    fn reject(&mut self, refusal: impl Into<Refusal>, request: Option<&Parts>) -> Judged {
        let reject = Reject::new(&self.policy, refusal.into(), request);
        self.rejected = Some(reject.clone());
        self.head.take_rest();
        Judged::Reject(reject)
    }

    fn accept(&mut self, request: Parts, agreement: Agreement) -> Accept {
        let Agreement {
            response,
            subprotocol,
            compression,
        } = agreement;
        Accept {
            request,
            response: encode_head(&response).freeze(),
            subprotocol,
            compression,
            leftover: self.head.take_rest(),
        }
    }
}
