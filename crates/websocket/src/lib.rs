//! WebSocket (RFC 6455) with compression (RFC 7692) and over HTTP/2 (RFC 8441), server and client: a core without I/O, and a tokio
//! driver that batches what is written into few system calls.
//!
//! ```
//! use suda_websocket::{CloseCode, Dialer, Message, Upgrader};
//! use tokio::net::TcpListener;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let url = format!("ws://{}/echo", listener.local_addr()?);
//! tokio::spawn(async move {
//!     let (stream, _) = listener.accept().await?;
//!     let (mut conn, request) = Upgrader::new().upgrade(stream).await?;
//!     println!("{} is open", request.uri().path());
//!     while let Ok(message) = conn.read_message().await {
//!         conn.write_message(message).await?;
//!     }
//!     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
//! });
//!
//! let (mut conn, _response) = Dialer::new().dial(&url).await?;
//! conn.write_message("안녕").await?;
//! assert_eq!(conn.read_message().await?, Message::text("안녕"));
//! conn.close(CloseCode::NORMAL, "").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Where to begin
//!
//! - Servers: [`Upgrader`] takes a raw stream or a request of hyper's ([module](mod@hyper)); [`axum::WebSocketUpgrade`] is an extractor.
//! - Clients: [`Dialer`] takes a URL, and knows proxies, TLS, cookies and streams of one's own; [`Dialer::http2`] opens many WebSockets on one
//!   connection ([module](http2)).
//! - Both give a [`Conn`], which reads and writes messages, and splits into one [`Reader`], one [`Writer`] and a [`Control`] for pings and
//!   closing. Each method says what a dropped call means.
//! - [`Config`] has the limits of a connection and [`Compression`] what is to be compressed; [`Error`], [`CloseCode`] and [`CloseOutcome`] tell
//!   how it ended.
//! - Without tokio: [`Connection`] is the protocol after the opening handshake, [`handshake`] is that handshake. Neither knows a socket, a clock or a
//!   runtime. [`blocking`] drives them with std's streams.
//!
//! # Features
//!
//! | feature | gives |
//! |---|---|
//! | `tokio` (default) | [`Conn`], [`Upgrader`], [`Dialer`] |
//! | `tls` (default) | `wss://` through rustls with aws-lc-rs: [`Dialer::tls`], [`tls`] |
//! | `hyper` | [`Upgrader::upgrade_parts`] |
//! | `axum` | [`axum::WebSocketUpgrade`] |
//! | `http2` | WebSockets over HTTP/2: [`Dialer::http2`], and requests over HTTP/2 for `upgrade_parts` and the extractor |
//! | `json` | [`Conn::read_json`], [`Conn::write_json`] |
//! | `stream` | futures' `Stream` and `Sink` for [`Conn`], [`Reader`] and [`Writer`]; not to be confused with our [`Stream`], a stream of bytes |
//! | `io-uring` | [`broadcast`], [`broadcast_sockets`], [`flush_all`], and what plain loops answer in one turn of a runtime of one thread, send to 64 TCP connections with one system call, where Linux allows it: see [`check_io_uring`] |
//! | `blocking` | [`blocking::Conn`] over std's streams, without tokio |
//! | `tracing` | events: connections opened and closed, broken rules, peers that fell silent; none for a message |
//! | `cookies` | [`MemoryCookieJar`] |
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]

#[cfg(feature = "tokio")]
mod batch;
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
#[cfg(all(feature = "tokio", not(target_os = "linux")))]
mod no_watchdog;
mod parts;
mod prepared;
mod utf8;
mod utf8_bytes;
#[cfg(all(feature = "tokio", target_os = "linux"))]
mod watchdog;

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
#[cfg(feature = "tokio")]
mod upgrading;

pub use close::{CLOSE_REASON_BYTES_MAX, CloseCode, CloseError};
pub use config::{
    CLOSE_TIMEOUT_DEFAULT, Config, FRAGMENT_CONTENT_BYTES, FRAGMENTS_MAX_DEFAULT,
    FRAME_BYTES_MAX_DEFAULT, HEARTBEAT_EVERY_MIN, HIGH_WATER_BYTES_DEFAULT, Heartbeat,
    OUTBOX_BYTES_MAX_DEFAULT, READ_LIMIT_BYTES_DEFAULT, Role,
};
pub use connection::{CONTROL_FRAMES_MAX, Connection, Event, PENDING_PONGS_MAX, Part};
pub use deflate::{
    COMPRESSED_BYTES_MIN_DEFAULT, COMPRESSION_LEVEL_DEFAULT, COMPRESSION_LEVEL_MAX, Compression,
    HISTORY_BITS_DEFAULT, MEMORY_LEVEL_DEFAULT, MEMORY_LEVEL_MAX, TAKEOVER_LEVEL_DEFAULT,
    WINDOW_BITS_MAX, WINDOW_BITS_MIN,
};
pub use error::{SendError, Violation};
pub use frame::CONTROL_PAYLOAD_BYTES_MAX;
pub use message::{Message, MessageKind};
pub use parts::Parts;
pub use prepared::PreparedMessage;
pub use utf8_bytes::Utf8Bytes;

#[cfg(feature = "io-uring")]
pub use conn::check_io_uring;
#[cfg(feature = "tokio")]
pub use conn::{
    CloseOutcome, Conn, Control, Endpoints, Error, JoinedMessages, MessageReader, MessageWriter,
    Reader, SocketStream, Stream, Writer, broadcast, broadcast_sockets, flush_all,
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

/// The READMEs' examples are compiled as tests.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The same in Korean.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.ko.md")]
struct KoreanReadme;
