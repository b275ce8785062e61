//! WebSockets over HTTP/2 (RFC 8441): many on one TCP connection, the client's side.
//!
//! What lives here: an HTTP/2 connection on which WebSockets are dialled, and a stream of it as bytes. What does not: the rules of the
//! handshake, which are in [`handshake`](crate::handshake); the server's side, which is hyper's or axum's HTTP/2 server with
//! [`Upgrader::upgrade_parts`](crate::Upgrader::upgrade_parts) and needs nothing from here.
//!
//! ```no_run
//! use suda_websocket::{Dialer, Message};
//!
//! # async fn talk() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Dialer::new().http2("wss://chat.example").await?;
//! let (mut first, _response) = server.dial("/room/1").await?;
//! let (mut second, _response) = server.dial("/room/2").await?;
//! first.write_message(Message::text("hello")).await?;
//! second.write_message(Message::text("and hello")).await?;
//! # Ok(())
//! # }
//! ```

mod connection;
mod error;
mod stream;

pub use connection::Connection;
pub use error::Http2Error;
pub use stream::{Http2Stream, LINGER_TIME_MAX};

/// Bytes that a peer may send on one WebSocket before they are read: the window of a stream.
pub const STREAM_WINDOW_BYTES: u32 = 256 * 1024;

/// Bytes that a peer may send on all WebSockets of a connection before they are read: the connection's window. Sixty-four WebSockets
/// that nobody reads fill it, and until then hold nobody else up.
pub const CONNECTION_WINDOW_BYTES: u32 = 64 * STREAM_WINDOW_BYTES;

/// Bytes of one WebSocket that wait in memory for the peer's window; over it its writer waits.
pub const SEND_BUFFER_BYTES: usize = 256 * 1024;
