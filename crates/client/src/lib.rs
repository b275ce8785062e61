//! The SDK of the Suda chat: a pure state machine ([`Machine`]) that knows how to resume and to send once, and a thin driver
//! over `suda-websocket` (feature `tokio`, on by default).
//!
//! What doesn't live here: anything that is shown to a person, and anything of the server.

#[cfg(feature = "tokio")]
pub mod account;
mod command_error;
#[cfg(feature = "tokio")]
mod driver;
mod machine;
#[cfg(feature = "tokio")]
mod server;

pub use command_error::CommandError;
#[cfg(feature = "tokio")]
pub use driver::{Client, ClientConfig, EVENTS_MAX, Events, Post};
pub use machine::*;
#[cfg(feature = "tokio")]
pub use server::{Server, ServerError};
