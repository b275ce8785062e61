//! What time brings: heartbeats, and the end of connections that are dead, stuck or mute.

use super::connection::Key;
use super::liveness::Look;
use super::state::{State, Worker};
use crate::clock::now_ms;
use std::rc::Rc;
use std::time::Duration;
use suda_protocol::v1;
use tokio::time::Instant;

/// How long a close frame may take to be answered before the socket is dropped.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time between two looks at the connections.
const TICK_MAX: Duration = Duration::from_secs(1);
/// The shortest.
const TICK_MIN: Duration = Duration::from_millis(10);
/// Looks in the shortest of the waits that are checked at each.
const TICKS_PER_WAIT: u32 = 4;

impl Worker {
    /// How often to look at the connections.
    pub(super) fn tick_interval(&self) -> Duration {
        let limits = &self.tools.limits;
        let shortest = limits
            .heartbeat
            .min(limits.connect_timeout)
            .min(limits.stall_timeout);
        (shortest / TICKS_PER_WAIT).clamp(TICK_MIN, TICK_MAX)
    }

    pub(super) fn tick(self: &Rc<Self>) {
        let now = Instant::now();
        self.with(|state| {
            for key in state.connections.keys() {
                self.tick_connection(state, key, now);
            }
        });
    }

    fn tick_connection(&self, state: &mut State, key: Key, now: Instant) {
        let limits = &self.tools.limits;
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        if let Some(since) = connection.closing_since {
            if now - since >= CLOSE_TIMEOUT {
                // What it has not taken until now would only keep the socket and its memory longer.
                connection.control.abort();
                state.gone(key);
            }
            return;
        }
        let look = Look {
            now,
            waiting_bytes: connection.writer.buffered(),
            paused: connection.paused,
            connected: connection.session.identity().is_some(),
        };
        if let Some(code) = connection.liveness.check(look, limits) {
            state.close(key, code);
            return;
        }
        if !connection.liveness.heartbeat_due(now, limits) || !look.connected {
            return;
        }
        // The ping is for peers that answer by themselves but never speak: browsers.
        if connection.is_full(limits.outbox_bytes_max) || connection.control.ping(b"").is_err() {
            // A full outbox is a sign of life enough, and must not grow by heartbeats.
            return;
        }
        let heartbeat = v1::Heartbeat {
            now_ms: now_ms(),
            tops: state.roster.tops(key, &mut state.connections),
        };
        state
            .connections
            .push(key, v1::push::Event::Heartbeat(heartbeat));
    }
}
