//! Where the answer to a draft goes.

/// Carried by the engine's journal beside a draft, untouched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ticket {
    /// The server itself drafted it; nobody waits.
    Nobody,
    /// A connection of a worker waits.
    Connection {
        /// The worker's number.
        worker: usize,
        /// The connection's number on it. Never used twice, so that a late answer cannot reach another.
        connection: u64,
    },
}
