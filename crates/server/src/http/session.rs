//! Who a request is from: a program's bearer token, or a browser's cookie. A cookie goes along with whatever any page makes the
//! browser ask for, so it counts only where the request shows that it comes from a page of ours.

use super::api::bearer;
use super::origin;
use axum::http::{HeaderMap, HeaderValue, header};
use std::time::Duration;
use suda_protocol::v1::ErrorCode;

/// How long a browser keeps the cookie: the most that browsers grant. Signing out ends the session itself.
const MAX_AGE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The cookies of one server.
#[derive(Debug)]
pub(crate) struct Cookies {
    /// The origin of the public URL, if one is set.
    public_origin: Option<String>,
}

impl Cookies {
    pub(crate) fn new(public_origin: Option<String>) -> Self {
        Self { public_origin }
    }

    /// The token of a request that changes nothing.
    pub(super) fn token<'a>(&self, headers: &'a HeaderMap) -> Result<&'a str, ErrorCode> {
        bearer(headers).or_else(|_| self.cookie(headers).ok_or(ErrorCode::Unauthenticated))
    }

    /// The token of a request that changes something, or of an upgrade.
    pub(super) fn token_of_unsafe<'a>(&self, headers: &'a HeaderMap) -> Result<&'a str, ErrorCode> {
        if let Ok(token) = bearer(headers) {
            return Ok(token);
        }
        let token = self.cookie(headers).ok_or(ErrorCode::Unauthenticated)?;
        self.check_origin(headers)?;
        Ok(token)
    }

    /// Refuses what doesn't come from a page of ours. Browsers name the page's origin with each such request.
    pub(super) fn check_origin(&self, headers: &HeaderMap) -> Result<(), ErrorCode> {
        let is_ours = headers.contains_key(header::ORIGIN)
            && origin::allowed(headers, self.public_origin.as_deref());
        if is_ours {
            Ok(())
        } else {
            Err(ErrorCode::Forbidden)
        }
    }

    /// `Set-Cookie` that begins a session.
    pub(super) fn begin(&self, token: &str) -> Option<HeaderValue> {
        self.set(token, MAX_AGE)
    }

    /// `Set-Cookie` that takes the cookie away.
    pub(super) fn end(&self) -> Option<HeaderValue> {
        self.set("", Duration::ZERO)
    }

    fn set(&self, token: &str, max_age: Duration) -> Option<HeaderValue> {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let text = format!(
            "{}={token}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{secure}",
            self.name(),
            max_age.as_secs()
        );
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    fn is_secure(&self) -> bool {
        self.public_origin
            .as_ref()
            .is_some_and(|origin| origin.starts_with("https://"))
    }

    /// With the prefix no other host of the domain, and nobody on plain http, can plant a cookie of this name.
    fn name(&self) -> &'static str {
        if self.is_secure() {
            "__Host-suda"
        } else {
            "suda"
        }
    }

    fn cookie<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers
            .get_all(header::COOKIE)
            .into_iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == self.name())
            .map(|(_, token)| token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn plain() -> Cookies {
        Cookies::new(None)
    }

    fn public() -> Cookies {
        Cookies::new(Some("https://chat.example.org".to_owned()))
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let value = plain().begin("abc").unwrap();
        assert_eq!(
            value.to_str().unwrap(),
            "suda=abc; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict"
        );
        let value = public().begin("abc").unwrap();
        assert_eq!(
            value.to_str().unwrap(),
            "__Host-suda=abc; Path=/; Max-Age=34560000; HttpOnly; SameSite=Strict; Secure"
        );
        assert!(value.is_sensitive());
        let value = plain().end().unwrap();
        assert!(
            value
                .to_str()
                .unwrap()
                .starts_with("suda=; Path=/; Max-Age=0;")
        );
    }

    #[test]
    fn a_cookie_counts_only_from_our_own_pages() {
        let with = |origin: Option<&'static str>| {
            let mut pairs = vec![("host", "localhost:7300"), ("cookie", "a=b; suda=abc")];
            pairs.extend(origin.map(|origin| ("origin", origin)));
            headers(&pairs)
        };
        let ours = with(Some("http://localhost:7300"));
        assert_eq!(plain().token_of_unsafe(&ours), Ok("abc"));
        for other in [None, Some("https://evil.example"), Some("null")] {
            let headers = with(other);
            assert_eq!(plain().token_of_unsafe(&headers), Err(ErrorCode::Forbidden));
            assert_eq!(plain().token(&headers), Ok("abc"));
        }
    }

    #[test]
    fn a_bearer_token_needs_no_page_and_comes_first() {
        let headers = headers(&[("authorization", "Bearer xyz"), ("cookie", "suda=abc")]);
        assert_eq!(plain().token_of_unsafe(&headers), Ok("xyz"));
        assert_eq!(plain().token(&headers), Ok("xyz"));
    }

    #[test]
    fn on_https_only_the_cookie_that_nobody_else_can_plant_counts() {
        let planted = headers(&[("cookie", "suda=abc")]);
        assert_eq!(public().token(&planted), Err(ErrorCode::Unauthenticated));
        let own = headers(&[("cookie", "x=y"), ("cookie", "__Host-suda=abc")]);
        assert_eq!(public().token(&own), Ok("abc"));
    }
}
