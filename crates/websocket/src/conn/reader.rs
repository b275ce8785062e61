//! The reading half.

use std::{fmt, future::poll_fn};

use super::{Error, MessageReader, Stream, handle::Handle, shared::Delivery};
use crate::{Event, Message};

/// The one who reads from a connection. Pings are answered and close frames echoed while it reads, and only then.
pub struct Reader<S: Stream> {
    handle: Handle<S>,
}

impl<S: Stream> Reader<S> {
    pub(super) fn new(handle: Handle<S>) -> Self {
        Self { handle }
    }

    pub(super) fn handle(&self) -> &Handle<S> {
        &self.handle
    }

    /// The subprotocol that both sides agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.handle.subprotocol.as_deref()
    }

    /// The next message. Before it waits for more input, it sends what was written.
    ///
    /// A message that came in one frame is given out without a copy and shares its buffer with its neighbours: copy what
    /// is kept for long.
    ///
    /// Cancel safe: a dropped call loses nothing.
    ///
    /// # Errors
    /// [`Error::Closed`] when the peer closed or the stream ended, [`Error::Protocol`] when the peer broke a rule,
    /// [`Error::Io`] when the stream failed. Every later call tells the same.
    pub async fn read_message(&mut self) -> Result<Message, Error> {
        poll_fn(|cx| {
            loop {
                match std::task::ready!(self.handle.poll_event(cx, Delivery::Messages))? {
                    Event::Message(message) => return std::task::Poll::Ready(Ok(message)),
                    // Messages are all that this delivery gives.
                    _ => continue,
                }
            }
        })
        .await
    }

    /// Waits for the next message and gives a reader of its bytes as they arrive, for messages that need not be in memory
    /// at once. What is left of the last such message is skipped.
    ///
    /// Cancel safe: a dropped call loses nothing.
    ///
    /// # Errors
    /// As [`read_message`](Self::read_message).
    pub async fn next_reader(&mut self) -> Result<MessageReader<'_, S>, Error> {
        self.handle.with(|inner, _| inner.conn.skip_message());
        let first = poll_fn(|cx| {
            loop {
                match std::task::ready!(self.handle.poll_event(cx, Delivery::Parts))? {
                    Event::Part(part) => return std::task::Poll::Ready(Ok::<_, Error>(part)),
                    // Parts are all that this delivery gives.
                    _ => continue,
                }
            }
        })
        .await?;
        Ok(MessageReader::new(self, first))
    }
}

impl<S: Stream> fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("subprotocol", &self.subprotocol())
            .finish_non_exhaustive()
    }
}
