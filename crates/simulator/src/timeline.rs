//! What happens when: a queue of happenings ordered by simulated time, and by the order in which they were planned.

use std::collections::BTreeMap;

use std::sync::Arc;
use suda_engine::roster::{FillAnswer, FillRequest};
use suda_engine::{Entry, Query};
use suda_protocol::v1;

/// Milliseconds since the history began. Never jumps; wall clocks do.
pub(crate) type Time = i64;

/// A connection's number; never used again.
pub(crate) type ConnId = u64;

/// Something that is going to happen. What belongs to the inside of a server carries the number of its boot, and does not happen
/// after it.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A person does something.
    Act { client: usize },
    /// A machine's `poll_timeout` has come.
    Timeout { client: usize, at: Time },
    /// A connection attempt reaches the server's address.
    Dial { client: usize, conn: ConnId },
    /// The client learns that its connection is there.
    Dialed { client: usize, conn: ConnId },
    /// A connection attempt that got no answer is given up.
    DialTimeout { client: usize, conn: ConnId },
    /// A frame reaches the server.
    ToServer { conn: ConnId, command: v1::Command },
    /// A frame reaches the client.
    ToClient {
        client: usize,
        conn: ConnId,
        message: Box<v1::ServerMessage>,
    },
    /// The client learns that its connection is gone.
    GoneAtClient {
        client: usize,
        conn: ConnId,
        close_code: Option<u16>,
    },
    /// The server learns that a connection is gone.
    GoneAtServer { conn: ConnId },
    /// The link of a connection takes the next frame from its outbox.
    Drain { conn: ConnId },
    /// The server knows whose token it is.
    Authenticated { boot: u64, conn: ConnId, good: bool },
    /// The server sends heartbeats and looks for dead connections.
    Heartbeat { boot: u64 },
    /// The disk has an outcome for the commit under way.
    Commit { boot: u64 },
    /// A worker takes what its queue holds.
    Work { boot: u64, worker: usize },
    /// The store reads for a roster.
    FillRead {
        boot: u64,
        worker: usize,
        request: FillRequest<ConnId>,
    },
    /// The roster gets the answer.
    FillAnswer {
        boot: u64,
        worker: usize,
        request: Box<FillRequest<ConnId>>,
        answer: Box<FillAnswer<Arc<Entry>>>,
    },
    /// The store reads for a query.
    QueryRead {
        boot: u64,
        conn: ConnId,
        command_id: u64,
        query: Query,
    },
    /// Its answer is sent.
    QueryAnswer {
        boot: u64,
        conn: ConnId,
        reply: Box<v1::Reply>,
    },
    /// The server starts again.
    Start,
    /// A fault strikes.
    Fault,
    /// A link that went silent should have been found by now.
    SilenceOver { client: usize, conn: ConnId },
    /// Another round of chaos begins.
    Chaos,
    /// The chaos is over.
    Calm,
    /// Is everything as it should be by now?
    Inspect,
}

#[derive(Debug, Default)]
pub(crate) struct Timeline {
    now: Time,
    planned: BTreeMap<(Time, u64), Happening>,
    count: u64,
}

impl Timeline {
    pub(crate) fn now(&self) -> Time {
        self.now
    }

    pub(crate) fn at(&mut self, at: Time, happening: Happening) {
        self.count += 1;
        self.planned
            .insert((at.max(self.now), self.count), happening);
    }

    pub(crate) fn after(&mut self, ms: u64, happening: Happening) {
        self.at(self.now.saturating_add(ms as Time), happening);
    }

    /// The next happening; time moves there.
    pub(crate) fn next(&mut self) -> Option<Happening> {
        let ((at, _), happening) = self.planned.pop_first()?;
        self.now = at;
        Some(happening)
    }

    /// How many happenings were planned so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}
