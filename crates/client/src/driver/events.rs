//! The stream of events.

use tokio::sync::mpsc;

use crate::Event;

/// What happens, in order. Answers that a method of [`Client`](crate::Client) waits for don't come here.
///
/// At most [`EVENTS_MAX`](crate::EVENTS_MAX) wait to be taken. While that many do, nothing is read from the connection,
/// so that no answer comes either: take events in another task than the one that waits for answers, or in the same
/// `select!`. Dropping the stream lets the client work on without it.
#[derive(Debug)]
pub struct Events {
    pub(crate) receiver: mpsc::Receiver<Event>,
}

impl Events {
    /// The next event; none once the client is closed. Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Option<Event> {
        self.receiver.recv().await
    }
}
