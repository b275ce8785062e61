//! The server from outside: HTTP and WebSocket on 127.0.0.1, data in a folder of its own.

mod accounts;
mod start;
mod support;
