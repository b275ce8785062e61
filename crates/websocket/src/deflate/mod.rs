//! permessage-deflate (RFC 7692): the options, and the two machines that turn messages into DEFLATE blocks and back.
//!
//! Lives here: bytes in, bytes out, and where contexts and their memory come from. Does not live here: the negotiation, which is
//! in [`handshake`](crate::handshake), and frames, which are in [`connection`](crate::Connection).

mod compression;
mod compressor;
mod inflater;
mod pool;
mod workspace;

pub use compression::{
    COMPRESSED_BYTES_MIN_DEFAULT, COMPRESSION_LEVEL_DEFAULT, COMPRESSION_LEVEL_MAX, Compression,
    HISTORY_BITS_DEFAULT, MEMORY_LEVEL_DEFAULT, MEMORY_LEVEL_MAX, TAKEOVER_LEVEL_DEFAULT,
    WINDOW_BITS_MAX, WINDOW_BITS_MIN,
};
pub(crate) use compressor::{Compressor, Settings};
pub(crate) use inflater::Inflater;
pub(crate) use workspace::{INFLATED_CHUNK_BYTES, Workspace};

/// The end of every flushed DEFLATE stream, an empty stored block without its three header bits. A message does without it
/// (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
