//! When a connection is found dead, stuck or mute. Pure: time and counts are arguments.

use super::metered::Meter;
use crate::config::Limits;
use std::sync::Arc;
use suda_protocol::CloseCode;
use tokio::time::Instant;

/// What is remembered between two looks.
#[derive(Debug)]
pub(super) struct Liveness {
    meter: Arc<Meter>,
    opened_at: Instant,
    heartbeat_at: Instant,
    read_bytes: u64,
    read_at: Instant,
    written_bytes: u64,
    /// Since when the socket has taken nothing although something waits for it.
    stalled_since: Option<Instant>,
}

/// A connection at the moment of a look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) now: Instant,
    pub(super) waiting_bytes: usize,
    /// Not read at the moment, so that silence says nothing.
    pub(super) paused: bool,
    pub(super) connected: bool,
}

impl Liveness {
    pub(super) fn new(meter: Arc<Meter>, now: Instant, limits: &Limits) -> Self {
        Self {
            meter,
            opened_at: now,
            heartbeat_at: now + limits.heartbeat,
            read_bytes: 0,
            read_at: now,
            written_bytes: 0,
            stalled_since: None,
        }
    }

    /// Why the connection has to end, if it has to.
    pub(super) fn check(&mut self, look: Look, limits: &Limits) -> Option<CloseCode> {
        let read_bytes = self.meter.read_bytes();
        if read_bytes != self.read_bytes || look.paused {
            self.read_bytes = read_bytes;
            self.read_at = look.now;
        }
        let written_bytes = self.meter.written_bytes();
        if written_bytes != self.written_bytes || look.waiting_bytes == 0 {
            self.written_bytes = written_bytes;
            self.stalled_since = None;
        } else {
            self.stalled_since.get_or_insert(look.now);
        }
        let stalled = |since: Instant| look.now - since >= limits.stall_timeout;
        if self.stalled_since.is_some_and(stalled) {
            Some(CloseCode::SlowReader)
        } else if !look.connected && look.now - self.opened_at >= limits.connect_timeout {
            Some(CloseCode::ConnectTimeout)
        } else if look.now - self.read_at >= limits.heartbeat * 2 {
            Some(CloseCode::HeartbeatMissed)
        } else {
            None
        }
    }

    /// Whether a heartbeat is due; the next one is then one interval on.
    pub(super) fn heartbeat_due(&mut self, now: Instant, limits: &Limits) -> bool {
        let due = now >= self.heartbeat_at;
        if due {
            self.heartbeat_at = now + limits.heartbeat;
        }
        due
    }
}
