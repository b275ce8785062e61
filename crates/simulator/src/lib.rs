//! Runs the real engine and the real client state machine on a simulated clock, network and disk.
//!
//! One seed is one history: a server node made of the real [`Session`](suda_engine::Session), [`Journal`](suda_engine::Journal) and
//! [`Roster`](suda_engine::Roster)s, clients made of the real [`Machine`](suda_client::Machine), and a world that delays, loses, cuts, crashes and
//! restores. Chaos and calm follow one another; in each calm everything must come out right. The [`checker`] watches every
//! frame that is sent and every event that a client gives, and holds them against the guarantees G1 to G9.
//!
//! The same seed gives the same history, down to the last frame. What is simulated is only what the engine leaves to its shell;
//! nothing of the engine or the client is copied or replaced here.

mod chaos;
pub mod checker;
mod client;
mod commit;
mod connection;
#[cfg(suda_mutants)]
pub mod mutants;
mod network;
mod node;
mod person;
mod rng;
mod sessions;
pub mod stats;
mod timeline;
mod trace;
mod work;
mod worker;
mod world;

pub use stats::Stats;
pub use world::{Failure, Outcome, run};

/// Whether the named planted bug is switched on. Always false outside builds with `--cfg suda_mutants`.
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
