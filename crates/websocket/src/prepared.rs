//! A message that is framed once, compressed once, and sent to many.

use std::sync::{Arc, OnceLock};

use bytes::{BufMut, Bytes, BytesMut};

use crate::{
    Message, MessageKind,
    deflate::{Compressor, Settings, Workspace},
    frame::{self, Lead},
};

/// A message whose server frame is made once; every connection that it is sent on holds a reference to the same bytes.
///
/// Clones share those bytes. On a client connection it is masked anew each time, as it must be (RFC 6455, section 5.3).
///
/// Connections that compress without taking their context over share compressed bytes, too: they are made once for each
/// set of window, level and memory level, when the first such connection is sent to. A connection with a context of its own has to
/// compress the message itself.
#[derive(Debug, Clone)]
pub struct PreparedMessage {
    kind: MessageKind,
    plain: Framed,
    compressed: Arc<OnceLock<Variant>>,
}

/// A whole message as a server's frame.
#[derive(Debug, Clone)]
pub(crate) struct Framed {
    /// Header and payload.
    pub(crate) frame: Bytes,
    pub(crate) payload: Bytes,
}

/// The message compressed with certain settings, and the way to the next such.
#[derive(Debug)]
struct Variant {
    settings: Settings,
    framed: Framed,
    next: OnceLock<Box<Variant>>,
}

impl Framed {
    fn new(lead: Lead, payload: &[u8]) -> Self {
        let mut bytes = BytesMut::with_capacity(frame::HEADER_BYTES_MAX + payload.len());
        frame::encode_header(&mut bytes, true, lead, None, payload.len());
        let header_len = bytes.len();
        bytes.put_slice(payload);
        let frame = bytes.freeze();
        Self {
            payload: frame.slice(header_len..),
            frame,
        }
    }
}

impl PreparedMessage {
    /// Frames `message` as one unfragmented server frame.
    pub fn new(message: impl Into<Message>) -> Self {
        let message = message.into();
        let kind = message.kind();
        Self {
            kind,
            plain: Framed::new(Lead::plain(kind), message.as_bytes()),
            compressed: Arc::default(),
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
        &self.plain.payload
    }

    pub(crate) fn plain(&self) -> &Framed {
        &self.plain
    }

    /// The message compressed without any context. Whoever asks first compresses, the others wait for it.
    pub(crate) fn compressed(&self, settings: Settings) -> &Framed {
        let make = || Variant {
            settings,
            framed: self.compress(settings),
            next: OnceLock::new(),
        };
        let mut variant = self.compressed.get_or_init(make);
        while variant.settings != settings {
            variant = variant.next.get_or_init(|| Box::new(make()));
        }
        &variant.framed
    }

    fn compress(&self, settings: Settings) -> Framed {
        let mut compressor = Compressor::lend(settings);
        let mut work = Workspace::take();
        let payload = compressor.compress(self.payload(), true, &mut work);
        let framed = Framed::new(Lead::compressed(self.kind), payload);
        compressor.give_back();
        framed
    }
}
