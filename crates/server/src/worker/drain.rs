//! Waiting for one socket that could not take everything at once.

use super::connection::Key;
use super::state::Worker;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

impl Worker {
    pub(super) fn spawn_drain(self: &Rc<Self>, key: Key) {
        let worker = Rc::clone(self);
        tokio::task::spawn_local(async move {
            while poll_fn(|cx| worker.poll_room(key, cx)).await {
                let empty = worker.with(|state| {
                    let Some(connection) = state.connections.get_mut(key) else {
                        return true;
                    };
                    // Said once to each who waits: they run only after this task gives way.
                    if std::mem::take(&mut connection.reading_waits) {
                        connection.resume.notify_one();
                    }
                    if std::mem::take(&mut connection.refused) {
                        state.roster.drained(key, &mut state.connections);
                    }
                    let Some(connection) = state.connections.get_mut(key) else {
                        return true;
                    };
                    let empty = connection.writer.buffered() == 0 && !connection.refused;
                    if empty {
                        connection.draining = false;
                    }
                    empty
                });
                if empty {
                    return;
                }
            }
            // The socket has failed. Its reading task may be pausing, and would not notice.
            worker.with(|state| state.gone(key));
        });
    }

    /// Ready with true once there is room for whoever waits for it, or everything is taken; with false once the socket is gone.
    fn poll_room(self: &Rc<Self>, key: Key, cx: &mut Context<'_>) -> Poll<bool> {
        self.with(|state| {
            let Some(connection) = state.connections.get_mut(key) else {
                return Poll::Ready(false);
            };
            // Half of the room, so that a slow socket is not filled up entry by entry. All of it, where nobody waits.
            let somebody_waits = connection.refused || connection.reading_waits;
            let below_bytes = if somebody_waits {
                self.tools.limits.outbox_bytes_max / 2
            } else {
                0
            };
            // Made anew at each poll: the waiting is remembered by the connection, not by this future.
            pin!(connection.writer.drained(below_bytes))
                .as_mut()
                .poll(cx)
                .map(|drained| drained.is_ok())
        })
    }
}
