//! Cookies of handshakes: what a jar is, and one in memory.

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
    let joined = match headers.get(COOKIE) {
        Some(own) => {
            HeaderValue::from_bytes(&[own.as_bytes(), b"; ", from_jar.as_bytes()].concat())
                .unwrap_or(from_jar)
        }
        None => from_jar,
    };
    headers.insert(COOKIE, joined);
}

/// Gives the answer's cookies to the jar.
pub(super) fn keep_cookies(jar: &dyn CookieJar, url: &Target, headers: &HeaderMap) {
    if headers.contains_key(SET_COOKIE) {
        jar.set_cookies(url, &mut headers.get_all(SET_COOKIE).iter());
    }
}

#[cfg(feature = "cookies")]
mod memory {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use cookie_store::{CookieStore, RawCookie};
    use http::header::HeaderValue;
    use url::Url;

    use super::CookieJar;
    use crate::handshake::Target;

    /// Cookies in memory, by the rules of RFC 6265: domain, path, expiry, `Secure`, `HttpOnly`. It holds no list of public suffixes: a host below
    /// `co.uk` can set a cookie for all of `co.uk`. So use a jar for servers that trust each other.
    #[derive(Debug, Default)]
    pub struct MemoryCookieJar {
        store: Mutex<CookieStore>,
    }

    impl MemoryCookieJar {
        /// An empty jar.
        pub fn new() -> Self {
            Self::default()
        }

        fn lock(&self) -> MutexGuard<'_, CookieStore> {
            self.store.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl CookieJar for MemoryCookieJar {
        fn cookies(&self, url: &Target) -> Option<HeaderValue> {
            let url = http_url(url)?;
            let store = self.lock();
            let pairs: Vec<String> = store
                .get_request_values(&url)
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            (!pairs.is_empty())
                .then(|| HeaderValue::from_str(&pairs.join("; ")).ok())
                .flatten()
        }

        fn set_cookies(&self, url: &Target, set_cookie: &mut dyn Iterator<Item = &HeaderValue>) {
            let Some(url) = http_url(url) else { return };
            let cookies = set_cookie
                .filter_map(|line| line.to_str().ok())
                .filter_map(|line| RawCookie::parse(line.to_owned()).ok());
            self.lock().store_response_cookies(cookies, &url);
        }
    }

    fn http_url(target: &Target) -> Option<Url> {
        let scheme = if target.is_secure() { "https" } else { "http" };
        let (authority, path) = (target.authority(), target.path_and_query());
        Url::parse(&format!("{scheme}://{authority}{path}")).ok()
    }
}

#[cfg(feature = "cookies")]
pub use memory::MemoryCookieJar;
