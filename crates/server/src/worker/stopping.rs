//! A worker's end: everybody is told, what was submitted is answered, then the sockets are closed.

use super::state::{Phase, Worker};
use std::rc::Rc;
use std::time::Duration;
use suda_protocol::CloseCode;
use suda_protocol::v1;
use tokio::time::Instant;

/// Nobody comes back before this: a new process needs a moment.
const COME_BACK_MIN_MS: u32 = 200;
/// Clients are spread over this time, so that they don't all come at once.
const COME_BACK_SPREAD_MS: u32 = 2_000;
/// How long peers may take to answer the close.
const CLOSING_TIME: Duration = Duration::from_secs(2);

impl Worker {
    /// Tells everybody and reads no more commands.
    pub(super) fn begin_stop(self: &Rc<Self>, until: Instant) {
        self.with(|state| {
            if state.phase != Phase::Running {
                return;
            }
            state.phase = Phase::Finishing(until);
            for key in state.connections.keys() {
                let going_away = v1::GoingAway {
                    come_back_after_ms: come_back_after_ms(),
                };
                state
                    .connections
                    .push(key, v1::push::Event::GoingAway(going_away));
            }
        });
    }

    /// Goes on to the next phase where this one is over. True once nothing is left to be done.
    pub(super) fn is_stopped(self: &Rc<Self>) -> bool {
        let now = Instant::now();
        self.with(|state| match state.phase {
            Phase::Running => false,
            Phase::Finishing(until) => {
                let answered = state
                    .connections
                    .values()
                    .all(|connection| connection.session.in_flight() == 0);
                if answered || now >= until {
                    state.phase = Phase::Closing(now + CLOSING_TIME);
                    for key in state.connections.keys() {
                        state.close(key, CloseCode::GoingAway);
                    }
                }
                state.connections.is_empty()
            }
            Phase::Closing(until) => state.connections.is_empty() || now >= until,
        })
    }

    /// When the present phase ends by itself.
    pub(super) fn phase_end(self: &Rc<Self>) -> Option<Instant> {
        self.with(|state| match state.phase {
            Phase::Running => None,
            Phase::Finishing(until) | Phase::Closing(until) => Some(until),
        })
    }
}

fn come_back_after_ms() -> u32 {
    // Without randomness all come back together, which is worse but works.
    let random = getrandom::u32().unwrap_or_default();
    COME_BACK_MIN_MS + random % COME_BACK_SPREAD_MS
}
