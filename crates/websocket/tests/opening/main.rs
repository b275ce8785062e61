//! Opening connections through the tokio drivers: over every way in, in time, and with TLS. The rules of the handshake itself
//! are tested without I/O, in the tests named `handshake_*`.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod behind_axum;
mod cancelling;
mod dialer;
mod hooks;
mod hostile;
mod interop;
mod properties;
mod proxies;
mod proxy_servers;
mod servers;
mod upgrader;
mod ways;
