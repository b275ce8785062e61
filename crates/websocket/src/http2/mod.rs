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
//!
//! A server with hyper; with axum, `axum::serve` enables extended CONNECT by itself, and the route is `any`:
//!
//! ```no_run
//! # #[cfg(feature = "hyper")]
//! # mod server {
//! use std::convert::Infallible;
//!
//! use http_body_util::Full;
//! use hyper::body::{Bytes, Incoming};
//! use hyper::server::conn::http2;
//! use hyper::service::service_fn;
//! use hyper::{Request, Response};
//! use hyper_util::rt::{TokioExecutor, TokioIo};
//! use suda_websocket::Upgrader;
//! use tokio::net::TcpStream;
//!
//! async fn answer(upgrader: Upgrader, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
//!     let (mut head, _body) = request.into_parts();
//!     Ok(match upgrader.upgrade_parts(&mut head) {
//!         Ok((response, on_upgrade)) => {
//!             tokio::spawn(async move {
//!                 let mut conn = on_upgrade.await?;
//!                 conn.write_message("welcome").await?;
//!                 Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
//!             });
//!             response.map(|()| Full::default())
//!         }
//!         Err(refusal) => upgrader.refusal_response(refusal, Some(&head)).map(Full::new),
//!     })
//! }
//!
//! async fn serve(upgrader: Upgrader, tcp: TcpStream) -> Result<(), hyper::Error> {
//!     let service = service_fn(move |request| answer(upgrader.clone(), request));
//!     http2::Builder::new(TokioExecutor::new())
//!         .enable_connect_protocol()
//!         .serve_connection(TokioIo::new(tcp), service)
//!         .await
//! }
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
