//! A committed entry with its frames: each encoded once, when the first socket needs it, and shared by all workers.

use std::sync::{Arc, OnceLock};
use suda_engine::{Cursor, Entry, RoomId, Sequenced, UserId};
use suda_protocol::Codec;
use suda_websocket::{Message, PreparedMessage};

#[derive(Clone, Debug)]
pub(crate) struct SharedEntry(Arc<Encoded>);

#[derive(Debug)]
struct Encoded {
    entry: Arc<Entry>,
    proto: OnceLock<PreparedMessage>,
    json: OnceLock<PreparedMessage>,
}

impl SharedEntry {
    pub(crate) fn new(entry: Arc<Entry>) -> Self {
        Self(Arc::new(Encoded {
            entry,
            proto: OnceLock::new(),
            json: OnceLock::new(),
        }))
    }

    /// The frame that pushes this entry to a reader with that codec.
    pub(super) fn frame(&self, codec: Codec) -> &PreparedMessage {
        let frame = match codec {
            Codec::Proto => &self.0.proto,
            Codec::Json => &self.0.json,
        };
        frame.get_or_init(|| prepared(codec, codec.encode_entry_push(self.0.entry.wire())))
    }
}

/// A frame around what a codec has written.
pub(super) fn prepared(codec: Codec, bytes: bytes::Bytes) -> PreparedMessage {
    if codec.is_text() {
        // JSON from our own encoder is UTF-8; if it ever were not, its reader gets it as binary instead of a crash.
        match String::from_utf8(bytes.into()) {
            Ok(text) => PreparedMessage::new(Message::text(text)),
            Err(error) => PreparedMessage::binary(error.into_bytes()),
        }
    } else {
        PreparedMessage::binary(bytes)
    }
}

impl Sequenced for SharedEntry {
    fn room(&self) -> RoomId {
        self.0.entry.room()
    }

    fn cursor(&self) -> Cursor {
        self.0.entry.cursor()
    }

    fn removes(&self) -> Option<UserId> {
        self.0.entry.removes()
    }
}
