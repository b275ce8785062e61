//! The beginning of a refusing answer's body: enough to tell a person why, never more.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Response, StatusCode};

use super::field::{has_token, list};
use super::limits::REFUSAL_BODY_BYTES_MAX;

/// Bytes of a chunked body that are looked at for the first [`REFUSAL_BODY_BYTES_MAX`] of its content.
const CHUNKED_BYTES_MAX: usize = 8 * 1024;

/// Collects up to [`REFUSAL_BODY_BYTES_MAX`] bytes of content.
#[derive(Debug)]
pub(super) struct BodyStart {
    framing: Framing,
    raw: BytesMut,
}

/// How the body's end is known (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug)]
enum Framing {
    /// After that many bytes, or more than we keep.
    Length(usize),
    Chunked,
    UntilClose,
}

impl BodyStart {
    pub(super) fn new(response: &Response<()>) -> Self {
        let headers = response.headers();
        let bodyless =
            [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&response.status());
        let length = list(headers, CONTENT_LENGTH)
            .next()
            .and_then(|text| text.parse::<u64>().ok());
        let framing = if bodyless || response.status().is_informational() {
            Framing::Length(0)
        } else if has_token(headers, TRANSFER_ENCODING, b"chunked") {
            Framing::Chunked
        } else {
            match length {
                Some(length) => Framing::Length(usize::try_from(length).unwrap_or(usize::MAX)),
                None => Framing::UntilClose,
            }
        };
        Self {
            framing,
            raw: BytesMut::new(),
        }
    }

    /// Takes a piece; `true` once there is nothing more to wait for.
    pub(super) fn receive(&mut self, piece: &[u8]) -> bool {
        let room = self.raw_bytes_max() - self.raw.len();
        self.raw.extend_from_slice(&piece[..piece.len().min(room)]);
        self.raw.len() == self.raw_bytes_max()
            || matches!(self.framing, Framing::Chunked) && dechunk(&self.raw).1
    }

    /// What has come.
    pub(super) fn content(&self) -> Bytes {
        match self.framing {
            Framing::Chunked => dechunk(&self.raw).0.freeze(),
            Framing::Length(_) | Framing::UntilClose => Bytes::copy_from_slice(&self.raw),
        }
    }

    fn raw_bytes_max(&self) -> usize {
        match self.framing {
            Framing::Length(length) => length.min(REFUSAL_BODY_BYTES_MAX),
            Framing::Chunked => CHUNKED_BYTES_MAX,
            Framing::UntilClose => REFUSAL_BODY_BYTES_MAX,
        }
    }
}

/// The content of the chunks so far, and whether that is all we want. A malformed chunk ends the content.
fn dechunk(mut raw: &[u8]) -> (BytesMut, bool) {
    let mut content = BytesMut::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(raw) {
            Ok(httparse::Status::Complete((_, 0))) | Err(_) => return (content, true),
            Ok(httparse::Status::Complete(chunk)) => chunk,
            Ok(httparse::Status::Partial) => return (content, false),
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let there = &raw[start..];
        let wanted = size.min(REFUSAL_BODY_BYTES_MAX - content.len());
        content.extend_from_slice(&there[..wanted.min(there.len())]);
        if content.len() == REFUSAL_BODY_BYTES_MAX {
            return (content, true);
        }
        // The chunk's data, then CR LF.
        match size.checked_add(2).and_then(|end| there.get(end..)) {
            Some(next) => raw = next,
            None => return (content, false),
        }
    }
}
