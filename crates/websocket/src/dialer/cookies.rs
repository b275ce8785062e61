//! Cookies of handshakes: what a jar is, and how it meets the headers. The jar in memory is next door.

use std::fmt;

use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};

use crate::handshake::Target;

/// Keeps cookies between handshakes, and with a program's other HTTP requests if they share the jar.
///
/// Its methods are called from the dialling task and must not block for long.
pub trait CookieJar: Send + Sync {
    /// The `Cookie` header to send to this URL: `a=b; c=d`. `None` if there is no cookie for it. A `wss` URL stands for `https`, `ws`
    /// for `http`.
    fn cookies(&self, url: &Target) -> Option<HeaderValue>;

    /// Takes the `Set-Cookie` headers that this URL has answered with, also when it refused the WebSocket. What they say is the
    /// server's: which of them to keep (domain, path, `Secure`, …) is for the jar to decide.
    fn set_cookies(&self, url: &Target, set_cookie: &mut dyn Iterator<Item = &HeaderValue>);
}

impl fmt::Debug for dyn CookieJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieJar(..)")
    }
}

/// Puts the jar's cookies into the request, behind those that the caller has set: one `Cookie` header in all (RFC 6265, section 5.4).
pub(super) fn add_cookies(jar: &dyn CookieJar, url: &Target, headers: &mut HeaderMap) {
    let Some(from_jar) = jar.cookies(url) else {
        return;
    };
    let own = headers.get_all(COOKIE).iter();
    let all: Vec<&[u8]> = own.chain([&from_jar]).map(HeaderValue::as_bytes).collect();
    // What is joined from valid values is one.
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}

/// Gives the answer's cookies to the jar.
pub(super) fn keep_cookies(jar: &dyn CookieJar, url: &Target, headers: &HeaderMap) {
    if headers.contains_key(SET_COOKIE) {
        jar.set_cookies(url, &mut headers.get_all(SET_COOKIE).iter());
    }
}
