//! What a [`Machine`](crate::Machine) is told at birth, and its own bounds.

/// Mutating commands that may wait for an answer or a connection.
pub const PENDING_COMMANDS_MAX: usize = 1_000;

/// Bytes of text in the commands that wait.
pub const PENDING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Questions that may wait for an answer or a connection.
pub const QUESTIONS_MAX: usize = 100;

/// Milliseconds that the answer to `Connect` may take.
pub const HELLO_TIMEOUT_MS: i64 = 15_000;

/// Milliseconds that the answer to any other command may take before the connection counts as broken.
pub const ANSWER_TIMEOUT_MS: i64 = 60_000;

/// Milliseconds that bound the first wait before connecting again, or before sending a refused command again; each
/// further one doubles it.
pub const BACKOFF_FIRST_MS: i64 = 500;

/// Milliseconds that no such wait exceeds.
pub const BACKOFF_MAX_MS: i64 = 30_000;

/// Milliseconds for which a session must have lasted for the next wait to be a first one again: a server that greets
/// and hangs up is not asked at full speed.
pub const STABLE_MS: i64 = 10_000;

/// Milliseconds that a server may ask a client to stay away.
pub const COME_BACK_MAX_MS: u32 = 300_000;

/// Names of rooms whose ids are remembered.
pub(crate) const NAMES_MAX: usize = 4_096;

/// Who connects.
#[derive(Clone)]
pub struct Config {
    /// The token that signing in gave.
    pub token: String,
    /// A UUID made once for this device and kept.
    pub device: String,
    /// The program and its version, for the server's log: `"suda-cli/0.1.0"`.
    pub client: String,
    /// Where the machine's randomness (only jitter) comes from: the same seed and the same calls give the same machine.
    pub seed: u64,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The token stays out of logs.
        f.debug_struct("Config")
            .field("device", &self.device)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
