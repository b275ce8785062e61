//! Collecting the head of an HTTP/1.1 message from pieces of any size, within bounds.

use bytes::{Buf as _, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request;
use http::{Method, Request, Response, StatusCode, Uri, Version};

use super::field::is_token_byte;
use super::limits::HeadLimits;

/// What is wrong with a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeadError {
    /// No end within the limit of bytes.
    TooManyBytes,
    /// More header lines than the limit.
    TooManyHeaders,
    /// A line ends in LF alone. Proxies disagree on where such a message ends, which is how requests are smuggled.
    BareLf,
    /// Not HTTP, or not a version 1.x of it.
    Malformed,
}

/// Bytes of a head until its empty line has come. The verdict depends on the bytes only, never on how they were cut.
#[derive(Debug)]
pub(super) struct HeadBuffer {
    bytes: BytesMut,
    limits: HeadLimits,
    /// Lines that have ended, the first of them no header.
    lines: usize,
    /// How many of `bytes` were looked at; no byte is looked at twice.
    scanned: usize,
}

impl HeadBuffer {
    pub(super) fn new(limits: HeadLimits) -> Self {
        Self {
            bytes: BytesMut::new(),
            limits,
            lines: 0,
            scanned: 0,
        }
    }

    /// Takes a piece; `Some(head)` once the empty line is there. What follows it is kept for [`take_rest`](Self::take_rest).
    /// Holds at most the limit and what the last piece brought.
    pub(super) fn receive(&mut self, piece: &[u8]) -> Result<Option<BytesMut>, HeadError> {
        self.bytes.extend_from_slice(piece);
        // A TLS hello or another protocol shows at its first byte: no need to wait for an empty line that never comes.
        if self.bytes.first().is_some_and(|&byte| !is_token_byte(byte)) {
            return Err(HeadError::Malformed);
        }
        while self.scanned < self.bytes.len() {
            if self.scanned >= self.limits.bytes_max {
                return Err(HeadError::TooManyBytes);
            }
            let at = self.scanned;
            self.scanned += 1;
            if self.bytes[at] != b'\n' {
                continue;
            }
            if at == 0 || self.bytes[at - 1] != b'\r' {
                return Err(HeadError::BareLf);
            }
            if self.bytes[..=at].ends_with(b"\r\n\r\n") {
                self.scanned = 0;
                return Ok(Some(self.bytes.split_to(at + 1)));
            }
            if self.lines > self.limits.lines_max {
                return Err(HeadError::TooManyHeaders);
            }
            self.lines += 1;
        }
        Ok(None)
    }

    /// Gives away what came after the head.
    pub(super) fn take_rest(&mut self) -> BytesMut {
        std::mem::take(&mut self.bytes)
    }
}

/// Parses a complete request head.
pub(super) fn parse_request(head: &[u8]) -> Result<request::Parts, HeadError> {
    let mut lines = room_for_lines(head);
    let mut parsed = httparse::Request::new(&mut lines);
    complete(parsed.parse(head), head)?;
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(HeadError::Malformed);
    };
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.method = Method::from_bytes(method.as_bytes()).map_err(|_| HeadError::Malformed)?;
    parts.uri = target.parse::<Uri>().map_err(|_| HeadError::Malformed)?;
    parts.version = version(minor);
    parts.headers = header_map(parsed.headers)?;
    Ok(parts)
}

/// Parses a complete response head.
pub(super) fn parse_response(head: &[u8]) -> Result<Response<()>, HeadError> {
    let mut lines = room_for_lines(head);
    let mut parsed = httparse::Response::new(&mut lines);
    complete(parsed.parse(head), head)?;
    let (Some(code), Some(minor)) = (parsed.code, parsed.version) else {
        return Err(HeadError::Malformed);
    };
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(code).map_err(|_| HeadError::Malformed)?;
    *response.version_mut() = version(minor);
    *response.headers_mut() = header_map(parsed.headers)?;
    Ok(response)
}

/// As much as the head's lines need; their number has been checked.
fn room_for_lines(head: &[u8]) -> Vec<httparse::Header<'_>> {
    let lines = head.iter().filter(|&&byte| byte == b'\n').count();
    vec![httparse::EMPTY_HEADER; lines]
}

/// The head has been cut at its empty line, so a parser that wants more, or leaves some, has seen another end than we.
fn complete(result: httparse::Result<usize>, mut head: &[u8]) -> Result<(), HeadError> {
    match result {
        Ok(httparse::Status::Complete(used)) => {
            head.advance(used.min(head.len()));
            if head.is_empty() {
                Ok(())
            } else {
                Err(HeadError::Malformed)
            }
        }
        Ok(httparse::Status::Partial) => Err(HeadError::Malformed),
        Err(httparse::Error::TooManyHeaders) => Err(HeadError::TooManyHeaders),
        Err(_) => Err(HeadError::Malformed),
    }
}

fn version(minor: u8) -> Version {
    if minor == 0 {
        Version::HTTP_10
    } else {
        Version::HTTP_11
    }
}

fn header_map(lines: &[httparse::Header<'_>]) -> Result<HeaderMap, HeadError> {
    let mut map = HeaderMap::with_capacity(lines.len());
    for line in lines {
        let name =
            HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| HeadError::Malformed)?;
        let value = HeaderValue::from_bytes(line.value).map_err(|_| HeadError::Malformed)?;
        map.append(name, value);
    }
    Ok(map)
}
