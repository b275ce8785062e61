//! A message that is framed once and sent to many.

use bytes::{BufMut, Bytes, BytesMut};

use crate::{
    Message, MessageKind,
    frame::{self, OpCode},
};

/// A message whose server frame is made once; every connection that it is sent on holds a reference to the same bytes.
///
/// Clones share those bytes. On a client connection it is masked anew each time, as it must be (RFC 6455, section 5.3).
#[derive(Debug, Clone)]
pub struct PreparedMessage {
    kind: MessageKind,
    frame: Bytes,
    payload: Bytes,
}

impl PreparedMessage {
    /// Frames `message` as one unfragmented server frame.
    pub fn new(message: impl Into<Message>) -> Self {
        let message = message.into();
        let kind = message.kind();
        let payload = message.as_bytes();
        let mut bytes = BytesMut::with_capacity(frame::HEADER_BYTES_MAX + payload.len());
        frame::encode_header(&mut bytes, true, OpCode::of(kind), None, payload.len());
        let header_len = bytes.len();
        bytes.put_slice(payload);
        let frame = bytes.freeze();
        Self {
            kind,
            payload: frame.slice(header_len..),
            frame,
        }
    }

    /// A prepared text message.
    pub fn text(text: impl Into<crate::Utf8Bytes>) -> Self {
        Self::new(Message::text(text))
    }

    /// A prepared binary message.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::new(Message::binary(bytes))
    }

    /// Text or binary.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// The message's payload.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// Header and payload, as a server sends them.
    pub(crate) fn server_frame(&self) -> &Bytes {
        &self.frame
    }
}
