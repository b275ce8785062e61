//! The state of the one connection: wished for, being made, greeting, a session, or given up. Knows nothing of
//! commands.

use suda_protocol::limits::HEARTBEAT_MS;
use suda_protocol::v1;

use super::backoff::Jitter;
use super::config::{COME_BACK_MAX_MS, HELLO_TIMEOUT_MS, STABLE_MS};
use crate::{Timestamp, mutant};

/// What the owner of a machine does about the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionOrder {
    /// Make one. Then call `handle_connected`, or `handle_disconnected` where it could not be made.
    Connect,
    /// Drop the one there is. The machine counts it as gone already: nothing more of it is fed in.
    Drop,
}

#[derive(Debug)]
enum State {
    Waiting { retry_at: Timestamp },
    Connecting,
    Greeting { since: Timestamp },
    Online { since: Timestamp },
    Ended,
}

#[derive(Debug)]
pub(crate) struct Link {
    state: State,
    orders: Vec<ConnectionOrder>,
    failures: u32,
    heard_at: Timestamp,
    heartbeat_ms: u32,
    come_back_at: Option<Timestamp>,
}

impl Link {
    pub(crate) fn new() -> Link {
        Link {
            state: State::Connecting,
            orders: vec![ConnectionOrder::Connect],
            failures: 0,
            heard_at: 0,
            heartbeat_ms: HEARTBEAT_MS,
            come_back_at: None,
        }
    }

    pub(crate) fn poll_order(&mut self) -> Option<ConnectionOrder> {
        if self.orders.is_empty() {
            None
        } else {
            Some(self.orders.remove(0))
        }
    }

    /// Whether there is a connection, a session or not yet.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.state, State::Greeting { .. } | State::Online { .. })
    }

    pub(crate) fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting)
    }

    pub(crate) fn is_online(&self) -> bool {
        matches!(self.state, State::Online { .. })
    }

    pub(crate) fn is_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Whether the server announced that it stops.
    pub(crate) fn is_going_away(&self) -> bool {
        self.come_back_at.is_some()
    }

    pub(crate) fn connected(&mut self, now: Timestamp) {
        self.state = State::Greeting { since: now };
        self.heard_at = now;
    }

    pub(crate) fn heard(&mut self, now: Timestamp) {
        self.heard_at = now;
    }

    pub(crate) fn greeted(&mut self, now: Timestamp, hello: &v1::Hello) {
        self.state = State::Online { since: now };
        // A server that names none still is held to one.
        self.heartbeat_ms = if hello.heartbeat_ms == 0 {
            HEARTBEAT_MS
        } else {
            hello.heartbeat_ms
        };
    }

    pub(crate) fn going_away(&mut self, now: Timestamp, come_back_after_ms: u32) {
        self.come_back_at =
            Some(now.saturating_add(i64::from(come_back_after_ms.min(COME_BACK_MAX_MS))));
    }

    /// The connection is gone: when to try again, at least `wait_ms_min` from now.
    pub(crate) fn lost(
        &mut self,
        now: Timestamp,
        jitter: &mut Jitter,
        wait_ms_min: i64,
    ) -> Timestamp {
        let stable =
            matches!(self.state, State::Online { since } if now.saturating_sub(since) >= STABLE_MS);
        self.failures = if stable {
            1
        } else {
            self.failures.saturating_add(1)
        };
        let wait_ms = jitter.wait_ms(self.failures).max(wait_ms_min);
        let retry_at = match self.come_back_at.take() {
            Some(at) => at.max(now),
            None => now.saturating_add(wait_ms),
        };
        self.state = State::Waiting { retry_at };
        retry_at
    }

    /// The owner is to drop the connection.
    pub(crate) fn order_drop(&mut self) {
        self.orders.push(ConnectionOrder::Drop);
    }

    pub(crate) fn end(&mut self) {
        self.state = State::Ended;
        self.orders.retain(|order| *order == ConnectionOrder::Drop);
    }

    /// Ends a wait whose time has come, or any wait where `at_once`.
    pub(crate) fn retry(&mut self, now: Timestamp, at_once: bool) {
        if let State::Waiting { retry_at } = self.state
            && (at_once || now >= retry_at)
        {
            self.state = State::Connecting;
            self.orders.push(ConnectionOrder::Connect);
        }
    }

    /// When the connection counts as silent.
    pub(crate) fn silent_at(&self) -> Option<Timestamp> {
        if mutant!("trust-silent-link") {
            return None;
        }
        match self.state {
            State::Greeting { since } => Some(since.saturating_add(HELLO_TIMEOUT_MS)),
            State::Online { .. } => Some(
                self.heard_at
                    .saturating_add(2 * i64::from(self.heartbeat_ms) + 1),
            ),
            _ => None,
        }
    }

    /// When [`Link::retry`] has something to do.
    pub(crate) fn retry_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Waiting { retry_at } => Some(retry_at),
            _ => None,
        }
    }
}
