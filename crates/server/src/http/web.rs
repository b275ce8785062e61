//! The web client's files, which are part of the binary. Where it was built without them, `pages` stands in.

use super::pages;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::time::Duration;

/// A file with its compressed forms, as the build made them.
#[derive(Debug)]
struct File {
    /// Where it is served: `/assets/index-Bx3k.js`.
    path: &'static str,
    /// Its `ETag`.
    tag: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/web_files.rs"));

/// The page. Its addresses are the client's own business, but for these two.
const INDEX: &str = "/index.html";

/// Files under it carry a hash of their content in their name: what was fetched once is good for ever.
const HASHED: &str = "/assets/";

/// How long a browser may keep a hashed file.
const HASHED_MAX_AGE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Nothing is loaded, run or spoken to but what this server itself serves; nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes of the pages: the web client's, or those that do without it.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let Some(index) = FILES.iter().find(|file| file.path == INDEX) else {
        return Router::new()
            .route("/", get(pages::home))
            .route("/setup", get(pages::setup));
    };
    let page = move |headers: HeaderMap| async move { answer(index, &headers) };
    let router = Router::new()
        .route("/", get(page))
        .route("/setup", get(page));
    FILES
        .iter()
        .filter(|file| file.path != INDEX)
        .fold(router, |router, file| {
            let handler = move |headers: HeaderMap| async move { answer(file, &headers) };
            router.route(file.path, get(handler))
        })
}

fn answer(file: &'static File, headers: &HeaderMap) -> Response {
    let mut response = if is_known(file, headers) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let (content, encoding) = chosen(file, headers);
        let mut response = Body::from(content).into_response();
        if let Some(encoding) = encoding {
            set(&mut response, header::CONTENT_ENCODING, encoding);
        }
        set(&mut response, header::CONTENT_TYPE, content_type(file.path));
        response
    };
    set(&mut response, header::ETAG, file.tag);
    set(&mut response, header::VARY, "Accept-Encoding");
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, header::REFERRER_POLICY, "no-referrer");
    set(&mut response, header::CONTENT_SECURITY_POLICY, POLICY);
    let opener = HeaderName::from_static("cross-origin-opener-policy");
    set(&mut response, opener, "same-origin");
    let caching = if file.path.starts_with(HASHED) {
        format!("public, max-age={}, immutable", HASHED_MAX_AGE.as_secs())
    } else {
        // Kept, but asked about each time: a new version of the server has a new page.
        "no-cache".to_owned()
    };
    if let Ok(caching) = HeaderValue::try_from(caching) {
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, caching);
    }
    response
}

fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    let value = HeaderValue::from_static(value);
    response.headers_mut().insert(name, value);
}

/// Whether the browser has this very content (RFC 9110 section 13.1.2).
fn is_known(file: &File, headers: &HeaderMap) -> bool {
    values(headers, header::IF_NONE_MATCH)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == file.tag)
}

/// The smallest form that the browser reads.
fn chosen(file: &File, headers: &HeaderMap) -> (&'static [u8], Option<&'static str>) {
    let reads = |wanted: &str| {
        values(headers, header::ACCEPT_ENCODING).any(|one| {
            let mut parts = one.split(';').map(str::trim);
            let is_wanted = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(wanted));
            // "q=0" means: not this one (RFC 9110 section 12.4.2).
            is_wanted && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
    };
    match (file.brotli, file.gzip) {
        (Some(content), _) if reads("br") => (content, Some("br")),
        (_, Some(content)) if reads("gzip") => (content, Some("gzip")),
        _ => (file.plain, None),
    }
}

/// The elements of a header that is a list.
fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SCRIPT: File = File {
        path: "/assets/index-Bx3k.js",
        tag: "\"0123\"",
        plain: b"plain",
        gzip: Some(b"gzip"),
        brotli: Some(b"brotli"),
    };
    static PAGE: File = File {
        path: "/index.html",
        gzip: None,
        brotli: None,
        ..SCRIPT
    };

    fn header_of(response: &Response, name: HeaderName) -> Option<&str> {
        response.headers().get(name)?.to_str().ok()
    }

    fn asked(file: &'static File, name: HeaderName, value: &'static str) -> Response {
        answer(
            file,
            &HeaderMap::from_iter([(name, HeaderValue::from_static(value))]),
        )
    }

    #[test]
    fn the_smallest_form_that_the_browser_reads_is_sent() {
        let encoding = |accepts: &'static str| {
            let response = asked(&SCRIPT, header::ACCEPT_ENCODING, accepts);
            header_of(&response, header::CONTENT_ENCODING).map(str::to_owned)
        };
        assert_eq!(encoding("gzip, deflate, br;q=0.9").as_deref(), Some("br"));
        assert_eq!(encoding("GZIP").as_deref(), Some("gzip"));
        assert_eq!(encoding("br;q=0, gzip").as_deref(), Some("gzip"));
        assert_eq!(encoding("identity"), None);
        let plain = asked(&PAGE, header::ACCEPT_ENCODING, "br");
        assert_eq!(header_of(&plain, header::CONTENT_ENCODING), None);
    }

    #[test]
    fn only_what_has_its_hash_in_its_name_is_kept_for_ever() {
        let caching = |file| {
            let response = answer(file, &HeaderMap::new());
            header_of(&response, header::CACHE_CONTROL).map(str::to_owned)
        };
        assert_eq!(
            caching(&SCRIPT).as_deref(),
            Some("public, max-age=31536000, immutable")
        );
        assert_eq!(caching(&PAGE).as_deref(), Some("no-cache"));
    }

    #[test]
    fn what_the_browser_has_is_not_sent_again() {
        let again = asked(&PAGE, header::IF_NONE_MATCH, "\"abc\", W/\"0123\"");
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let new = asked(&PAGE, header::IF_NONE_MATCH, "\"abc\"");
        assert_eq!(new.status(), StatusCode::OK);
    }

    #[test]
    fn every_file_says_what_it_is_and_what_it_may_do() {
        for file in FILES.iter().chain([&SCRIPT, &PAGE]) {
            let response = answer(file, &HeaderMap::new());
            assert_ne!(
                content_type(file.path),
                "application/octet-stream",
                "{}",
                file.path
            );
            assert_eq!(
                header_of(&response, header::CONTENT_SECURITY_POLICY),
                Some(POLICY)
            );
        }
    }
}
