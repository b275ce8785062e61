//! The opening handshake of RFC 6455, section 4, and over HTTP/2 that of RFC 8441, both roles, without I/O.
//!
//! In go bytes (or a request head that an HTTP server has parsed), out come a verdict and the bytes to send.
//! What lives here: the rules, and their limits. What does not: sockets, clocks, TLS; the tokio drivers on top are
//! `Upgrader` and `Dialer`.
//!
//! A whole handshake, both sides in memory:
//!
//! ```
//! use suda_websocket::handshake::{Answered, ClientHandshake, ClientOptions, Judged, Policy, ServerHandshake, Target};
//!
//! let target: Target = "ws://chat.example/room".parse()?;
//! let mut client = ClientHandshake::new(&target, &ClientOptions::default())?;
//! let mut server = ServerHandshake::new(Policy::default());
//!
//! let Judged::Accept(accept) = server.receive(client.request()) else { panic!("refused") };
//! let Answered::Accept(answer) = client.receive(&accept.response) else { panic!("not accepted") };
//! assert_eq!(answer.response.status(), 101);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod body;
mod client;
mod compression;
mod extended_connect;
mod extensions;
mod field;
mod head;
mod key;
mod limits;
mod origin;
mod plain;
mod policy;
mod refusal;
mod request;
mod response;
mod scan;
mod server;
mod target;

pub use answer::{AnswerError, AnswerFault};
pub use client::{Answer, Answered, ClientHandshake, ClientOptions, HandshakeError};
pub use extended_connect::{CONNECT_PROTOCOL, ExtendedConnect};
pub use field::{is_websocket_upgrade, subprotocols};
pub use key::{GUID, accept_key};
pub use limits::*;
pub use origin::OriginPolicy;
pub use policy::{Agreement, Policy, RefusalResponse, ResponseHeaders};
pub use refusal::Refusal;
pub use request::Request;
pub use server::{Accept, Judged, Reject, ServerHandshake};
pub use target::{Target, TargetError};

#[cfg(feature = "tokio")]
pub(crate) use origin::host_and_port;
#[cfg(feature = "axum")]
pub(crate) use policy::belongs_to_handshake;
#[cfg(feature = "tokio")]
pub(crate) use response::{Received, ResponseReader};
