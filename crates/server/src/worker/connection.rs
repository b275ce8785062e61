//! One chat connection as its worker holds it: the session, and the sending half of the socket.

use super::hand_over::Place;
use super::liveness::Liveness;
use super::metered::Metered;
use super::shared_entry::prepared;
use std::net::IpAddr;
use std::rc::Rc;
use suda_engine::Session;
use suda_protocol::v1::{self, ServerMessage, server_message};
use suda_protocol::{CloseCode, Codec};
use suda_websocket::{Control, PreparedMessage, Writer};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use uuid::Uuid;

/// A connection's number on its worker. Never given twice.
pub(super) type Key = u64;

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) writer: Writer<Metered>,
    pub(super) control: Control<Metered>,
    pub(super) codec: Codec,
    pub(super) session: Session,
    /// The bearer token of the upgrade request, for a `connect` without one.
    pub(super) upgrade_token: String,
    /// The signed-in device, once it is known.
    pub(super) device: Option<Uuid>,
    pub(super) client: IpAddr,
    pub(super) liveness: Liveness,
    /// An offer was refused for lack of room, and the roster waits to hear of room.
    pub(super) refused: bool,
    /// Reading has stopped until the outbox has room, and nobody has said so yet.
    pub(super) reading_waits: bool,
    /// Something was queued since the last flush.
    pub(super) touched: bool,
    /// A task waits for the socket to take the rest.
    pub(super) draining: bool,
    /// Reading has stopped for the moment: too much waits for an answer or for the socket.
    pub(super) paused: bool,
    /// Wakes the reading task where it is paused.
    pub(super) resume: Rc<Notify>,
    /// Since when a close frame is under way. Nothing more is sent then.
    pub(super) closing_since: Option<Instant>,
    /// The reading task, which is to end with the connection.
    pub(super) reading: Option<AbortHandle>,
    pub(super) _place: Place,
}

impl Connection {
    /// Queues a reply or a push, beyond the bound where need be: replies are bounded by the commands in flight, which
    /// are not read while the outbox is full, and pushes by the open rooms.
    pub(super) fn send(&mut self, kind: server_message::Kind) {
        let message = ServerMessage { kind: Some(kind) };
        let frame = prepared(self.codec, self.codec.encode_server_message(&message));
        self.send_frame(&frame);
    }

    /// Queues the answer to a command and makes room for the next.
    pub(super) fn reply(&mut self, reply: v1::Reply) {
        self.session.answered(reply.id);
        self.send(server_message::Kind::Reply(reply));
        self.resume.notify_one();
    }

    pub(super) fn push(&mut self, event: v1::push::Event) {
        self.send(server_message::Kind::Push(v1::Push { event: Some(event) }));
    }

    pub(super) fn send_frame(&mut self, frame: &PreparedMessage) {
        if self.closing_since.is_none() {
            // It fails only where the connection has ended; its reading task sees that too and takes it away.
            let _ = self.writer.try_send_prepared(frame);
        }
    }

    /// Whether all that was queued is sent, and more may be.
    pub(super) fn has_nothing_to_send(&self) -> bool {
        !self.touched && !self.draining && self.closing_since.is_none()
    }

    /// Whether the outbox has no room for another entry, after the socket was given the chance to take some.
    pub(super) fn has_no_room(&mut self, outbox_bytes_max: usize) -> bool {
        if !self.is_full(outbox_bytes_max) {
            return false;
        }
        // A failed socket has room for ever: its reading task takes it away.
        let _ = self.writer.try_flush();
        self.is_full(outbox_bytes_max)
    }

    pub(super) fn is_full(&self, outbox_bytes_max: usize) -> bool {
        self.writer.buffered() >= outbox_bytes_max
    }

    /// Queues a close frame behind what waits already.
    pub(super) fn close(&mut self, code: CloseCode) {
        if self.closing_since.is_some() {
            return;
        }
        self.closing_since = Some(Instant::now());
        // It fails where the connection is ending anyway.
        let _ = self.control.close(code.number().into(), code.message());
        self.resume.notify_one();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(reading) = &self.reading {
            reading.abort();
        }
    }
}
