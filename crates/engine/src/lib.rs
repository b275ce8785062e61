//! The chat itself, pure: session, journal, room bookkeeping, permissions.
//!
//! Nothing here reads a clock, draws a random number, opens a socket or touches a disk: `now`, new ids and
//! what a store holds are arguments, and what is to be done is a return value. The server puts threads and files around it, the
//! simulator a seeded clock, network and disk; both run the same code.
//!
//! A message's road through this crate:
//!
//! 1. [`Session::handle`] turns a command into an [`Action`]: an answer, a question to the store, or a [`Draft`].
//! 2. [`Journal::lookup`] says what a batch of drafts must know, [`Journal::plan`] decides over those [`Facts`], and after the one
//!    durable commit [`Journal::committed`] gives the answers and the [`Entry`]s.
//! 3. Each worker's [`Roster`] offers every entry to the members that have the room open.
//!
//! [`reading`] judges and shapes the answers to questions that change nothing.

mod draft;
mod entry;
mod ids;
pub mod journal;
pub mod limits;
pub mod memory;
#[cfg(suda_mutants)]
pub mod mutants;
pub mod reading;
mod refusal;
pub mod roster;
pub mod session;

pub use draft::{Digest, Draft, Intent};
pub use entry::{Cursor, Entry, RoomFacts, Sequenced};
pub use ids::{
    ClientId, DeviceId, EntryId, InvalidId, RoomId, RoomRef, SessionId, Timestamp, UserId,
};
pub use journal::{Facts, Journal, Lookup, Plan};
pub use limits::Limits;
pub use refusal::Refusal;
pub use roster::Roster;
pub use session::{Action, Identity, Query, Session};

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
