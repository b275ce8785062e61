//! Two small pages for a binary that was built without the web client: what this server is, and the form for its first administrator.
//! In Korean or English, as the browser asks.

use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("pages/style.css");
const SETUP_SCRIPT: &str = include_str!("pages/setup.js");
const HOME_KO: &str = include_str!("pages/home.ko.html");
const HOME_EN: &str = include_str!("pages/home.en.html");
const SETUP_KO: &str = include_str!("pages/setup.ko.html");
const SETUP_EN: &str = include_str!("pages/setup.en.html");

/// Nothing may be loaded or run but the page's own style and script, which are named by their hashes.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        STANDARD.encode(Sha256::digest(STYLE)),
        STANDARD.encode(Sha256::digest(SETUP_SCRIPT)),
    )
});

pub(super) async fn home(headers: HeaderMap) -> Response {
    page(if prefers_korean(&headers) {
        HOME_KO
    } else {
        HOME_EN
    })
}

pub(super) async fn setup(headers: HeaderMap) -> Response {
    page(if prefers_korean(&headers) {
        SETUP_KO
    } else {
        SETUP_EN
    })
}

fn page(template: &str) -> Response {
    let html = template
        .replace("{style}", STYLE)
        .replace("{script}", SETUP_SCRIPT);
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "Accept-Language"),
    ];
    (headers, Html(html)).into_response()
}

/// Whether Korean stands before English in `Accept-Language`. Weights are left aside: browsers list the preferred first.
fn prefers_korean(headers: &HeaderMap) -> bool {
    let languages = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    languages
        .split(',')
        .map(|language| language.trim().to_ascii_lowercase())
        .find(|language| language.starts_with("ko") || language.starts_with("en"))
        .is_some_and(|language| language.starts_with("ko"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_two_languages_counts() {
        let prefers = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, value.parse().unwrap());
            prefers_korean(&headers)
        };
        assert!(prefers("ko-KR,ko;q=0.9,en;q=0.8"));
        assert!(prefers("de, ko;q=0.5"));
        assert!(!prefers("en-US,en;q=0.9,ko;q=0.8"));
        assert!(!prefers("fr"));
    }

    #[test]
    fn pages_load_nothing_from_elsewhere_and_say_what_is_missing() {
        for (template, sentence) in [
            (HOME_KO, "cargo xtask web"),
            (HOME_EN, "cargo xtask web"),
            (SETUP_KO, "lang=\"ko\""),
            (SETUP_EN, "lang=\"en\""),
        ] {
            assert!(template.contains(sentence));
            assert!(!template.contains("http://") && !template.contains("https://"));
        }
        assert!(POLICY.contains("default-src 'none'") && !POLICY.contains("unsafe"));
    }
}
