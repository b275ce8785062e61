//! What a server accepts: from a parsed request to a refusal, or to what is agreed on (RFC 6455, section 4.2). Where the request's bytes come
//! from, and the answer's go, is `server`'s.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode, Version};

use super::compression;
use super::field::{self, Fields, Lines, Single, is_token, single};
use super::key::{self, AcceptValue, accept_value};
use super::limits::HeadLimits;
use super::origin::{Authority, OriginPolicy};
use super::refusal::{Refusal, encode_line, encoded_line_bytes};
use super::request::Asked;
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
        let (accept, terms) = self.consider(request)?;
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let accept = HeaderValue::from_bytes(&accept).map_err(|_| Refusal::Key)?;
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        Ok(terms.agreement(response))
    }

    /// All that [`judge`](Self::judge) does but making the answer: the accept value, and what is agreed on.
    pub(super) fn consider(
        &self,
        request: &impl Asked,
    ) -> Result<(AcceptValue, Terms<'_>), Refusal> {
        let fields = Fields::of(request.lines());
        let host = check_http(request, &fields)?;
        let key = check_websocket(request.lines(), &fields)?;
        if !self.origin.allows(request, Some(host), fields.origin) {
            return Err(Refusal::Origin);
        }
        let terms = self.agree_on(request, fields.extensions, fields.subprotocols)?;
        Ok((accept_value(key), terms))
    }

    /// What is the same over every version of HTTP: who may connect, and what is agreed on.
    pub(super) fn agree(
        &self,
        request: &Parts,
        response: Response<()>,
    ) -> Result<Agreement, Refusal> {
        let headers = &request.headers;
        let host = match single(headers, header::HOST) {
            Single::One(text) => Authority::parse(text),
            _ => None,
        };
        let origin = single(headers, header::ORIGIN);
        if !self.origin.allows(request, host, origin) {
            return Err(Refusal::Origin);
        }
        let terms = self.agree_on(request, true, true)?;
        Ok(terms.agreement(response))
    }

    /// `extensions`, `subprotocols`: whether the request may have any.
    fn agree_on(
        &self,
        request: &impl Asked,
        extensions: bool,
        subprotocols: bool,
    ) -> Result<Terms<'_>, Refusal> {
        let compression = if extensions {
            compression::choose(self.compression.as_ref(), request.lines())
                .map_err(|_| Refusal::Extensions)?
        } else {
            None
        };
        let subprotocol = if subprotocols {
            self.choose_subprotocol(request.lines())
        } else {
            None
        };
        let made = self.response_headers_for.as_ref();
        let terms = Terms {
            subprotocol,
            compression,
            own_headers: &self.response_headers,
            made_headers: made.map(|make| make(request.parts())),
        };
        if terms.headers().any(|(name, _)| belongs_to_handshake(name)) {
            return Err(Refusal::ResponseHeaders);
        }
        Ok(terms)
    }

    fn choose_subprotocol(&self, lines: &(impl Lines + ?Sized)) -> Option<(&str, HeaderValue)> {
        let offered: Vec<&str> = field::offered(lines).collect();
        let chosen = self
            .subprotocols
            .iter()
            .find(|ours| offered.contains(&ours.as_str()))?;
        // What the client offered is a token, so what equals it is one, too.
        Some((chosen, HeaderValue::from_str(chosen).ok()?))
    }

    /// The answer to a refused request. One made by `refusal_response` that would say yes, or not yet, is replaced by our own.
    pub fn refuse(&self, refusal: Refusal, request: Option<&Parts>) -> Response<Bytes> {
        let made = self.refusal_response.as_ref();
        made.map(|make| make(refusal, request))
            .filter(|response| response.status().as_u16() >= 300)
            .unwrap_or_else(|| refusal.response())
    }
}

const ANSWER_START: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: ";
const LINE_END: &[u8] = b"\r\n";

/// What both sides agree on, before it is put into an answer.
pub(super) struct Terms<'a> {
    pub(super) subprotocol: Option<(&'a str, HeaderValue)>,
    pub(super) compression: Option<(Compression, HeaderValue)>,
    own_headers: &'a HeaderMap,
    made_headers: Option<HeaderMap>,
}

impl Terms<'_> {
    /// The headers that the server adds.
    fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.own_headers
            .iter()
            .chain(self.made_headers.iter().flatten())
    }

    /// With an answer that says it.
    fn agreement(self, mut response: Response<()>) -> Agreement {
        let headers = response.headers_mut();
        if let Some((_, value)) = &self.subprotocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, value.clone());
        }
        for (name, value) in self.headers() {
            headers.append(name, value.clone());
        }
        let subprotocol = self.subprotocol.map(|(name, _)| name.to_owned());
        let compression = self.compression.map(|(agreed, answer)| {
            headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, answer);
            agreed
        });
        Agreement {
            response,
            subprotocol,
            compression,
        }
    }

    /// How many bytes [`encode`](Self::encode) gives.
    pub(super) fn encoded_bytes(&self) -> usize {
        let len = ANSWER_START.len() + size_of::<AcceptValue>() + 2 * LINE_END.len();
        self.lines().fold(len, |len, (name, value)| {
            len + encoded_line_bytes(name, value)
        })
    }

    /// The 101 answer as bytes, part after part, the same as of [`agreement`](Self::agreement), but not by way of a map.
    pub(super) fn encode(&self, accept: &AcceptValue, mut put: impl FnMut(&[u8])) {
        put(ANSWER_START);
        put(accept);
        put(LINE_END);
        for (name, value) in self.lines() {
            encode_line(name, value, &mut put);
        }
        put(LINE_END);
    }

    /// The answer's lines behind those that every answer has.
    fn lines(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        static SUBPROTOCOL: HeaderName = header::SEC_WEBSOCKET_PROTOCOL;
        static EXTENSIONS: HeaderName = header::SEC_WEBSOCKET_EXTENSIONS;
        let subprotocol = self.subprotocol.as_ref();
        let extensions = self.compression.as_ref();
        subprotocol
            .map(|(_, value)| (&SUBPROTOCOL, value))
            .into_iter()
            .chain(self.headers())
            .chain(extensions.map(|(_, value)| (&EXTENSIONS, value)))
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

/// Gives what `Host` says.
fn check_http<'a>(request: &impl Asked, fields: &Fields<'a>) -> Result<Authority<'a>, Refusal> {
    if request.method() != Method::GET {
        return Err(Refusal::Method);
    }
    if request.version() != Version::HTTP_11 {
        return Err(Refusal::HttpVersion);
    }
    if !request.is_path_only() {
        let uri = request.uri();
        let scheme_fits = matches!(uri.scheme_str(), None | Some("http" | "https"));
        if !scheme_fits || !uri.path().starts_with('/') {
            return Err(Refusal::RequestTarget);
        }
    }
    let host = match fields.host {
        Single::One(text) => Authority::parse(text),
        _ => None,
    };
    let host = host.ok_or(Refusal::Host)?;
    if fields.body {
        return Err(Refusal::Body);
    }
    Ok(host)
}

/// The checks of RFC 6455, section 4.2.1; gives the key.
fn check_websocket<'a>(
    lines: &(impl Lines + ?Sized),
    fields: &Fields<'a>,
) -> Result<&'a [u8], Refusal> {
    if !fields.connection_names_upgrade {
        return Err(Refusal::Connection);
    }
    if !fields.upgrade_names_websocket {
        return Err(Refusal::Upgrade);
    }
    match fields.version {
        Single::One(b"13") => {}
        Single::Malformed => return Err(Refusal::DuplicateVersion),
        _ => return Err(Refusal::Version),
    }
    let key = match fields.key {
        Single::One(key) if key::is_valid(key) => key,
        _ => return Err(Refusal::Key),
    };
    if fields.subprotocols {
        check_subprotocols(lines)?;
    }
    Ok(key)
}

pub(super) fn check_subprotocols(lines: &(impl Lines + ?Sized)) -> Result<(), Refusal> {
    let mut values = lines.named(header::SEC_WEBSOCKET_PROTOCOL);
    if values.any(|line| field::text(line).is_none()) || !field::offered(lines).all(is_token) {
        return Err(Refusal::Subprotocol);
    }
    Ok(())
}
