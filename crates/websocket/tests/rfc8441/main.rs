//! WebSockets over HTTP/2: each rule of RFC 8441 as client and as server, and what the streams below do to messages.
//!
//! The server is ours behind hyper and behind axum; its clients are ours, the plain `h2` crate and hyper's. Our client's servers are ours and the plain
//! `h2` crate, which sends whatever a test wants.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod chromium;
mod client;
mod haproxy;
mod interop;
mod peers;
mod server;
mod settings;
mod streams;
