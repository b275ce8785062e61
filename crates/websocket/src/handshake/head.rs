//! Collecting the head of an HTTP/1.1 message from pieces of any size, within bounds.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::OnceLock;

use bytes::{Buf as _, Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode, Version};

use super::field::{Line, is_token_byte};
use super::limits::HeadLimits;
use super::plain::PlainRequest;
use super::request::{LinedRequest, Request, RequestLine};
use super::scan::find_lf;

/// Header lines up to which a head is parsed without allocating room for them: more than browsers send.
const LINES_ON_STACK: usize = 24;

/// The longest name, in bytes, that the `http` crate takes.
const NAME_BYTES_MAX: usize = (1 << 16) - 1;

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
    pub(super) fn receive(&mut self, piece: &[u8]) -> Result<Option<Head>, HeadError> {
        self.bytes.extend_from_slice(piece);
        // A TLS hello or another protocol shows at its first byte: no need to wait for an empty line that never comes.
        if self.bytes.first().is_some_and(|&byte| !is_token_byte(byte)) {
            return Err(HeadError::Malformed);
        }
        let bounded = &self.bytes[..self.bytes.len().min(self.limits.bytes_max)];
        while let Some(distance) = find_lf(&bounded[self.scanned..]) {
            let at = self.scanned + distance;
            self.scanned = at + 1;
            if at == 0 || bounded[at - 1] != b'\r' {
                return Err(HeadError::BareLf);
            }
            if bounded[..=at].ends_with(b"\r\n\r\n") {
                self.scanned = 0;
                return Ok(Some(self.take_head(at + 1)));
            }
            if self.lines > self.limits.lines_max {
                return Err(HeadError::TooManyHeaders);
            }
            self.lines += 1;
        }
        self.scanned = bounded.len();
        if self.scanned < self.bytes.len() {
            return Err(HeadError::TooManyBytes);
        }
        Ok(None)
    }

    /// A plain request that came in one piece, shown to `judge`. `None` for what [`receive`](Self::receive) is to judge.
    pub(super) fn receive_plain<R>(
        &self,
        piece: &[u8],
        judge: impl FnOnce(&LinedRequest<'_, '_>) -> R,
    ) -> Option<(Request, R)> {
        if !self.bytes.is_empty() || piece.len() > self.limits.bytes_max {
            return None;
        }
        let plain = PlainRequest::parse(piece)?;
        let header_lines = plain.lines().len();
        if header_lines > self.limits.lines_max {
            return None;
        }
        let head = Head {
            bytes: Bytes::copy_from_slice(piece),
            header_lines,
        };
        let start = b"GET ".len();
        let target = start..start + plain.target.len();
        let line = RequestLine::new(Method::GET, Version::HTTP_11, target, &head).ok()?;
        let lined = LinedRequest {
            line,
            head: &head,
            lines: plain.lines(),
            parts: OnceLock::new(),
        };
        let judged = judge(&lined);
        let LinedRequest { line, parts, .. } = lined;
        Some((Request::new(line, head, parts), judged))
    }

    fn take_head(&mut self, len: usize) -> Head {
        // Mostly nothing follows, and what follows is short: the head keeps the memory.
        let rest = BytesMut::from(&self.bytes[len..]);
        let mut bytes = std::mem::replace(&mut self.bytes, rest);
        bytes.truncate(len);
        Head {
            bytes: bytes.freeze(),
            header_lines: self.lines.saturating_sub(1),
        }
    }

    /// Gives away what came after the head.
    pub(super) fn take_rest(&mut self) -> BytesMut {
        std::mem::take(&mut self.bytes)
    }
}

/// A head, its empty line included. Clones share the bytes.
#[derive(Clone, Debug)]
pub(super) struct Head {
    bytes: Bytes,
    header_lines: usize,
}

impl Head {
    /// Parses a request's and shows it to `judge`.
    pub(super) fn with_request<R>(
        self,
        judge: impl FnOnce(&LinedRequest<'_, '_>) -> R,
    ) -> Result<(Request, R), HeadError> {
        let (line, parts, judged) = self.with_request_lines(|parsed| {
            let (Some(method), Some(target), Some(minor)) =
                (parsed.method, parsed.path, parsed.version)
            else {
                return Err(HeadError::Malformed);
            };
            let method = Method::from_bytes(method.as_bytes()).map_err(|_| HeadError::Malformed)?;
            let target = self.range_of(target);
            let line = RequestLine::new(method, version(minor), target, &self)?;
            let parts = OnceLock::new();
            if self.header_lines > LINES_ON_STACK {
                // So many might be too many for a map, which must be known now.
                let headers = self.header_map(parsed.headers)?;
                parts.get_or_init(|| Box::new(line.parts(&self, headers)));
            }
            let lines = parsed.headers.iter().map(|header| Line {
                name: header.name.as_bytes(),
                value: header.value,
            });
            let lines: Vec<Line<'_>> = lines.collect();
            if lines.iter().any(|line| line.name.len() > NAME_BYTES_MAX) {
                return Err(HeadError::Malformed);
            }
            let lined = LinedRequest {
                line,
                head: &self,
                lines: &lines,
                parts,
            };
            let judged = judge(&lined);
            Ok((lined.line, lined.parts, judged))
        })?;
        Ok((Request::new(line, self, parts), judged))
    }

    /// Where `part`, which is a part of them, stands in the head's bytes.
    fn range_of(&self, part: &str) -> Range<usize> {
        let start = part.as_ptr() as usize - self.bytes.as_ptr() as usize;
        start..start + part.len()
    }

    pub(super) fn bytes_of(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    /// Those of its bytes; shared, not copied.
    pub(super) fn slice(&self, range: Range<usize>) -> Bytes {
        self.bytes.slice(range)
    }

    /// The headers of a request that [`with_request`](Self::with_request) has parsed.
    pub(super) fn request_headers(&self) -> HeaderMap {
        match self.with_request_lines(|parsed| self.header_map(parsed.headers)) {
            Ok(headers) => headers,
            // What `http` takes for a name or a value is what the parser takes, except for what was looked at then.
            Err(error) => unreachable!("the request was parsed before: {error:?}"),
        }
    }

    fn with_request_lines<R>(
        &self,
        read: impl FnOnce(&httparse::Request<'_, '_>) -> Result<R, HeadError>,
    ) -> Result<R, HeadError> {
        self.with_room_for_lines(|room| {
            let mut parsed = httparse::Request::new(&mut []);
            let result = parsed.parse_with_uninit_headers(&self.bytes, room);
            complete(result, &self.bytes)?;
            read(&parsed)
        })
    }

    /// Parses a response's. Header values refer to the head's bytes.
    pub(super) fn parse_response(&self) -> Result<Response<()>, HeadError> {
        self.with_room_for_lines(|room| {
            let mut parsed = httparse::Response::new(&mut []);
            let result = httparse::ParserConfig::default().parse_response_with_uninit_headers(
                &mut parsed,
                &self.bytes,
                room,
            );
            complete(result, &self.bytes)?;
            let (Some(code), Some(minor)) = (parsed.code, parsed.version) else {
                return Err(HeadError::Malformed);
            };
            let mut response = Response::new(());
            *response.status_mut() =
                StatusCode::from_u16(code).map_err(|_| HeadError::Malformed)?;
            *response.version_mut() = version(minor);
            *response.headers_mut() = self.header_map(parsed.headers)?;
            Ok(response)
        })
    }

    /// As much room as the head's lines need; their number has been checked.
    fn with_room_for_lines<'a, R>(
        &'a self,
        parse: impl FnOnce(&mut [MaybeUninit<httparse::Header<'a>>]) -> R,
    ) -> R {
        if self.header_lines <= LINES_ON_STACK {
            parse(&mut [const { MaybeUninit::uninit() }; LINES_ON_STACK][..self.header_lines])
        } else {
            parse(&mut vec![MaybeUninit::uninit(); self.header_lines])
        }
    }

    fn header_map(&self, lines: &[httparse::Header<'_>]) -> Result<HeaderMap, HeadError> {
        // The map has a bound of its own, which a limit that was set very high may exceed.
        let mut map =
            HeaderMap::try_with_capacity(lines.len()).map_err(|_| HeadError::TooManyHeaders)?;
        for line in lines {
            let name =
                HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| HeadError::Malformed)?;
            let value = HeaderValue::from_maybe_shared(self.bytes.slice_ref(line.value))
                .map_err(|_| HeadError::Malformed)?;
            map.try_append(name, value)
                .map_err(|_| HeadError::TooManyHeaders)?;
        }
        Ok(map)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn head(bytes: &[u8], limits: HeadLimits) -> Head {
        let mut buffer = HeadBuffer::new(limits);
        buffer.receive(bytes).unwrap().unwrap()
    }

    #[test]
    fn values_refer_to_the_bytes_of_the_head() {
        let mut buffer = HeadBuffer::new(HeadLimits::REQUEST);
        let bytes = b"GET /room HTTP/1.1\r\nHost: chat.example\r\n\r\nrest";
        assert!(buffer.receive(&bytes[..30]).unwrap().is_none());
        let head = buffer.receive(&bytes[30..]).unwrap().unwrap();
        let range = head.bytes.as_ptr_range();
        let (request, ()) = head.with_request(|_| ()).unwrap();
        let host = request.headers()["host"].as_bytes().as_ptr();
        assert!(range.contains(&host));
        assert_eq!(&buffer.take_rest()[..], b"rest");
    }

    /// What makes it safe to put the map off: it cannot fail any more.
    #[test]
    fn a_request_whose_lines_are_parsed_has_a_map_of_them() {
        for byte in (0..=u8::MAX).filter(|byte| *byte != b'\n') {
            for (start, end) in [
                (&b"GET / HTTP/1.1\r\nx"[..], &b"x: 1\r\n\r\n"[..]),
                (b"GET / HTTP/1.1\r\n", b": 1\r\n\r\n"),
                (b"GET / HTTP/1.1\r\nx: 1", b"1\r\n\r\n"),
                (b"GET / HTTP/1.1\r\nx:", b"\r\n\r\n"),
            ] {
                let bytes = [start, &[byte], end].concat();
                let mut buffer = HeadBuffer::new(HeadLimits::REQUEST);
                let Ok(Some(head)) = buffer.receive(&bytes) else {
                    continue;
                };
                let Ok((request, lines)) = head.with_request(|lined| lined.lines.len()) else {
                    continue;
                };
                assert_eq!(request.headers().len(), lines, "{}", bytes.escape_ascii());
            }
        }
    }

    #[test]
    fn a_name_or_a_number_of_lines_that_no_map_takes_is_refused() {
        let limits = HeadLimits {
            bytes_max: 1 << 20,
            lines_max: 1 << 16,
        };
        let named = |len| {
            let name = "n".repeat(len);
            let head = head(
                format!("GET / HTTP/1.1\r\n{name}: 1\r\n\r\n").as_bytes(),
                limits,
            );
            head.with_request(|_| ())
                .map(|(request, ())| request.headers().len())
        };
        assert_eq!(named(NAME_BYTES_MAX), Ok(1));
        assert_eq!(named(NAME_BYTES_MAX + 1), Err(HeadError::Malformed));

        let of_lines = |count| {
            let head = head(
                format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count)).as_bytes(),
                limits,
            );
            head.with_request(|_| ())
                .map(|(request, ())| request.headers().len())
        };
        for count in [0, 1, LINES_ON_STACK, LINES_ON_STACK + 1, 20_000] {
            assert_eq!(of_lines(count), Ok(count));
        }
        assert_eq!(of_lines(40_000), Err(HeadError::TooManyHeaders));
    }
}
