//! Who may open a WebSocket from a browser: the `Origin` rule (RFC 6455, sections 4.2.2 and 10.2).
//!
//! A browser lets any page open a WebSocket to any server and sends the user's cookies along; the server's check of
//! `Origin` is the only thing that stands against it.

use std::fmt;
use std::sync::Arc;

use http::request::Parts;

use super::field::Single;
use super::request::Asked;

type Check = dyn Fn(&Parts) -> bool + Send + Sync;

/// Which pages may connect. Except under [`Check`](Self::Check), a request without `Origin` is allowed: it doesn't come
/// from a browser, and what isn't a browser could send any `Origin`.
#[derive(Clone, Default)]
pub enum OriginPolicy {
    /// The page's host and port must be those of the request's `Host`. A port that is not written is the default port of
    /// the page's scheme. Case doesn't matter.
    #[default]
    SameHost,
    /// Only pages from these origins (`https://chat.example`); the rule of the same host no longer holds, so a page
    /// that reaches this server under a foreign name is refused as well.
    Allow(Vec<String>),
    /// The caller decides, seeing the whole request head.
    Check(Arc<Check>),
}

impl OriginPolicy {
    /// `host` and `origin` are the request's headers of these names; no host if there is not exactly one, or it is none.
    pub(super) fn allows(
        &self,
        request: &impl Asked,
        host: Option<Authority<'_>>,
        origin: Single<'_>,
    ) -> bool {
        let allowed = match self {
            Self::SameHost => None,
            Self::Allow(origins) => Some(origins),
            Self::Check(check) => return check(request.parts()),
        };
        let origin = match origin {
            Single::Absent => return true,
            Single::Malformed => return false,
            Single::One(text) => Origin::parse_beside(text, host),
        };
        // "null" (a sandboxed page, a local file) is not the origin of anything, so it ends here too.
        let Some(origin) = origin else { return false };
        match allowed {
            None => request_host(request, host).is_some_and(|host| origin.is_at(host)),
            Some(origins) => origins
                .iter()
                .filter_map(|text| Origin::parse(text.as_bytes()))
                .any(|one| one == origin),
        }
    }
}

impl fmt::Debug for OriginPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameHost => f.write_str("SameHost"),
            Self::Allow(origins) => f.debug_tuple("Allow").field(origins).finish(),
            Self::Check(_) => f.write_str("Check(..)"),
        }
    }
}

/// The authority that the request is for. An absolute request target beats `Host` (RFC 9112, section 3.2.2).
fn request_host<'a>(request: &'a impl Asked, host: Option<Authority<'a>>) -> Option<Authority<'a>> {
    if request.is_path_only() {
        return host;
    }
    match request.uri().authority() {
        Some(authority) => Authority::parse(authority.as_str().as_bytes()),
        None => host,
    }
}

/// `scheme://host[:port]`, compared with default ports filled in and without regard to case.
struct Origin<'a> {
    scheme: &'a [u8],
    authority: Authority<'a>,
}

impl<'a> Origin<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        Self::parse_beside(text, None)
    }

    /// `known` is not parsed again if it stands here, too, as it does where a page comes from its own server.
    fn parse_beside(text: &'a [u8], known: Option<Authority<'a>>) -> Option<Self> {
        let scheme_byte = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
        let scheme_end = text.iter().position(|&b| !scheme_byte(b))?;
        let (scheme, rest) = text.split_at(scheme_end);
        let authority = rest.strip_prefix(b"://")?;
        if scheme.is_empty() {
            return None;
        }
        Some(Self {
            scheme,
            authority: match known {
                Some(known) if known.text == authority => known,
                _ => Authority::parse(authority)?,
            },
        })
    }

    fn default_port(&self) -> Option<u16> {
        match self.scheme {
            s if s.eq_ignore_ascii_case(b"http") => Some(80),
            s if s.eq_ignore_ascii_case(b"https") => Some(443),
            _ => None,
        }
    }

    fn port(&self) -> Option<u16> {
        self.authority.port.or(self.default_port())
    }

    /// Whether a page of this origin is served at `host`. A server behind a TLS proxy doesn't know under which scheme it
    /// is reached; that is why a `Host` without port is taken to use the page's own scheme.
    fn is_at(&self, host: Authority<'_>) -> bool {
        self.authority.has_host_of(host) && self.port() == host.port.or(self.default_port())
    }
}

impl PartialEq for Origin<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.authority.has_host_of(other.authority)
            && self.port() == other.port()
    }
}

/// The bytes that a host's name may have (RFC 3986, section 3.2.2).
static HOST_BYTES: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        allowed[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let marks = b"-._~%!$&'()*+,;=";
    let mut index = 0;
    while index < marks.len() {
        allowed[marks[index] as usize] = true;
        index += 1;
    }
    allowed
};

/// `host[:port]`; an IPv6 address keeps its brackets.
#[derive(Clone, Copy)]
pub(super) struct Authority<'a> {
    /// As it stands.
    text: &'a [u8],
    host: &'a [u8],
    port: Option<u16>,
}

/// The parts of `host[:port]`, if it is well-formed. An IPv6 address keeps its brackets.
pub(crate) fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let Authority { host, port, .. } = Authority::parse(text.as_bytes())?;
    Some((&text[..host.len()], port))
}

impl<'a> Authority<'a> {
    /// `None` for anything with user information, a path, or a port that is no port.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let host_end = match text {
            [b'[', inner @ ..] => {
                let end = inner.iter().position(|&b| b == b']')?;
                let address = std::str::from_utf8(&inner[..end]).ok()?;
                address.parse::<std::net::Ipv6Addr>().ok()?;
                end + b"[]".len()
            }
            _ => (text.iter().position(|&b| !HOST_BYTES[usize::from(b)])).unwrap_or(text.len()),
        };
        let (host, rest) = text.split_at(host_end);
        if host.is_empty() {
            return None;
        }
        let port = match rest {
            // RFC 3986 allows the colon without a number.
            [] | [b':'] => None,
            [b':', digits @ ..] => Some(parse_port(digits)?),
            _ => return None,
        };
        Some(Self { text, host, port })
    }

    fn has_host_of(self, other: Authority<'_>) -> bool {
        self.host == other.host || self.host.eq_ignore_ascii_case(other.host)
    }
}

/// `None` for what is no number, or none of a port.
fn parse_port(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0u16, |port, &byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        port.checked_mul(10)?.checked_add(u16::from(digit))
    })
}
