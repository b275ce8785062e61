//! What one side of a connection is, and the limits it keeps. The limits of the opening handshake live with the handshake.

use std::time::Duration;

/// Longest message that is read unless [`Config::read_limit`] says otherwise, in bytes: 1 MiB.
pub const READ_LIMIT_BYTES_DEFAULT: usize = 1 << 20;
/// Frames that one message may always consist of. It bounds what empty fragments, which no byte limit catches, can cost.
pub const FRAGMENTS_MAX_DEFAULT: u32 = 1 << 17;
/// Content of a message, in bytes, that allows it one frame more than [`Config::fragments_max`].
pub const FRAGMENT_CONTENT_BYTES: usize = 1 << 10;
/// Longest payload of an outgoing frame, in bytes; a longer message is cut. A control frame waits for at most one such piece
/// and 64 KiB of shorter frames before it, which are joined.
pub const FRAME_BYTES_MAX_DEFAULT: usize = 1 << 20;
/// Unsent bytes above which a plain write waits.
pub const HIGH_WATER_BYTES_DEFAULT: usize = 64 << 10;
/// Unsent bytes above which [`try_send_prepared`](crate::Connection::try_send_prepared) refuses.
pub const OUTBOX_BYTES_MAX_DEFAULT: usize = 4 << 20;
/// How long closing waits for the peer's half of the close handshake.
pub const CLOSE_TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);
/// Shortest time between two beats of a [`Heartbeat`].
pub const HEARTBEAT_EVERY_MIN: Duration = Duration::from_millis(10);

/// Which side of the connection this is. A client masks what it sends, a server must not (RFC 6455, section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that sent the opening request.
    Client,
    /// The side that answered it.
    Server,
}

/// How a connection finds out that its peer is gone without a word. One that sends but never reads is not gone: what is written to it
/// is for a write deadline to bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Heartbeat {
    /// After so long without a byte from the peer it is sent a ping, and again after each further such time.
    pub every: Duration,
    /// After so long without a byte from the peer the connection is given up; at most [`Heartbeat::every`] later. If the program itself
    /// stood still meanwhile, the peer is pinged and given time to answer once more.
    pub timeout: Duration,
}

impl Heartbeat {
    /// Both times as they are taken: the fields are public, and may have been set to anything.
    pub(crate) fn bounded(self) -> Self {
        let every = self.every.max(HEARTBEAT_EVERY_MIN);
        Self {
            every,
            timeout: self.timeout.max(every.saturating_mul(2)),
        }
    }
}

/// Limits of one connection.
///
/// ```
/// use suda_websocket::Config;
/// let config = Config::default().read_limit(64 << 10);
/// assert_eq!(config.read_limit, 64 << 10);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Longest message that is read, in bytes, all fragments together. A longer one ends the connection with 1009 as soon as a
    /// frame's length says so, before its payload is read. Of a compressed message the inflated bytes count, as they are inflated. Default [`READ_LIMIT_BYTES_DEFAULT`].
    pub read_limit: usize,
    /// Most frames in one incoming message, beyond one for each [`FRAGMENT_CONTENT_BYTES`] of its content (inflated, if it is
    /// compressed); more ends the connection with 1009. So frames of a good size are bounded by [`Config::read_limit`] alone,
    /// however long the message is. Default [`FRAGMENTS_MAX_DEFAULT`].
    pub fragments_max: u32,
    /// Longest payload of one outgoing data frame, in bytes, at least 1. Default [`FRAME_BYTES_MAX_DEFAULT`].
    pub frame_bytes_max: usize,
    /// Unsent bytes above which a write waits for the socket. One message is always taken whole, so the queue may
    /// exceed the mark by one message. Default [`HIGH_WATER_BYTES_DEFAULT`].
    pub high_water_bytes: usize,
    /// Unsent bytes above which a prepared message is refused. Default [`OUTBOX_BYTES_MAX_DEFAULT`].
    pub outbox_bytes_max: usize,
    /// How long closing waits for the peer. Default [`CLOSE_TIMEOUT_DEFAULT`].
    pub close_timeout: Duration,
    /// Whether and how the driver makes sure that the peer still lives; the core, which knows no clock, leaves it alone. Default: not
    /// at all.
    pub heartbeat: Option<Heartbeat>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            read_limit: READ_LIMIT_BYTES_DEFAULT,
            fragments_max: FRAGMENTS_MAX_DEFAULT,
            frame_bytes_max: FRAME_BYTES_MAX_DEFAULT,
            high_water_bytes: HIGH_WATER_BYTES_DEFAULT,
            outbox_bytes_max: OUTBOX_BYTES_MAX_DEFAULT,
            close_timeout: CLOSE_TIMEOUT_DEFAULT,
            heartbeat: None,
        }
    }
}

impl Config {
    /// Sets [`Config::read_limit`], in bytes.
    #[must_use]
    pub fn read_limit(mut self, bytes: usize) -> Self {
        self.read_limit = bytes;
        self
    }

    /// Sets [`Config::fragments_max`].
    #[must_use]
    pub fn fragments_max(mut self, frames: u32) -> Self {
        self.fragments_max = frames;
        self
    }

    /// Sets [`Config::frame_bytes_max`]; 0 is taken as 1.
    #[must_use]
    pub fn frame_bytes_max(mut self, bytes: usize) -> Self {
        self.frame_bytes_max = bytes.max(1);
        self
    }

    /// Sets [`Config::high_water_bytes`]; 0 is taken as 1.
    #[must_use]
    pub fn high_water_bytes(mut self, bytes: usize) -> Self {
        self.high_water_bytes = bytes.max(1);
        self
    }

    /// Sets [`Config::outbox_bytes_max`].
    #[must_use]
    pub fn outbox_bytes_max(mut self, bytes: usize) -> Self {
        self.outbox_bytes_max = bytes;
        self
    }

    /// Sets [`Config::close_timeout`].
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// Sets [`Config::heartbeat`]: a ping after each `every` without a byte from the peer, and the end of the connection with
    /// `Error::PeerSilent` after `timeout` without one. `every` is taken as at least [`HEARTBEAT_EVERY_MIN`], and
    /// `timeout` as at least twice that, or no ping could be answered in time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use suda_websocket::Config;
    /// let config = Config::default().heartbeat(Duration::from_secs(20), Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn heartbeat(mut self, every: Duration, timeout: Duration) -> Self {
        self.heartbeat = Some(Heartbeat { every, timeout }.bounded());
        self
    }
}
