//! Why a server refuses a handshake, and the HTTP answer that says so.

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

use super::head::HeadError;

/// Why a handshake request is refused. `Display` gives the sentence that is also the body of the answer; it never repeats
/// what the client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The bytes are not an HTTP/1.x request (400).
    #[error("this is not a well-formed HTTP/1.1 request")]
    Malformed,
    /// A line of the head ends in LF without CR (400).
    #[error("a line of the request ends in LF without CR")]
    BareLf,
    /// The head is longer than [`HeadLimits::bytes_max`](super::HeadLimits::bytes_max) (431).
    #[error("the request head is too long")]
    HeadTooLarge,
    /// The head has more lines than [`HeadLimits::lines_max`](super::HeadLimits::lines_max) (431).
    #[error("the request has too many header lines")]
    TooManyHeaders,
    /// The method is not GET (405, with `Allow: GET`).
    #[error("a WebSocket is opened with GET")]
    Method,
    /// HTTP/1.0, which has no upgrade, or HTTP/2 without extended CONNECT (400).
    #[error("a WebSocket is opened over HTTP/1.1")]
    HttpVersion,
    /// The request target is neither a path nor an http URL (400).
    #[error("the request target must be a path")]
    RequestTarget,
    /// No `Host`, two, or one that is none (400).
    #[error("the request needs exactly one valid Host header")]
    Host,
    /// The `Connection` header does not name `upgrade` (400).
    #[error("the Connection header does not name upgrade")]
    Connection,
    /// The `Upgrade` header does not name `websocket` (400).
    #[error("the Upgrade header does not name websocket")]
    Upgrade,
    /// The request announces a body (400). Its bytes would be taken for frames.
    #[error("a WebSocket request has no body")]
    Body,
    /// `Sec-WebSocket-Version` stands twice (400).
    #[error("the Sec-WebSocket-Version header must stand once")]
    DuplicateVersion,
    /// `Sec-WebSocket-Version` is not 13 (426, with the version that is spoken).
    #[error("only Sec-WebSocket-Version 13 is spoken here")]
    Version,
    /// `Sec-WebSocket-Key` is missing, stands twice or is not the base64 of 16 bytes (400).
    #[error("the Sec-WebSocket-Key header must be the base64 of 16 bytes, once")]
    Key,
    /// `Sec-WebSocket-Protocol` names something that is no token (400).
    #[error("the Sec-WebSocket-Protocol header is not a list of tokens")]
    Subprotocol,
    /// `Sec-WebSocket-Extensions` does not follow its grammar (400).
    #[error("the Sec-WebSocket-Extensions header is malformed")]
    Extensions,
    /// Over HTTP/2 the method is not CONNECT, or it has no `:protocol` (405, with `Allow: CONNECT`).
    #[error("over HTTP/2 a WebSocket is opened with an extended CONNECT")]
    ConnectMethod,
    /// The `:protocol` of an extended CONNECT is not `websocket` (501, as RFC 9220, section 3, has it).
    #[error("the :protocol is not websocket")]
    Protocol,
    /// Over HTTP/2 `:scheme` or `:path` is missing, or not of an http URL (400).
    #[error("the request needs an http or https :scheme and a :path")]
    ConnectTarget,
    /// Over HTTP/2 `:authority` is missing or none, or `Host` says something else (400).
    #[error("the request needs a valid :authority, and Host must not differ from it")]
    ConnectAuthority,
    /// Over HTTP/2 there is a header of the connection, `Connection` or `Upgrade` (400).
    #[error("HTTP/2 has no Connection and no Upgrade header")]
    ConnectionHeader,
    /// Over HTTP/2 `Sec-WebSocket-Version` is not 13 (400, with the version that is spoken: a 426 would need the header `Upgrade`, which
    /// HTTP/2 does not have).
    #[error("only Sec-WebSocket-Version 13 is spoken here")]
    ConnectVersion,
    /// The page's origin may not connect (403).
    #[error("this origin may not open a WebSocket here")]
    Origin,
    /// The server's own extra response headers contain one that belongs to the handshake (500).
    #[error(
        "the server is set up wrongly: its response headers contain one that belongs to the handshake"
    )]
    ResponseHeaders,
    /// The HTTP server around does not let this request be upgraded (500).
    #[error("this request cannot be upgraded by the HTTP server around it")]
    NotUpgradable,
    /// The request did not arrive in time (408).
    #[error("the request did not arrive in time")]
    Timeout,
}

impl Refusal {
    /// The HTTP status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed
            | Self::BareLf
            | Self::HttpVersion
            | Self::RequestTarget
            | Self::Host
            | Self::Connection
            | Self::Upgrade
            | Self::Body
            | Self::DuplicateVersion
            | Self::Key
            | Self::Subprotocol
            | Self::Extensions
            | Self::ConnectTarget
            | Self::ConnectAuthority
            | Self::ConnectionHeader
            | Self::ConnectVersion => StatusCode::BAD_REQUEST,
            Self::Protocol => StatusCode::NOT_IMPLEMENTED,
            Self::HeadTooLarge | Self::TooManyHeaders => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::Method | Self::ConnectMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::ResponseHeaders | Self::NotUpgradable => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer as an HTTP server sends it: status, headers and one sentence of plain text.
    pub fn response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(format!("{self}\n")));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        match self {
            Self::Method => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET"));
            }
            Self::ConnectMethod => {
                headers.insert(header::ALLOW, HeaderValue::from_static("CONNECT"));
            }
            Self::ConnectVersion => {
                headers.insert(
                    header::SEC_WEBSOCKET_VERSION,
                    HeaderValue::from_static("13"),
                );
            }
            Self::Version => {
                // RFC 6455, section 4.4: which version we speak; RFC 9110, section 15.5.22: what to upgrade to.
                headers.insert(
                    header::SEC_WEBSOCKET_VERSION,
                    HeaderValue::from_static("13"),
                );
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            }
            _ => {}
        }
        response
    }
}

/// An answer as bytes for a raw stream, which ends with it: its length and the end are for us to tell.
pub(super) fn encode_refusal(mut response: Response<Bytes>) -> Bytes {
    // Whatever length such an answer tells, it has no body (RFC 9112, section 6.3).
    if [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&response.status()) {
        response.body_mut().clear();
    }
    let length = HeaderValue::from(response.body().len());
    let headers = response.headers_mut();
    headers.remove(header::TRANSFER_ENCODING);
    headers.insert(header::CONTENT_LENGTH, length);
    headers.append(header::CONNECTION, HeaderValue::from_static("close"));
    let mut bytes = encode_head(&response);
    bytes.extend_from_slice(response.body());
    bytes.freeze()
}

impl From<HeadError> for Refusal {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::TooManyBytes => Self::HeadTooLarge,
            HeadError::TooManyHeaders => Self::TooManyHeaders,
            HeadError::BareLf => Self::BareLf,
            HeadError::Malformed => Self::Malformed,
        }
    }
}

/// Status line, header lines and the empty line. `http`'s types cannot hold a line break, so nothing can be injected.
pub(super) fn encode_head<B>(response: &Response<B>) -> BytesMut {
    let status = response.status();
    let mut bytes = BytesMut::with_capacity(256);
    bytes.extend_from_slice(b"HTTP/1.1 ");
    bytes.extend_from_slice(status.as_str().as_bytes());
    bytes.extend_from_slice(b" ");
    bytes.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    bytes.extend_from_slice(b"\r\n");
    encode_headers(response.headers(), &mut bytes);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// Header lines, in the spelling of RFC 6455 where it has one: names are case-insensitive, yet some old peers and all
/// human readers expect it.
pub(super) fn encode_headers(headers: &HeaderMap, bytes: &mut BytesMut) {
    for (name, value) in headers {
        encode_line(name, value, |part| bytes.extend_from_slice(part));
    }
}

pub(super) fn encode_line(name: &HeaderName, value: &HeaderValue, mut put: impl FnMut(&[u8])) {
    put(spelling(name).as_bytes());
    put(b": ");
    put(value.as_bytes());
    put(b"\r\n");
}

/// How many bytes [`encode_line`] writes.
pub(super) fn encoded_line_bytes(name: &HeaderName, value: &HeaderValue) -> usize {
    name.as_str().len() + value.len() + b": \r\n".len()
}

fn spelling(name: &HeaderName) -> &str {
    match name.as_str() {
        "host" => "Host",
        "upgrade" => "Upgrade",
        "connection" => "Connection",
        "origin" => "Origin",
        "allow" => "Allow",
        "content-type" => "Content-Type",
        "content-length" => "Content-Length",
        "sec-websocket-key" => "Sec-WebSocket-Key",
        "sec-websocket-accept" => "Sec-WebSocket-Accept",
        "sec-websocket-version" => "Sec-WebSocket-Version",
        "sec-websocket-protocol" => "Sec-WebSocket-Protocol",
        "sec-websocket-extensions" => "Sec-WebSocket-Extensions",
        other => other,
    }
}
