//! The protocol machine through its public interface: what it promises beyond RFC 6455, whose rules are in `rfc6455`.
#![allow(clippy::unwrap_used)]

mod chunking;
mod messages;
#[path = "../support/pair.rs"]
mod pair;
mod queueing;
mod sending;
