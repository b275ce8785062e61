//! Waiting for one socket that could not take everything at once.

use super::connection::Key;
use super::state::{State, Worker};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

impl Worker {
    pub(super) fn spawn_drain(self: &Rc<Self>, key: Key) {
        let worker = Rc::clone(self);
        tokio::task::spawn_local(async move {
            while poll_fn(|cx| worker.with(|state| state.poll_room(key, cx))).await {
                if worker.with(|state| state.has_room(key)) {
                    return;
                }
            }
            // The socket has failed. Its reading task may be pausing, and would not notice.
            worker.with(|state| state.gone(key));
        });
    }
}

impl State {
    /// A socket has room: whoever waits for it hears of it. True where all of it is free and nobody waits any more.
    pub(super) fn has_room(&mut self, key: Key) -> bool {
        let Some(connection) = self.connections.get_mut(key) else {
            return true;
        };
        // Said once to each who waits: they run only after this task gives way.
        if std::mem::take(&mut connection.reading_waits) {
            connection.resume.notify_one();
        }
        if std::mem::take(&mut connection.refused) {
            self.roster.drained(key, &mut self.connections);
        }
        let Some(connection) = self.connections.get_mut(key) else {
            return true;
        };
        let empty = connection.writer.buffered() == 0 && !connection.refused;
        if empty {
            connection.draining = false;
        }
        empty
    }

    /// Ready with true once there is room for whoever waits for it, or everything is taken; with false once the socket is gone.
    pub(super) fn poll_room(&mut self, key: Key, cx: &mut Context<'_>) -> Poll<bool> {
        let outbox_bytes_max = self.connections.outbox_bytes_max();
        let Some(connection) = self.connections.get_mut(key) else {
            return Poll::Ready(false);
        };
        // Half of the room, so that a slow socket is not filled up entry by entry. All of it, where nobody waits.
        let somebody_waits = connection.refused || connection.reading_waits;
        let below_bytes = if somebody_waits {
            outbox_bytes_max / 2
        } else {
            0
        };
        // Made anew at each poll: the waiting is remembered by the connection, not by this future.
        pin!(connection.writer.drained(below_bytes))
            .as_mut()
            .poll(cx)
            .map(|drained| drained.is_ok())
    }
}
