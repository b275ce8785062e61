//! The request of a handshake that was read here: judged by its lines, and made into [`Parts`] only for whoever asks.
//!
//! A server mostly wants the path, seldom a header; making the map costs as much as all that the handshake must find out.

use std::fmt;
use std::sync::OnceLock;

use http::header::HeaderMap;
use http::request::{self, Parts};
use http::{Method, Uri, Version};

use super::field::Lines;
use super::head::Head;

/// The head of a request that was read here. [`headers`](Self::headers) and the ways to [`Parts`] make a map of its header lines, at
/// the first call; [`uri`](Self::uri) and the rest cost nothing.
///
/// ```
/// use suda_websocket::handshake::{Judged, Policy, ServerHandshake};
///
/// let mut server = ServerHandshake::new(Policy::default());
/// let judged = server.receive(
///     b"GET /room?name=ann HTTP/1.1\r\nHost: chat.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nCookie: a=b\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
/// );
/// let Judged::Accept(accept) = judged else { panic!("refused") };
/// assert_eq!(accept.request.uri().query(), Some("name=ann"));
/// assert_eq!(accept.request.headers()["cookie"], "a=b");
/// let parts = accept.request.into_parts();
/// assert_eq!(parts.method, "GET");
/// ```
#[derive(Clone)]
pub struct Request {
    method: Method,
    uri: Uri,
    version: Version,
    head: Head,
    /// Boxed, because most requests never have them.
    parts: OnceLock<Box<Parts>>,
}

impl Request {
    pub(super) fn new(method: Method, uri: Uri, version: Version, head: Head) -> Self {
        Self {
            method,
            uri,
            version,
            head,
            parts: OnceLock::new(),
        }
    }

    /// The method; `GET` in every request that was accepted.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The target: path and query, mostly.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The version; HTTP/1.1 in every request that was accepted.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The headers: cookies, … The first call makes the map; its values refer to the bytes that came.
    pub fn headers(&self) -> &HeaderMap {
        &self.as_parts().headers
    }

    /// The request in the form of the `http` crate, made at the first call. It has no extensions.
    pub fn as_parts(&self) -> &Parts {
        self.parts
            .get_or_init(|| Box::new(self.parts_with(self.head.request_headers())))
    }

    /// As [`as_parts`](Self::as_parts), for keeps.
    pub fn into_parts(self) -> Parts {
        self.as_parts();
        match self.parts.into_inner() {
            Some(parts) => *parts,
            None => unreachable!("they have just been made"),
        }
    }

    /// Has the parts with these headers, from now on.
    pub(super) fn make_parts(&self, headers: HeaderMap) {
        self.parts
            .get_or_init(|| Box::new(self.parts_with(headers)));
    }

    fn parts_with(&self, headers: HeaderMap) -> Parts {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = self.method.clone();
        parts.uri = self.uri.clone();
        parts.version = self.version;
        parts.headers = headers;
        parts
    }
}

impl From<Request> for request::Parts {
    fn from(request: Request) -> Self {
        request.into_parts()
    }
}

/// As that of the [`Parts`].
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_parts().fmt(f)
    }
}

/// A request as it is judged, whoever has parsed it.
pub(super) trait Asked {
    type Lines: Lines + ?Sized;

    fn method(&self) -> &Method;
    fn uri(&self) -> &Uri;
    fn version(&self) -> Version;
    fn lines(&self) -> &Self::Lines;
    /// For the hooks that are set. Has to be made, maybe.
    fn parts(&self) -> &Parts;
}

impl Asked for Parts {
    type Lines = HeaderMap;

    fn method(&self) -> &Method {
        &self.method
    }

    fn uri(&self) -> &Uri {
        &self.uri
    }

    fn version(&self) -> Version {
        self.version
    }

    fn lines(&self) -> &HeaderMap {
        &self.headers
    }

    fn parts(&self) -> &Parts {
        self
    }
}

/// A request whose lines have just been parsed.
pub(super) struct LinedRequest<'a, 'head> {
    pub(super) request: &'a Request,
    pub(super) lines: &'a [httparse::Header<'head>],
}

impl<'head> Asked for LinedRequest<'_, 'head> {
    type Lines = [httparse::Header<'head>];

    fn method(&self) -> &Method {
        self.request.method()
    }

    fn uri(&self) -> &Uri {
        self.request.uri()
    }

    fn version(&self) -> Version {
        self.request.version()
    }

    fn lines(&self) -> &Self::Lines {
        self.lines
    }

    fn parts(&self) -> &Parts {
        self.request.as_parts()
    }
}
