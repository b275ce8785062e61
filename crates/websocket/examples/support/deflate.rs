//! The flag `--deflate` of the examples.

use clap::ValueEnum;
use suda_websocket::Compression;

/// Whether to compress, and whether contexts are kept from message to message.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Deflate {
    Off,
    NoTakeover,
    Takeover,
}

impl Deflate {
    /// Messages of any length are compressed, so that there is something to see.
    pub(crate) fn compression(self) -> Option<Compression> {
        let all = Compression::default().bytes_min(0);
        match self {
            Self::Off => None,
            Self::NoTakeover => Some(all),
            Self::Takeover => Some(all.context_takeover(true)),
        }
    }
}
