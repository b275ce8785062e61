//! The server from outside: HTTP and WebSocket on 127.0.0.1, data in a folder of its own.

// The helpers beside the tests may fail like the tests themselves.
#![allow(clippy::unwrap_used)]

mod accounts;
mod bad_input;
mod browser;
mod chat;
mod disk_full;
mod fan_out;
mod liveness;
mod resume;
mod start;
mod stop;
mod support;
mod upgrade;
mod write_ahead_log;
