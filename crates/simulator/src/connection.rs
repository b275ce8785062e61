//! One simulated connection: what the server keeps about it, and the link beneath.

use std::collections::VecDeque;

use prost::Message as _;
use suda_engine::{Session, UserId};
use suda_protocol::v1;

use crate::timeline::Time;

/// Bytes of entries that an outbox holds. Small, so that readers lag often.
pub(crate) const OUTBOX_BYTES_MAX: usize = 1_500;

/// The same in a history without faults, in which no reader may lag: more than one history writes.
pub(crate) const OUTBOX_BYTES_MAX_WITHOUT_FAULTS: usize = 1 << 20;

/// The link between a client and the server. It outlives both ends: what is on its way arrives even if the sender is gone.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) client: usize,
    /// No frame that is still on its way arrives.
    pub(crate) cut: bool,
    /// Nothing reaches the client any more, and nobody is told.
    pub(crate) silent_to_client: bool,
    /// Nothing reaches the server any more, and nobody is told.
    pub(crate) silent_to_server: bool,
    /// Milliseconds that the reader needs for each frame; `None` while it takes nothing.
    pub(crate) frame_ms: Option<u64>,
    /// When the last frame towards the client arrives: the next one can't overtake it.
    pub(crate) to_client_at: Time,
    /// The same towards the server.
    pub(crate) to_server_at: Time,
}

impl Link {
    pub(crate) fn new(client: usize) -> Self {
        Self {
            client,
            cut: false,
            silent_to_client: false,
            silent_to_server: false,
            frame_ms: Some(0),
            to_client_at: 0,
            to_server_at: 0,
        }
    }
}

/// The server's end.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: usize,
    pub(crate) worker: usize,
    pub(crate) session: Session,
    pub(crate) user: Option<UserId>,
    /// Commands that arrived and were not read yet.
    pub(crate) inbox: VecDeque<v1::Command>,
    pub(crate) outbox: VecDeque<(v1::ServerMessage, usize)>,
    pub(crate) outbox_bytes: usize,
    /// Bytes of entries that the outbox holds.
    pub(crate) outbox_bytes_max: usize,
    /// An entry found no room; the roster wants to hear when there is some.
    pub(crate) was_full: bool,
    pub(crate) drain_planned: bool,
    /// When the link last took something, or had nothing to take.
    pub(crate) took_at: Time,
    /// When the client was last known to be there.
    pub(crate) heard_at: Time,
    /// Closing: nothing is read any more, and the connection ends when the outbox is empty.
    pub(crate) close_code: Option<u16>,
}

impl Connection {
    pub(crate) fn new(
        client: usize,
        worker: usize,
        session: Session,
        outbox_bytes_max: usize,
        now: Time,
    ) -> Self {
        Self {
            client,
            worker,
            session,
            user: None,
            inbox: VecDeque::new(),
            outbox: VecDeque::new(),
            outbox_bytes: 0,
            outbox_bytes_max,
            was_full: false,
            drain_planned: false,
            took_at: now,
            heard_at: now,
            close_code: None,
        }
    }

    /// Puts a message into the outbox, beyond its bound where need be.
    pub(crate) fn push(&mut self, now: Time, message: v1::ServerMessage) {
        if self.outbox.is_empty() {
            self.took_at = now;
        }
        let bytes = message.encoded_len();
        self.outbox_bytes += bytes;
        self.outbox.push_back((message, bytes));
    }

    pub(crate) fn take(&mut self, now: Time) -> Option<v1::ServerMessage> {
        let (message, bytes) = self.outbox.pop_front()?;
        self.outbox_bytes -= bytes;
        self.took_at = now;
        Some(message)
    }

    /// Whether another command may be read.
    pub(crate) fn may_read(&self) -> bool {
        self.close_code.is_none()
            && self.session.may_read()
            && self.outbox_bytes <= self.outbox_bytes_max
    }
}

/// A reply as it is sent.
pub(crate) fn replying(reply: v1::Reply) -> v1::ServerMessage {
    v1::ServerMessage {
        kind: Some(v1::server_message::Kind::Reply(reply)),
    }
}

/// A push as it is sent.
pub(crate) fn pushing(event: v1::push::Event) -> v1::ServerMessage {
    v1::ServerMessage {
        kind: Some(v1::server_message::Kind::Push(v1::Push {
            event: Some(event),
        })),
    }
}
