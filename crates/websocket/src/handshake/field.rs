//! Reading header fields: lists of tokens, and fields that may stand only once.

use http::header::{
    AsHeaderName, CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderValue, SEC_WEBSOCKET_PROTOCOL,
    TRANSFER_ENCODING, UPGRADE,
};

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
    headers
        .get_all(name)
        .into_iter()
        .any(|line| line_has_token(line, token))
}

fn line_has_token(line: &HeaderValue, token: &str) -> bool {
    // Mostly it is alone.
    line.as_bytes().eq_ignore_ascii_case(token.as_bytes())
        || items(line).any(|item| item.eq_ignore_ascii_case(token))
}

/// The items of a comma-separated list over all lines of that name. Empty items are skipped (RFC 9110, section 5.6.1),
/// lines that aren't text too.
pub(super) fn list(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().flat_map(items)
}

fn items(line: &HeaderValue) -> impl Iterator<Item = &str> {
    line.to_str()
        .unwrap_or_default()
        .split(',')
        .map(|item| item.trim_matches([' ', '\t']))
        .filter(|item| !item.is_empty())
}

/// A field that may stand at most once.
#[derive(Clone, Copy)]
pub(super) enum Single<'a> {
    Absent,
    One(&'a str),
    /// Twice or more, or not text.
    Malformed,
}

impl<'a> Single<'a> {
    /// With one more line.
    fn add(&mut self, line: &'a HeaderValue) {
        *self = match self {
            Self::Absent => line.to_str().map_or(Self::Malformed, Self::One),
            _ => Self::Malformed,
        };
    }
}

pub(super) fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Single<'_> {
    let mut field = Single::Absent;
    for line in headers.get_all(name) {
        field.add(line);
    }
    field
}

/// Whether the request announces bytes of its own, which would be taken for frames.
pub(super) fn has_body(headers: &HeaderMap) -> bool {
    announces_bytes(single(headers, CONTENT_LENGTH)) || headers.contains_key(TRANSFER_ENCODING)
}

/// A length of zero announces nothing.
fn announces_bytes(content_length: Single<'_>) -> bool {
    !matches!(content_length, Single::Absent | Single::One("0"))
}

/// What a handshake's headers say, gathered in one go through all of them: most are asked for, and each look-up in the map
/// costs as much as a few steps of the way.
pub(super) struct Fields<'a> {
    pub(super) host: Single<'a>,
    pub(super) origin: Single<'a>,
    pub(super) version: Single<'a>,
    pub(super) key: Single<'a>,
    pub(super) connection_names_upgrade: bool,
    pub(super) upgrade_names_websocket: bool,
    /// The request announces bytes of its own.
    pub(super) body: bool,
    /// There is a line of subprotocols, of whatever content.
    pub(super) subprotocols: bool,
    /// There is a line of extensions, of whatever content.
    pub(super) extensions: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut fields = Self {
            host: Single::Absent,
            origin: Single::Absent,
            version: Single::Absent,
            key: Single::Absent,
            connection_names_upgrade: false,
            upgrade_names_websocket: false,
            body: false,
            subprotocols: false,
            extensions: false,
        };
        let mut content_length = Single::Absent;
        for (name, line) in headers {
            match name.as_str() {
                "host" => fields.host.add(line),
                "origin" => fields.origin.add(line),
                "sec-websocket-version" => fields.version.add(line),
                "sec-websocket-key" => fields.key.add(line),
                "content-length" => content_length.add(line),
                "connection" => fields.connection_names_upgrade |= line_has_token(line, "upgrade"),
                "upgrade" => fields.upgrade_names_websocket |= line_has_token(line, "websocket"),
                "transfer-encoding" => fields.body = true,
                "sec-websocket-protocol" => fields.subprotocols = true,
                "sec-websocket-extensions" => fields.extensions = true,
                _ => {}
            }
        }
        fields.body |= announces_bytes(content_length);
        fields
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
