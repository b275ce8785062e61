//! The protocol machine through its public interface, each rule as client and as server.
#![allow(clippy::unwrap_used)]

mod chunking;
mod closing;
mod control;
mod messages;
mod pair;
mod rules;
mod sending;
