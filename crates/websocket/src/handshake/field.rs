//! Reading header fields: lists of tokens, and fields that may stand only once. They stand in a map that somebody else has made, or
//! still in the lines of a head ([`Lines`]).

use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_PROTOCOL,
    TRANSFER_ENCODING, UPGRADE,
};

/// Where header lines stand. Whoever has parsed them has made sure that names are tokens, and that values have no control characters but
/// the tab.
pub(super) trait Lines {
    /// All names, in any case, with their values. Those of one name are in order.
    fn all(&self) -> impl Iterator<Item = (&[u8], &[u8])>;

    /// The values of one name, in order.
    fn named(&self, name: HeaderName) -> impl Iterator<Item = &[u8]>;
}

impl Lines for HeaderMap {
    fn all(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.iter()
            .map(|(name, line)| (name.as_str().as_bytes(), line.as_bytes()))
    }

    fn named(&self, name: HeaderName) -> impl Iterator<Item = &[u8]> {
        self.get_all(name).into_iter().map(HeaderValue::as_bytes)
    }
}

/// A header line that stands in a head.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) name: &'a [u8],
    /// Without the blanks around it.
    pub(super) value: &'a [u8],
}

impl Lines for [Line<'_>] {
    fn all(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.iter().map(|line| (line.name, line.value))
    }

    fn named(&self, name: HeaderName) -> impl Iterator<Item = &[u8]> {
        self.all()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name.as_str().as_bytes()))
            .map(|(_, line)| line)
    }
}

/// Whether these request headers ask for a WebSocket: `Connection` names `upgrade`, and `Upgrade` names `websocket`.
/// It says nothing about whether the rest of the handshake is right; use it to tell a WebSocket from an ordinary
/// request on the same URL.
pub fn is_websocket_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, CONNECTION, b"upgrade") && has_token(headers, UPGRADE, b"websocket")
}

/// The subprotocols that the client offers, in its order of preference, over all `Sec-WebSocket-Protocol` lines.
pub fn subprotocols(headers: &HeaderMap) -> Vec<&str> {
    offered(headers).collect()
}

/// As [`subprotocols`], wherever they stand.
pub(super) fn offered(lines: &(impl Lines + ?Sized)) -> impl Iterator<Item = &str> {
    list(lines, SEC_WEBSOCKET_PROTOCOL)
}

/// The items of a comma-separated list over all lines of that name.
pub(super) fn list(lines: &(impl Lines + ?Sized), name: HeaderName) -> impl Iterator<Item = &str> {
    lines.named(name).flat_map(items)
}

/// Whether a comma-separated list holds `token`, in any case.
pub(super) fn has_token<const N: usize>(
    headers: &HeaderMap,
    name: HeaderName,
    token: &[u8; N],
) -> bool {
    headers.named(name).any(|line| line_has_token(line, token))
}

/// `token` is of small letters.
fn line_has_token<const N: usize>(line: &[u8], token: &[u8; N]) -> bool {
    // Mostly it is alone.
    is_in_any_case(line, token)
        || items(line).any(|item| item.as_bytes().eq_ignore_ascii_case(token))
}

/// Whether that is `known`, which is of small letters and hyphens, in whatever case; `text` has no carriage return, which would pass for a
/// hyphen.
#[inline(always)]
fn is_in_any_case<const N: usize>(text: &[u8], known: &[u8; N]) -> bool {
    const SMALL: u8 = b'a' ^ b'A';
    // What the bit makes a small letter was that letter, small or great. All are compared at once: there is no branch for each.
    <&[u8; N]>::try_from(text).is_ok_and(|text| {
        let differing = |at: usize| (text[at] | SMALL) ^ known[at];
        (0..N).fold(0, |all, at| all | differing(at)) == 0
    })
}

/// A line as text, if it is ASCII. The same as [`HeaderValue::to_str`], because it has no control characters.
pub(super) fn text(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line)
        .ok()
        .filter(|text| text.is_ascii())
}

/// The items of a comma-separated list. Empty ones are skipped (RFC 9110, section 5.6.1); a line that isn't text has none.
fn items(line: &[u8]) -> impl Iterator<Item = &str> {
    text(line)
        .unwrap_or_default()
        .split(',')
        .map(|item| item.trim_matches([' ', '\t']))
        .filter(|item| !item.is_empty())
}

/// A field that may stand at most once.
#[derive(Clone, Copy)]
pub(super) enum Single<'a> {
    Absent,
    /// ASCII, without control characters but the tab.
    One(&'a [u8]),
    /// Twice or more, or not text.
    Malformed,
}

impl<'a> Single<'a> {
    /// With one more line.
    fn add(&mut self, line: &'a [u8]) {
        *self = match self {
            Self::Absent if line.is_ascii() => Self::One(line),
            _ => Self::Malformed,
        };
    }
}

pub(super) fn single(headers: &HeaderMap, name: HeaderName) -> Single<'_> {
    let mut field = Single::Absent;
    for line in headers.named(name) {
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
    !matches!(content_length, Single::Absent | Single::One(b"0"))
}

/// What a handshake's headers say, gathered in one go through all of them: most are asked for, and each look-up
/// costs as much as a few steps of the way, or all of it.
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
    pub(super) fn of(lines: &'a (impl Lines + ?Sized)) -> Self {
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
        for (name, line) in lines.all() {
            if is_in_any_case(name, b"host") {
                fields.host.add(line);
            } else if is_in_any_case(name, b"origin") {
                fields.origin.add(line);
            } else if is_in_any_case(name, b"upgrade") {
                fields.upgrade_names_websocket |= line_has_token(line, b"websocket");
            } else if is_in_any_case(name, b"connection") {
                fields.connection_names_upgrade |= line_has_token(line, b"upgrade");
            } else if is_in_any_case(name, b"sec-websocket-key") {
                fields.key.add(line);
            } else if is_in_any_case(name, b"sec-websocket-version") {
                fields.version.add(line);
            } else if is_in_any_case(name, b"sec-websocket-protocol") {
                fields.subprotocols = true;
            } else if is_in_any_case(name, b"sec-websocket-extensions") {
                fields.extensions = true;
            } else if is_in_any_case(name, b"content-length") {
                content_length.add(line);
            } else if is_in_any_case(name, b"transfer-encoding") {
                fields.body = true;
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

pub(super) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~'
        )
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
