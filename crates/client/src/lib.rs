//! The SDK of the Suda chat: a pure state machine ([`Machine`]) that knows how to resume and to send once, and a thin
//! driver over `suda-websocket` (feature `tokio`, on by default).
//!
//! What doesn't live here: anything that is shown to a person, and anything of the server.

#[cfg(feature = "tokio")]
pub mod account;
mod command_error;
#[cfg(feature = "tokio")]
mod driver;
mod machine;
#[cfg(suda_mutants)]
pub mod mutants;
#[cfg(feature = "tokio")]
mod server;

pub use command_error::CommandError;
#[cfg(feature = "tokio")]
pub use driver::{Client, ClientConfig, EVENTS_MAX, Events, Post};
pub use machine::*;
#[cfg(feature = "tokio")]
pub use server::{Server, ServerError};

/// Whether the named planted bug is switched on. Always false outside builds with `--cfg suda_mutants`, which only the simulator makes.
macro_rules! mutant {
    ($name:literal) => {{
        #[cfg(suda_mutants)]
        let on = crate::mutants::is_on($name);
        #[cfg(not(suda_mutants))]
        let on = false;
        on
    }};
}
pub(crate) use mutant;
