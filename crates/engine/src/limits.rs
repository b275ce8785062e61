//! What one engine holds its clients and itself to. The protocol's numbers are the defaults.

use suda_protocol::{limits, v1};

/// Commands per second that change nothing (questions, opening rooms) which one session may keep up.
pub const QUERY_RATE_PER_S: u32 = 50;

/// Commands that change nothing which one session may send at once: all its rooms opened again, and some questions.
pub const QUERY_BURST_MAX: u32 = limits::OPEN_ROOMS_MAX as u32 + 100;

/// Entries that one answer of the store to a [`Roster`](crate::Roster) holds at most. It bounds how long one reader's catching up keeps a
/// worker from the others, and the entries read in vain when the reader's outbox is full.
pub const FILL_ENTRIES_MAX: usize = 256;

/// Recent entries of a room that a worker keeps for the last steps of catching up, so that a busy room is not asked for again and again.
pub const RING_ENTRIES_MAX: usize = 64;

/// Rooms whose tops the journal keeps in memory; over that it forgets all of them and learns them anew.
pub const JOURNAL_ROOMS_MAX: usize = 100_000;

/// The limits of one engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// What clients are told, and held to.
    pub told: v1::Limits,
    /// Milliseconds between heartbeats.
    pub heartbeat_ms: u32,
    /// Mutating commands per second that one session may keep up.
    pub command_rate_per_s: u32,
    /// Mutating commands that one session may send at once after a pause.
    pub command_burst_max: u32,
    /// Commands that change nothing, per second, that one session may keep up.
    pub query_rate_per_s: u32,
    /// Commands that change nothing that one session may send at once after a pause.
    pub query_burst_max: u32,
    /// Commands that could not be read, on one connection, before it is closed.
    pub malformed_commands_max: u32,
    /// Entries in one answer of the store to a roster.
    pub fill_entries_max: usize,
    /// Recent entries of a held room that a worker keeps.
    pub ring_entries_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            told: v1::Limits::standard(),
            heartbeat_ms: limits::HEARTBEAT_MS,
            command_rate_per_s: limits::COMMAND_RATE_PER_S,
            command_burst_max: limits::COMMAND_BURST_MAX,
            query_rate_per_s: QUERY_RATE_PER_S,
            query_burst_max: QUERY_BURST_MAX,
            malformed_commands_max: limits::MALFORMED_COMMANDS_MAX as u32,
            fill_entries_max: FILL_ENTRIES_MAX,
            ring_entries_max: RING_ENTRIES_MAX,
        }
    }
}
