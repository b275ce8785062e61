//! A cookie jar in memory, with bounds. The rules of domain, path and expiry are those of `cookie_store`; here is what it has not: a
//! limit, and who has to go when it is reached.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cookie_store::{Cookie, CookieStore, RawCookie};
use http::header::HeaderValue;
use url::Url;

use super::CookieJar;
use crate::handshake::Target;

/// Cookies kept for one domain: as many as RFC 6265, section 6.1, wants at least.
const COOKIES_PER_DOMAIN_MAX: usize = 50;

/// Cookies kept in all, likewise.
const COOKIES_MAX: usize = 3000;

/// Cookies in memory, by the rules of RFC 6265: domain, path, expiry, `Secure`, `HttpOnly`. It holds no list of public suffixes: a host below
/// `co.uk` can set a cookie for all of `co.uk`. So use a jar for servers that trust each other.
///
/// At most 50 cookies are kept for a domain, and 3000 in all (section 6.1). Who sets more loses the expired ones first, then
/// those that were set longest ago, of that domain or of all.
#[derive(Default)]
pub struct MemoryCookieJar {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    store: CookieStore,
    /// Every cookie of the store, the one that was set longest ago first.
    order: VecDeque<Key>,
}

/// What makes a cookie the same as an earlier one (RFC 6265, section 5.3, step 11).
#[derive(Debug, PartialEq, Eq)]
struct Key {
    domain: String,
    path: String,
    name: String,
}

impl MemoryCookieJar {
    /// An empty jar.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many cookies it holds: what they say may be credentials.
impl fmt::Debug for MemoryCookieJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCookieJar")
            .field("cookies", &self.lock().order.len())
            .finish()
    }
}

impl CookieJar for MemoryCookieJar {
    fn cookies(&self, url: &Target) -> Option<HeaderValue> {
        let url = http_url(url)?;
        let kept = self.lock();
        let pairs: Vec<String> = kept
            .store
            .get_request_values(&url)
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty())
            .then(|| HeaderValue::from_str(&pairs.join("; ")).ok())
            .flatten()
    }

    fn set_cookies(&self, url: &Target, set_cookie: &mut dyn Iterator<Item = &HeaderValue>) {
        let Some(url) = http_url(url) else { return };
        let mut kept = self.lock();
        for line in set_cookie.filter_map(|line| line.to_str().ok()) {
            if let Ok(cookie) = RawCookie::parse(line) {
                kept.insert(&cookie, &url);
            }
        }
    }
}

impl Kept {
    fn insert(&mut self, cookie: &RawCookie<'_>, url: &Url) {
        let Ok(cookie) = Cookie::try_from_raw_cookie(cookie, url) else {
            return;
        };
        let key = Key {
            domain: String::from(&cookie.domain),
            path: String::from(&cookie.path),
            name: cookie.name().to_owned(),
        };
        // What the store refuses, a cookie for somebody else's domain for one, leaves everything as it was.
        if self.store.insert(cookie.into_owned(), url).is_err() {
            return;
        }
        self.order.retain(|known| *known != key);
        if self.next_to_go(&key.domain).is_some() {
            self.drop_expired();
        }
        if let Some(old) = (self.next_to_go(&key.domain)).and_then(|at| self.order.remove(at)) {
            self.store.remove(&old.domain, &old.path, &old.name);
        }
        self.order.push_back(key);
    }

    /// The place, in the order, of the cookie that must make room for one more of this domain.
    fn next_to_go(&self, domain: &str) -> Option<usize> {
        let places = self.order.iter().enumerate();
        let mut of_domain = places.filter(|(_, key)| key.domain == domain);
        if of_domain.clone().count() >= COOKIES_PER_DOMAIN_MAX {
            of_domain.next().map(|(at, _)| at)
        } else {
            (self.order.len() >= COOKIES_MAX).then_some(0)
        }
    }

    fn drop_expired(&mut self) {
        let store = &mut self.store;
        self.order.retain(|key| {
            let lives = store.contains(&key.domain, &key.path, &key.name);
            if !lives {
                store.remove(&key.domain, &key.path, &key.name);
            }
            lives
        });
    }
}

fn http_url(target: &Target) -> Option<Url> {
    let scheme = if target.is_secure() { "https" } else { "http" };
    let (authority, path) = (target.authority(), target.path_and_query());
    Url::parse(&format!("{scheme}://{authority}{path}")).ok()
}
