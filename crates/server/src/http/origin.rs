//! Which pages may open the chat from a browser.

use axum::http::{HeaderMap, Uri, header};

/// The origin (`https://chat.example.org`) of a URL; none where it has no scheme or host.
fn origin_of(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let host = uri.host()?.to_ascii_lowercase();
    match (uri.port_u16(), scheme.as_str()) {
        (None, _) | (Some(80), "http") | (Some(443), "https") => Some(format!("{scheme}://{host}")),
        (Some(port), _) => Some(format!("{scheme}://{host}:{port}")),
    }
}

/// The origin of the URL that people use; none where no browser could use it.
pub(crate) fn public_origin(url: &str) -> Option<String> {
    origin_of(url).filter(|origin| origin.starts_with("http://") || origin.starts_with("https://"))
}

/// Whether the request's page may go on: it is from this host, from the public URL, or no page at all.
pub(super) fn allowed(headers: &HeaderMap, public_origin: Option<&str>) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else {
        // Programs that are no browsers send none, and could send any.
        return true;
    };
    let Some(origin) = origin.to_str().ok().and_then(origin_of) else {
        return false;
    };
    if origins.next().is_some() {
        return false;
    }
    if public_origin == Some(origin.as_str()) {
        return true;
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let scheme = origin
        .split_once("://")
        .map_or("http", |(scheme, _)| scheme);
    host.and_then(|host| origin_of(&format!("{scheme}://{host}")))
        .as_deref()
        == Some(origin.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(origin: Option<&'static str>, host: &'static str, public: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        allowed(&headers, public)
    }

    #[test]
    fn only_our_own_pages_and_programs_may() {
        assert!(check(None, "localhost:7300", None));
        assert!(check(Some("http://localhost:7300"), "localhost:7300", None));
        assert!(check(
            Some("https://chat.example.org"),
            "chat.example.org:443",
            None
        ));
        assert!(check(
            Some("https://chat.example.org"),
            "127.0.0.1:7300",
            Some("https://chat.example.org")
        ));
        assert!(!check(Some("https://evil.example"), "localhost:7300", None));
        assert!(!check(
            Some("http://localhost:7301"),
            "localhost:7300",
            None
        ));
        assert!(!check(Some("null"), "localhost:7300", None));
        assert!(!check(
            Some("https://localhost.evil.example"),
            "localhost",
            Some("https://chat.example.org")
        ));
    }

    #[test]
    fn an_origin_leaves_out_the_usual_port_and_the_path() {
        assert_eq!(
            origin_of("https://Chat.example.org:443/suda").as_deref(),
            Some("https://chat.example.org")
        );
        assert_eq!(
            origin_of("http://localhost:7300").as_deref(),
            Some("http://localhost:7300")
        );
        assert_eq!(origin_of("chat.example.org"), None);
    }
}
