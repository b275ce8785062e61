//! Messages that lie whole, in one frame and not compressed, at the start of what arrived: what most are. They need nothing but to be
//! unmasked and checked, and no state besides.

use bytes::{Buf, Bytes, BytesMut};

#[cfg(feature = "tokio")]
use crate::frame::OpCode;
use crate::{Message, MessageKind, Role, Utf8Bytes, frame, mask};

/// What such a message is judged by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadTerms {
    pub(super) role: Role,
    /// See [`Config::read_limit`](crate::Config::read_limit).
    pub(super) read_limit: usize,
}

impl Default for ReadTerms {
    /// By these nothing is taken but what is empty.
    fn default() -> Self {
        Self {
            role: Role::Server,
            read_limit: 0,
        }
    }
}

impl ReadTerms {
    /// Whether `input` begins with the header of such a message, however much of it is here.
    #[cfg(feature = "tokio")]
    pub(crate) fn begins_lone(&self, input: &[u8]) -> bool {
        matches!(frame::parse_header(input, self.role, false), Ok(Some(header))
            if header.fin
                && !header.op.is_control()
                && header.op != OpCode::Continuation
                && header.payload_len <= self.read_limit as u64)
    }

    /// The message at the start of `input`, which begins at a frame's edge, while no other message has begun. None, if it is not such a
    /// one, or a text that is none: then `input` is as it was.
    #[inline(always)]
    pub(crate) fn take_lone(&self, input: &mut BytesMut) -> Option<Message> {
        let lone = frame::parse_lone(input, self.role)?;
        if lone.payload_len > self.read_limit {
            return None;
        }
        let frame_bytes = lone.header_len + lone.payload_len;
        let payload = &mut input[lone.header_len..frame_bytes];
        if let Some(key) = lone.mask {
            mask::apply(payload, key, 0);
        }
        if lone.kind == MessageKind::Text && simdutf8::basic::from_utf8(payload).is_err() {
            if let Some(key) = lone.mask {
                // As it came.
                mask::apply(payload, key, 0);
            }
            return None;
        }
        let mut frame = input.split_to(frame_bytes).freeze();
        frame.advance(lone.header_len);
        Some(whole(lone.kind, frame))
    }
}

/// A whole message; of a text every byte was checked.
#[inline]
pub(super) fn whole(kind: MessageKind, data: Bytes) -> Message {
    match kind {
        MessageKind::Text => Message::Text(Utf8Bytes::from_validated(data)),
        MessageKind::Binary => Message::Binary(data),
    }
}
