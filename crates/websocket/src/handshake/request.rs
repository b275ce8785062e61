//! The request of a handshake that was read here: judged by its lines, and made into [`Parts`] only for whoever asks.
//!
//! A server mostly wants the path, seldom a header; making the map costs as much as all that the handshake must find out.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use http::header::HeaderMap;
use http::request::{self, Parts};
use http::uri::InvalidUri;
use http::{Method, Uri, Version};

use super::field::{Line, Lines};
use super::head::{Head, HeadError};

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
    line: RequestLine,
    head: Head,
    parts: LazyParts,
}

/// Boxed, because most requests never have them.
pub(super) type LazyParts = OnceLock<Box<Parts>>;

impl Request {
    pub(super) fn new(line: RequestLine, head: Head, parts: LazyParts) -> Self {
        Self { line, head, parts }
    }

    /// The method; `GET` in every request that was accepted.
    pub fn method(&self) -> &Method {
        &self.line.method
    }

    /// The target: path and query, mostly.
    pub fn uri(&self) -> &Uri {
        self.line.uri(&self.head)
    }

    /// The version; HTTP/1.1 in every request that was accepted.
    pub fn version(&self) -> Version {
        self.line.version
    }

    /// The headers: cookies, … The first call makes the map; its values refer to the bytes that came.
    pub fn headers(&self) -> &HeaderMap {
        &self.as_parts().headers
    }

    /// The request in the form of the `http` crate, made at the first call. It has no extensions.
    pub fn as_parts(&self) -> &Parts {
        self.line.lazy_parts(&self.head, &self.parts)
    }

    /// As [`as_parts`](Self::as_parts), for keeps.
    pub fn into_parts(self) -> Parts {
        self.as_parts();
        match self.parts.into_inner() {
            Some(parts) => *parts,
            None => unreachable!("they have just been made"),
        }
    }
}

/// The first line of a request's head. Its target is made into a [`Uri`] for whoever asks.
#[derive(Clone)]
pub(super) struct RequestLine {
    method: Method,
    version: Version,
    /// Where the target stands in the head.
    target: Range<usize>,
    /// See [`Asked::is_path_only`].
    is_path_only: bool,
    uri: OnceLock<Uri>,
}

impl RequestLine {
    pub(super) fn new(
        method: Method,
        version: Version,
        target: Range<usize>,
        head: &Head,
    ) -> Result<Self, HeadError> {
        let line = Self {
            method,
            version,
            is_path_only: is_plain_path(head.bytes_of(target.clone())),
            target,
            uri: OnceLock::new(),
        };
        if !line.is_path_only {
            // It may be none, which must be known now.
            let uri = line.make_uri(head).map_err(|_| HeadError::Malformed)?;
            line.uri.get_or_init(|| uri);
        }
        Ok(line)
    }

    fn make_uri(&self, head: &Head) -> Result<Uri, InvalidUri> {
        Uri::from_maybe_shared(head.slice(self.target.clone()))
    }

    fn uri(&self, head: &Head) -> &Uri {
        self.uri.get_or_init(|| match self.make_uri(head) {
            Ok(uri) => uri,
            Err(error) => unreachable!("a plain path is a target: {error}"),
        })
    }

    fn lazy_parts<'a>(&self, head: &Head, parts: &'a LazyParts) -> &'a Parts {
        parts.get_or_init(|| Box::new(self.parts(head, head.request_headers())))
    }

    /// With these headers.
    pub(super) fn parts(&self, head: &Head, headers: HeaderMap) -> Parts {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = self.method.clone();
        parts.uri = self.uri(head).clone();
        parts.version = self.version;
        parts.headers = headers;
        parts
    }
}

/// The longest target, in bytes, that is looked at without making a [`Uri`] of it.
const PLAIN_PATH_BYTES_MAX: usize = 1 << 10;

/// Bytes that are right in a path and in a query. There are more, which only take the long way.
const PLAIN_BYTES: &[u8] =
    b"/-._~?=&%+,:;@!$*ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Whether that is a path, maybe with a query, of which a [`Uri`] can surely be made.
fn is_plain_path(target: &[u8]) -> bool {
    static IS_PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut index = 0;
        while index < PLAIN_BYTES.len() {
            plain[PLAIN_BYTES[index] as usize] = true;
            index += 1;
        }
        plain
    };
    target.first() == Some(&b'/')
        && target.len() <= PLAIN_PATH_BYTES_MAX
        && target.iter().all(|&byte| IS_PLAIN[usize::from(byte)])
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
    /// The target is known to have no scheme and no authority, and its path to begin with a slash: nobody need look at the [`uri`](Self::uri).
    fn is_path_only(&self) -> bool;
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

    fn is_path_only(&self) -> bool {
        false
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
    pub(super) line: RequestLine,
    pub(super) head: &'a Head,
    pub(super) lines: &'a [Line<'head>],
    pub(super) parts: LazyParts,
}

impl<'head> Asked for LinedRequest<'_, 'head> {
    type Lines = [Line<'head>];

    fn method(&self) -> &Method {
        &self.line.method
    }

    fn uri(&self) -> &Uri {
        self.line.uri(self.head)
    }

    fn is_path_only(&self) -> bool {
        self.line.is_path_only
    }

    fn version(&self) -> Version {
        self.line.version
    }

    fn lines(&self) -> &Self::Lines {
        self.lines
    }

    fn parts(&self) -> &Parts {
        self.line.lazy_parts(self.head, &self.parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What makes it safe to put the URI off: it cannot fail any more.
    #[test]
    fn of_every_plain_path_a_uri_can_be_made() {
        let lone = PLAIN_BYTES.iter().map(|&byte| vec![byte]);
        let all = [PLAIN_BYTES.to_vec(), b"/".repeat(PLAIN_PATH_BYTES_MAX)];
        let mut plain = 0;
        for bytes in lone.chain(all) {
            for start in [&b""[..], b"/", b"//", b"/a", b"/?", b"/?a=", b"/*", b"/%"] {
                let target = [start, &bytes].concat();
                if is_plain_path(&target) {
                    plain += 1;
                    let uri = Uri::try_from(&target[..]).unwrap();
                    assert!(uri.scheme().is_none() && uri.authority().is_none());
                    assert!(uri.path().starts_with('/'));
                    assert_eq!(uri.to_string().as_bytes(), target);
                }
            }
        }
        assert!(plain > 7 * PLAIN_BYTES.len());
        for target in [&b""[..], b"*", b"a", b"/#", b"/ ", b"/\x80", b"http://a/"] {
            assert!(!is_plain_path(target));
        }
    }
}
