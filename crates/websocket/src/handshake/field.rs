//! Reading header fields: lists of tokens, and fields that may stand only once.

use http::header::{AsHeaderName, CONNECTION, HeaderMap, SEC_WEBSOCKET_PROTOCOL, UPGRADE};

/// Whether these request headers ask for a WebSocket: `Connection` names `upgrade`, and `Upgrade` names `websocket`.
/// It says nothing about whether the rest of the handshake is right; use it to tell a WebSocket from an ordinary
/// request on the same URL.
pub fn is_websocket_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, CONNECTION, "upgrade") && has_token(headers, UPGRADE, "websocket")
}

/// The subprotocols that the client offers, in its order of preference, over all `Sec-WebSocket-Protocol` lines.
pub fn subprotocols(headers: &HeaderMap) -> Vec<&str> {
    list(headers, SEC_WEBSOCKET_PROTOCOL).collect()
}

/// Whether a comma-separated list holds `token`, in any case.
pub(super) fn has_token(headers: &HeaderMap, name: impl AsHeaderName, token: &str) -> bool {
    list(headers, name).any(|item| item.eq_ignore_ascii_case(token))
}

/// The items of a comma-separated list over all lines of that name. Empty items are skipped (RFC 9110, section 5.6.1),
/// lines that aren't text too.
pub(super) fn list(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(|item| item.trim_matches([' ', '\t']))
        .filter(|item| !item.is_empty())
}

/// A field that may stand at most once.
pub(super) enum Single<'a> {
    Absent,
    One(&'a str),
    /// Twice or more, or not text.
    Malformed,
}

pub(super) fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Single<'_> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (None, _) => Single::Absent,
        (Some(value), None) => value.to_str().map_or(Single::Malformed, Single::One),
        (Some(_), Some(_)) => Single::Malformed,
    }
}

/// Whether `text` is a token (RFC 9110, section 5.6.2), as subprotocol names must be.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn an_upgrade_is_recognised_in_lists_in_any_case_and_over_several_lines() {
        assert!(is_websocket_upgrade(&headers(&[
            ("connection", "keep-alive"),
            ("connection", "x,\tUpgrade ,"),
            ("upgrade", "h2c, WebSocket"),
        ])));
        assert!(!is_websocket_upgrade(&headers(&[
            ("connection", "upgraded"),
            ("upgrade", "websocket")
        ])));
        assert!(!is_websocket_upgrade(&headers(&[
            ("connection", "upgrade"),
            ("upgrade", "web socket")
        ])));
        assert!(!is_websocket_upgrade(&headers(&[(
            "connection",
            "upgrade"
        )])));
    }

    #[test]
    fn offered_subprotocols_keep_their_order_over_several_lines() {
        let map = headers(&[
            ("sec-websocket-protocol", "b, a"),
            ("sec-websocket-protocol", ",c"),
        ]);
        assert_eq!(subprotocols(&map), ["b", "a", "c"]);
    }
}
