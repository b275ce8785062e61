//! The heartbeat: one task for all connections of a runtime that asked for one.
//!
//! A connection costs an entry in this task's queue and no timer of its own. At each beat its received bytes are
//! compared with those of the beat before, so that reading itself need not look at the clock.

#[cfg(all(test, suda_loom))]
mod loom_models;

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, PoisonError, Weak},
};

use tokio::{
    runtime::Id,
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::{
    deadline::later,
    home::Home,
    sync::{Mutex, MutexGuard},
};
use crate::{HEARTBEAT_EVERY_MIN, Heartbeat};

/// Beats after which the runtime's other tasks have their turn.
const BEATS_AT_ONCE: usize = 64;

/// A connection that is listened to.
pub(super) trait Beating: Send + Sync {
    /// Whether the peer was heard from since `before` bytes had been received.
    fn listen(self: Arc<Self>, before: u64) -> Heard;
    /// Asks the peer for a sign of life.
    fn ask(self: Arc<Self>);
    /// The peer was silent for too long: gives the connection up.
    fn give_up(self: Arc<Self>);
}

/// What a connection has heard from its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Nothing,
    /// So many bytes by now, or more than the program has taken yet.
    Something(u64),
    /// The connection has ended.
    End,
}

/// Has `connection` listened to by the task of its runtime, which is started if there is none.
pub(super) fn enlist(connection: Weak<dyn Beating>, heartbeat: Heartbeat, home: &Home) {
    let id = home.runtime_id;
    let now = Instant::now();
    let beat = Beat {
        due: later(now, heartbeat.every),
        give_up_at: later(now, heartbeat.timeout),
        asked_again: false,
        received_bytes: 0,
        heartbeat,
        connection,
    };
    let mut hearts = HEARTS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = hearts.iter().find(|(of, _)| *of == id);
    let Some(beat) = (match known.and_then(|(_, heart)| heart.upgrade()) {
        Some(heart) => heart.push(beat),
        None => Some(beat),
    }) else {
        return;
    };
    let heart = Arc::new(Heart::default());
    heart.push(beat);
    // Those that have stopped, and those of runtimes that are gone.
    hearts.retain(|(of, heart)| *of != id && heart.strong_count() > 0);
    hearts.push((id, Arc::downgrade(&heart)));
    drop(hearts);
    // A budget would be shared by all connections of a turn. Those after its end could not read what their peers answered.
    home.runtime.spawn(tokio::task::unconstrained(run(heart)));
}

/// The hearts of all runtimes: a handful, looked up once for each connection.
static HEARTS: std::sync::Mutex<Vec<(Id, Weak<Heart>)>> = std::sync::Mutex::new(Vec::new());

#[derive(Default)]
struct Heart {
    state: Mutex<State>,
    /// A beat is due before all others.
    sooner: Notify,
}

#[derive(Default)]
struct State {
    beats: BinaryHeap<Reverse<Beat>>,
    /// The task has ended, since nobody was left.
    stopped: bool,
}

struct Beat {
    due: Instant,
    /// When the peer is to be given up, if it is not heard from until then.
    give_up_at: Instant,
    /// The program itself stood still, so the silent peer was given time once more.
    asked_again: bool,
    received_bytes: u64,
    heartbeat: Heartbeat,
    /// Weak: what is left of a dropped connection until its next beat is small.
    connection: Weak<dyn Beating>,
}

impl PartialEq for Beat {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Beat {}

impl PartialOrd for Beat {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Beat {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

impl Beat {
    /// Listens, asks or gives up; gives the next beat if there is to be one.
    fn next(mut self, now: Instant) -> Option<Self> {
        let connection = self.connection.upgrade()?;
        match connection.clone().listen(self.received_bytes) {
            Heard::End => return None,
            Heard::Something(received_bytes) => {
                self.received_bytes = received_bytes;
                self.give_up_at = later(now, self.heartbeat.timeout);
                self.asked_again = false;
                self.due = later(now, self.heartbeat.every);
            }
            Heard::Nothing => {
                if now >= self.give_up_at {
                    // Then perhaps it was never asked, or its answer lies where nobody came to look.
                    let is_late = now >= later(self.due, HEARTBEAT_EVERY_MIN);
                    if !is_late || self.asked_again {
                        connection.give_up();
                        return None;
                    }
                    self.asked_again = true;
                    let Heartbeat { every, timeout } = self.heartbeat;
                    self.give_up_at = later(now, timeout.saturating_sub(every).max(every));
                }
                connection.ask();
                self.due = self.give_up_at.min(later(now, self.heartbeat.every));
            }
        }
        Some(self)
    }
}

impl Heart {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the beat back if the task has ended.
    fn push(&self, beat: Beat) -> Option<Beat> {
        let mut state = self.lock();
        if state.stopped {
            return Some(beat);
        }
        let first = state.beats.peek();
        let is_sooner = first.is_some_and(|Reverse(first)| beat.due < first.due);
        state.beats.push(Reverse(beat));
        drop(state);
        if is_sooner {
            self.sooner.notify_one();
        }
        None
    }

    /// When the next beat is due. Without one the task has to end.
    fn next_due(&self) -> Option<Instant> {
        let mut state = self.lock();
        let due = state.beats.peek().map(|Reverse(beat)| beat.due);
        state.stopped = due.is_none();
        due
    }

    /// Takes beats that are due, at most [`BEATS_AT_ONCE`].
    fn take_due(&self, now: Instant) -> Vec<Beat> {
        let mut state = self.lock();
        let mut due = Vec::new();
        while due.len() < BEATS_AT_ONCE
            && state
                .beats
                .peek()
                .is_some_and(|Reverse(beat)| beat.due <= now)
        {
            due.extend(state.beats.pop().map(|Reverse(beat)| beat));
        }
        due
    }
}

async fn run(heart: Arc<Heart>) {
    while let Some(due) = heart.next_due() {
        if timeout_at(due, heart.sooner.notified()).await.is_ok() {
            continue;
        }
        let now = Instant::now();
        // Outside the lock: a beat takes the locks of its connection.
        let due = heart.take_due(now);
        let more_may_be_due = due.len() == BEATS_AT_ONCE;
        let next: Vec<_> = due.into_iter().filter_map(|beat| beat.next(now)).collect();
        heart.lock().beats.extend(next.into_iter().map(Reverse));
        if more_may_be_due {
            tokio::task::yield_now().await;
        }
    }
}
