//! What a worker holds, and the one way to it.

use super::Tools;
use super::connection::Key;
use super::connections::Connections;
use super::shared_entry::SharedEntry;
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use suda_engine::roster::FillRequest;
use suda_engine::{Draft, Limits, Roster};
use suda_protocol::CloseCode;
use suda_websocket::{Error, SendError, broadcast_sockets, flush_all};
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

/// Sockets that are written to before the worker looks at what else has happened: commits, sockets that can be read, time. At 3 to 6 µs
/// for each it looks again within a fifth of a millisecond. With 64 several posts in one room cost more, with 128 and more much more: fewer
/// of them go along with a write then.
const FLUSH_SOCKETS_MAX: usize = 32;

/// A worker. Everything runs on its one thread, so that a cell is enough; no borrow is held across an await.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) number: usize,
    pub(super) tools: Tools,
    pub(super) engine_limits: Arc<suda_engine::Limits>,
    state: RefCell<State>,
    /// Something was queued by a task, for sockets or for the journal; the event loop flushes it once that task gives way, so that one
    /// write carries all of it.
    pub(super) flush: Notify,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) roster: Roster<Key, SharedEntry>,
    pub(super) connections: Connections,
    /// Of the sockets that were read since the last flush, in order. At most as many as commands may be in flight.
    pub(super) drafts: Vec<(Key, Draft)>,
    /// Drafts that were handed to the journal and are not answered yet.
    pub(super) at_journal: usize,
    pub(super) last_key: Key,
    /// Tokens that are being looked up.
    pub(super) authenticating: usize,
    /// Devices that were signed out during that: the store may have been read just before.
    pub(super) signed_out: HashSet<Uuid>,
    pub(super) phase: Phase,
}

/// How far a worker is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    /// No command is read any more; those under way are answered. Until then at the latest.
    Finishing(Instant),
    /// Close frames are under way. Until then at the latest.
    Closing(Instant),
}

impl Worker {
    pub(super) fn new(number: usize, tools: Tools) -> Rc<Self> {
        let engine_limits = suda_engine::Limits {
            heartbeat_ms: u32::try_from(tools.limits.heartbeat.as_millis()).unwrap_or(u32::MAX),
            ..suda_engine::Limits::default()
        };
        let state = State::new(engine_limits.clone(), tools.limits.outbox_bytes_max);
        Rc::new(Self {
            number,
            tools,
            engine_limits: Arc::new(engine_limits),
            state: RefCell::new(state),
            flush: Notify::new(),
        })
    }

    /// Works on the state, then sees to what that led to: reads for the roster, and a flush.
    pub(super) fn with<R>(self: &Rc<Self>, work: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.borrow_mut();
        let result = work(&mut state);
        let fills = state.connections.take_fills();
        if state.connections.has_touched() || state.roster.has_due() || !state.drafts.is_empty() {
            self.flush.notify_one();
        }
        drop(state);
        for request in fills {
            self.spawn_fill(request);
        }
        result
    }

    /// Hands drafts to the journal, and writes to sockets: see [`State::write`]. True where sockets are left for the next flush.
    pub(super) fn flush(self: &Rc<Self>) -> bool {
        let Written {
            fills,
            waiting,
            sockets_left,
        } = {
            let mut state = self.state.borrow_mut();
            self.submit_drafts(&mut state);
            state.write(FLUSH_SOCKETS_MAX)
        };
        for request in fills {
            self.spawn_fill(request);
        }
        for key in waiting {
            self.spawn_drain(key);
        }
        if sockets_left {
            self.flush.notify_one();
        }
        sockets_left
    }
}

/// What is to be done after sockets were written to.
#[derive(Debug)]
pub(super) struct Written {
    /// To be read from the store.
    pub(super) fills: Vec<FillRequest<Key>>,
    /// Sockets that have not taken everything, or for whose room somebody waits.
    pub(super) waiting: Vec<Key>,
    /// More are to be written to.
    pub(super) sockets_left: bool,
}

impl State {
    pub(super) fn new(limits: Limits, outbox_bytes_max: usize) -> Self {
        Self {
            roster: Roster::new(limits),
            connections: Connections::new(outbox_bytes_max),
            drafts: Vec::new(),
            at_journal: 0,
            last_key: 0,
            authenticating: 0,
            signed_out: HashSet::new(),
            phase: Phase::Running,
        }
    }

    /// Gives members of rooms their turn and writes to the sockets that have waited longest for it, at most `sockets_max` of each: with one
    /// call for all where the system has an io_uring for us, else with one for each. What a socket doesn't take waits for it alone.
    ///
    /// So a room of thousands is gone through in turns, like floors by a lift: what is committed meanwhile gets on at the socket that
    /// is next, and each socket gets all that waits for it in one write.
    pub(super) fn write(&mut self, sockets_max: usize) -> Written {
        let mut written = self.give_turns(sockets_max);
        let fills = self.connections.take_fills();
        let touched = self.connections.take_touched(sockets_max);
        let writer = |&key| Some((key, &self.connections.get(key)?.writer));
        for (key, _) in flush_all(touched.iter().filter_map(writer)) {
            // Its reading task may be pausing, and would not notice.
            self.gone(key);
        }
        written.extend(touched);
        let mut waiting = Vec::new();
        for key in written {
            let Some(connection) = self.connections.get_mut(key) else {
                continue;
            };
            // Who waits for room has to hear of it, also where the socket has just taken everything.
            let more =
                connection.writer.buffered() > 0 || connection.refused || connection.reading_waits;
            if more && !connection.draining {
                connection.draining = true;
                waiting.push(key);
            }
        }
        Written {
            fills,
            waiting,
            sockets_left: self.connections.has_touched() || self.roster.has_due(),
        }
    }

    /// Has the roster give some members their turn, and sends them what they got. Gives to whom something was sent; who was sent something
    /// already got it into its outbox, and is touched.
    fn give_turns(&mut self, turns_max: usize) -> Vec<Key> {
        self.connections.begin_turn();
        (self.roster).give_turns(turns_max, &mut self.connections);
        let mut written = Vec::new();
        for run in self.connections.end_turn().runs {
            let writer = |&key| Some((key, &self.connections.get(key)?.writer));
            let members = run.members.iter().filter_map(writer);
            for (key, error) in broadcast_sockets(members, &run.frames) {
                // A closing one is read on, for the peer's half of the close. Of a failed one the reading task may be pausing.
                if !matches!(error, Error::Send(SendError::Closing)) {
                    self.gone(key);
                }
            }
            written.extend(run.members);
        }
        written
    }

    /// Ends a connection with that code. It gets what was committed until here, and nothing more.
    pub(super) fn close(&mut self, key: Key, code: CloseCode) {
        self.roster.give_turn(key, &mut self.connections);
        if let Some(connection) = self.connections.touch(key) {
            tracing::info!(client = %connection.client, session = %connection.session.id(), code = code.number(), reason = code.name(), "closing a connection");
            connection.close(code);
            self.roster.gone(key);
        }
    }

    /// Forgets a connection. What its socket has not taken yet is given a last chance by the socket's own driver.
    pub(super) fn gone(&mut self, key: Key) {
        self.roster.gone(key);
        self.connections.remove(key);
    }
}
