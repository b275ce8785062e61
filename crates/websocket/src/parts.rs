//! What an opening handshake hands over to the connection that it opened.

use bytes::BytesMut;

use crate::{Compression, Config, Role};

/// Everything but the stream that a finished opening handshake leaves behind.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Parts {
    /// Which side this is.
    pub role: Role,
    /// The limits to keep.
    pub config: Config,
    /// Bytes that were read from the stream after the handshake: the beginning of the first frames.
    pub read_buf: BytesMut,
    /// The subprotocol that both sides agreed on.
    pub subprotocol: Option<String>,
    /// The compression that both sides agreed on.
    pub compression: Option<Compression>,
}

impl Parts {
    /// Parts with nothing read ahead and neither subprotocol nor compression.
    pub fn new(role: Role, config: Config) -> Self {
        Self {
            role,
            config,
            read_buf: BytesMut::new(),
            subprotocol: None,
            compression: None,
        }
    }

    /// Sets [`Parts::read_buf`].
    #[must_use]
    pub fn read_buf(mut self, read_buf: BytesMut) -> Self {
        self.read_buf = read_buf;
        self
    }

    /// Sets [`Parts::subprotocol`].
    #[must_use]
    pub fn subprotocol(mut self, subprotocol: Option<String>) -> Self {
        self.subprotocol = subprotocol;
        self
    }

    /// Sets [`Parts::compression`].
    #[must_use]
    pub fn compression(mut self, compression: Option<Compression>) -> Self {
        self.compression = compression;
        self
    }
}
