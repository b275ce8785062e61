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
                .filter_map(|text| Origin::parse(text))
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
        Some(authority) => Authority::parse(authority.as_str()),
        None => host,
    }
}

/// `scheme://host[:port]`, compared with default ports filled in and without regard to case.
struct Origin<'a> {
    scheme: &'a str,
    authority: Authority<'a>,
}

impl<'a> Origin<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        Self::parse_beside(text, None)
    }

    /// `known` is not parsed again if it stands here, too, as it does where a page comes from its own server.
    fn parse_beside(text: &'a str, known: Option<Authority<'a>>) -> Option<Self> {
        let scheme_end = text.bytes().position(|b| b == b':')?;
        let (scheme, rest) = text.split_at(scheme_end);
        let authority = rest.strip_prefix("://")?;
        let well_formed = scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if scheme.is_empty() || !well_formed {
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
            s if s.eq_ignore_ascii_case("http") => Some(80),
            s if s.eq_ignore_ascii_case("https") => Some(443),
            _ => None,
        }
    }

    fn port(&self) -> Option<u16> {
        self.authority.port.or(self.default_port())
    }

    /// Whether a page of this origin is served at `host`. A server behind a TLS proxy doesn't know under which scheme it
    /// is reached; that is why a `Host` without port is taken to use the page's own scheme.
    fn is_at(&self, host: Authority<'_>) -> bool {
        self.authority.host.eq_ignore_ascii_case(host.host)
            && self.port() == host.port.or(self.default_port())
    }
}

impl PartialEq for Origin<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self
                .authority
                .host
                .eq_ignore_ascii_case(other.authority.host)
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
pub(crate) struct Authority<'a> {
    /// As it stands.
    text: &'a str,
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// `None` for anything with user information, a path, or a port that is no port.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let host_end = match text.strip_prefix('[') {
            Some(inner) => inner.find(']')? + 2,
            None => text.bytes().position(|b| b == b':').unwrap_or(text.len()),
        };
        let (host, rest) = text.split_at(host_end);
        let host_byte = |b: u8| HOST_BYTES[usize::from(b)];
        let well_formed = match host
            .strip_prefix('[')
            .and_then(|inner| inner.strip_suffix(']'))
        {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.bytes().all(host_byte),
        };
        if host.is_empty() || !well_formed {
            return None;
        }
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            None => return None,
            // RFC 3986 allows the colon without a number.
            Some("") => None,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
        };
        Some(Self { text, host, port })
    }
}
