//! WebSocket for Rust: a sans-I/O core of RFC 6455 and RFC 7692, and a tokio driver with automatic batching.
//!
//! [`Connection`] is the protocol after the opening handshake, [`handshake`] is that handshake; neither knows a socket, a
//! clock or a runtime. With the feature `tokio` (default), [`Conn`] drives a connection on any stream.
#![deny(unsafe_code)]

mod buffers;
mod close;
mod config;
mod connection;
mod deflate;
mod error;
#[cfg(feature = "tokio")]
mod events;
mod frame;
pub mod handshake;
mod mask;
mod message;
mod parts;
mod prepared;
mod utf8;
mod utf8_bytes;

#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "tokio")]
mod conn;
#[cfg(feature = "tokio")]
mod dialer;
#[cfg(feature = "http2")]
pub mod http2;
#[cfg(feature = "hyper")]
pub mod hyper;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "tokio")]
mod upgrader;

pub use close::{CLOSE_REASON_BYTES_MAX, CloseCode, CloseError};
pub use config::{
    CLOSE_TIMEOUT_DEFAULT, Config, FRAGMENT_CONTENT_BYTES, FRAGMENTS_MAX_DEFAULT,
    FRAME_BYTES_MAX_DEFAULT, HEARTBEAT_EVERY_MIN, HIGH_WATER_BYTES_DEFAULT, Heartbeat,
    OUTBOX_BYTES_MAX_DEFAULT, READ_LIMIT_BYTES_DEFAULT, Role,
};
pub use connection::{CONTROL_FRAMES_MAX, Connection, Event, PENDING_PONGS_MAX, Part};
pub use deflate::{
    COMPRESSED_BYTES_MIN_DEFAULT, COMPRESSION_LEVEL_DEFAULT, COMPRESSION_LEVEL_MAX, Compression,
    MEMORY_LEVEL_DEFAULT, MEMORY_LEVEL_MAX, WINDOW_BITS_MAX, WINDOW_BITS_MIN,
};
pub use error::{SendError, Violation};
pub use frame::CONTROL_PAYLOAD_BYTES_MAX;
pub use message::{Message, MessageKind};
pub use parts::Parts;
pub use prepared::PreparedMessage;
pub use utf8_bytes::Utf8Bytes;

#[cfg(feature = "tokio")]
pub use conn::{
    CloseOutcome, Conn, Control, Endpoints, Error, JoinedMessages, MessageReader, MessageWriter,
    Reader, Stream, Writer,
};
#[cfg(feature = "cookies")]
pub use dialer::MemoryCookieJar;
#[cfg(feature = "tokio")]
pub use dialer::{
    CookieJar, DIAL_TIMEOUT_DEFAULT, DialError, Dialer, MaybeTlsStream, Proxy, ProxyError,
    ProxyRules, ProxyUrlError,
};
#[cfg(feature = "tokio")]
pub use upgrader::{UPGRADE_TIMEOUT_DEFAULT, UpgradeError, Upgrader};

/// The README's examples are compiled as tests.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
