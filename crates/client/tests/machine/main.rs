//! The machine against a server that a test speaks for, line by line, on a clock that a test moves.

#![allow(clippy::unwrap_used)]

mod connection;
mod hostile;
mod mutations;
mod script;
mod streams;
