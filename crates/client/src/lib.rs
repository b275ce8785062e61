//! The SDK of the Suda chat: a pure state machine ([`Machine`]) that knows how to resume and to send once, and a thin driver
//! over `suda-websocket` (feature `tokio`, on by default).
//!
//! What doesn't live here: anything that is shown to a person, and anything of the server.

mod command_error;
mod machine;

pub use command_error::CommandError;
pub use machine::*;
