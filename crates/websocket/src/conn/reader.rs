//! The reading half.

use std::{
    fmt,
    future::{Future, poll_fn},
    mem::take,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    CloseOutcome, Error, JoinedMessages, MessageReader, Stream, closing, handle::Handle,
    handlers::Handlers, read_ahead::ReadAhead, shared::Delivery,
};
use crate::{CloseCode, CloseError, Event, Message};

/// The one who reads from a connection. Pings are answered and close frames echoed while it reads, and only then: a program
/// that only writes spawns its [`drain`](Self::drain).
pub struct Reader<S: Stream> {
    pub(super) handle: Handle<S>,
    /// What was read and not given out, while nothing but messages is asked for.
    ahead: Option<Box<ReadAhead>>,
}

impl<S: Stream> Reader<S> {
    pub(super) fn new(handle: Handle<S>) -> Self {
        Self {
            handle,
            ahead: None,
        }
    }

    /// The subprotocol that both sides agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.handle.home.subprotocol.as_deref()
    }

    /// The next message. Before it waits for more input, it sends what was written; with the feature `io-uring` it may leave that to
    /// be sent with what other connections have, when the task gives way.
    ///
    /// A message that came in one frame is given out without a copy and shares its buffer, of up to 264 KiB if it is not longer
    /// itself, with its neighbours: copy what is kept for long.
    ///
    /// Cancel safe: a dropped call loses nothing.
    ///
    /// # Errors
    /// [`Error::Closed`] when the peer closed or the stream ended, [`Error::Protocol`] when the peer broke a rule,
    /// [`Error::Io`] when the stream failed, [`Error::PeerSilent`] when the heartbeat gave up; every later call tells the same.
    /// [`Error::TimedOut`] when the [read deadline](Self::set_read_deadline) passed.
    // Not `async`: the future is then no more than a reference, which is what an idle connection's task has to keep.
    pub fn read_message(&mut self) -> impl Future<Output = Result<Message, Error>> {
        poll_fn(|cx| self.poll_message(cx))
    }

    #[inline]
    pub(super) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Error>> {
        let mut polled = loop {
            if let Some(ahead) = &mut self.ahead
                && let Some(message) = ahead.take_message()
            {
                if ahead.bytes.is_empty() {
                    self.handle.tell_more_ahead(false);
                }
                return Poll::Ready(Ok(message));
            }
            match self.handle.poll_read_ahead(cx, &mut self.ahead) {
                Ok(Poll::Ready(())) => {}
                Ok(Poll::Pending) => return Poll::Pending,
                Err(locked) => {
                    break (self.handle).poll_event_locked(locked, cx, Delivery::Messages, true);
                }
            }
        };
        loop {
            if let Some(data) = self.pass_control(polled) {
                // Messages are all that this delivery gives.
                if let Event::Message(message) = ready!(data)? {
                    return Poll::Ready(Ok(message));
                }
            }
            polled = self.handle.poll_event(cx, Delivery::Messages, true);
        }
    }

    /// Waits for the next message and gives a reader of its bytes as they arrive, for messages that need not be in memory
    /// at once. What is left of the last such message is skipped.
    ///
    /// Cancel safe: a dropped call loses nothing.
    ///
    /// # Errors
    /// As [`read_message`](Self::read_message).
    pub async fn next_reader(&mut self) -> Result<MessageReader<'_, S>, Error> {
        self.handle.with(|inner| inner.conn.skip_message());
        let first = poll_fn(|cx| {
            loop {
                match ready!(self.poll_data(cx, Delivery::Parts))? {
                    Event::Part(part) => return Poll::Ready(Ok::<_, Error>(part)),
                    // Parts are all that this delivery gives.
                    _ => continue,
                }
            }
        })
        .await?;
        Ok(MessageReader::new(self, first))
    }

    /// All further messages as one stream of bytes, each with `terminator` behind it, for programs that read lines or records. It
    /// ends when the peer closes with [`CloseCode::NORMAL`](crate::CloseCode::NORMAL); every other end is an error, with the [`Error`] inside the
    /// [`io::Error`](std::io::Error). What is left of a message from [`next_reader`](Self::next_reader) is skipped.
    ///
    /// Cancel safe: a dropped read loses nothing. Dropped itself, it takes what it has not given out of the last piece with it.
    pub fn join_messages(&mut self, terminator: impl Into<Bytes>) -> JoinedMessages<'_, S> {
        self.handle.with(|inner| inner.conn.skip_message());
        JoinedMessages::new(self, terminator.into())
    }

    /// The whole close handshake of a connection that was split: as [`Conn::close`](super::Conn::close), while the
    /// [`Writer`](super::Writer) may be in another task. What that one has written goes first; what it writes afterwards is refused.
    ///
    /// Cancel safe: another call goes on.
    ///
    /// # Errors
    /// As [`Conn::close`](super::Conn::close).
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseOutcome, Error> {
        closing::close(self, code, reason).await
    }

    /// Reads and drops all messages until the connection ends, and gives the peer's close, for programs that only write:
    /// `tokio::spawn(reader.drain())` answers pings and close frames and calls the handlers. Of a long message only a part is in memory
    /// at a time.
    ///
    /// Not cancel safe: dropped, it takes the reader with it, as it does when it ends, and nobody reads this connection any more.
    ///
    /// # Errors
    /// As [`read_message`](Self::read_message), but a close is no error.
    pub async fn drain(mut self) -> Result<CloseError, Error> {
        loop {
            match poll_fn(|cx| self.poll_data(cx, Delivery::Parts)).await {
                Ok(_) => {}
                Err(Error::Closed(close)) => return Ok(close),
                Err(error) => return Err(error),
            }
        }
    }

    /// From `deadline` on, every read fails with [`Error::TimedOut`], also one that is waiting; none: reads wait as long as
    /// they must, as at first. A read that failed so has lost nothing, and may be repeated with a later deadline.
    pub fn set_read_deadline(&mut self, deadline: Option<Instant>) {
        self.put_back();
        let runtime = &self.handle.home.runtime;
        let last = (self.handle).with(|inner| inner.rare().read_deadline.set(deadline, runtime));
        drop(last);
    }

    /// Changes [`Config::read_limit`](crate::Config::read_limit), in bytes, from the next frame on.
    pub fn set_read_limit(&mut self, bytes: usize) {
        self.put_back();
        self.handle.with(|inner| inner.conn.set_read_limit(bytes));
    }

    /// Has `handler` called with the payload of each ping, by the read that meets it. Its pong is on its way by then, handler or
    /// not. A handler may use a [`Control`](super::Control); it should not block.
    pub fn set_ping_handler(&mut self, handler: impl FnMut(&[u8]) + Send + 'static) {
        let handler = Box::new(handler);
        self.set_handler(|handlers| handlers.ping.replace(handler));
    }

    /// Has `handler` called with the payload of each pong, asked for or not, by the read that meets it.
    pub fn set_pong_handler(&mut self, handler: impl FnMut(&[u8]) + Send + 'static) {
        let handler = Box::new(handler);
        self.set_handler(|handlers| handlers.pong.replace(handler));
    }

    /// Has `handler` called with the peer's close frame, by the read that meets it and before that read returns. The frame is
    /// answered with its code, handler or not. A stream that ends without a close frame calls nobody.
    pub fn set_close_handler(&mut self, handler: impl FnOnce(&CloseError) + Send + 'static) {
        let handler = Box::new(handler);
        self.set_handler(|handlers| handlers.close.replace(handler));
    }

    /// Leaves to the connection what was read ahead, for whatever is not as simple as the next message.
    #[inline]
    fn put_back(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            self.handle.with(|inner| self.handle.put_back(inner, ahead));
        }
    }

    /// Sets a handler. What `set` gives is the one before it, which is dropped outside the lock.
    fn set_handler<H>(&mut self, set: impl FnOnce(&mut Handlers) -> H) {
        let last = (self.handle).with(|inner| set(inner.rare().handlers.get_or_insert_default()));
        drop(last);
    }

    fn take_handlers(&mut self) -> Option<Box<Handlers>> {
        self.handle
            .with(|inner| inner.known_rare()?.handlers.take())
    }

    /// Calls a handler, outside the connection's lock.
    fn call(&mut self, call: impl FnOnce(&mut Handlers)) {
        if let Some(mut handlers) = self.take_handlers() {
            call(&mut handlers);
            self.handle
                .with(|inner| inner.rare().handlers = Some(handlers));
        }
    }

    /// The next data of `delivery`, if it comes before the deadline.
    pub(super) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
        delivery: Delivery,
    ) -> Poll<Result<Event, Error>> {
        self.poll_event(cx, delivery, true)
    }

    /// The next data of `delivery`. What is for the handlers goes to them. The deadline counts if the reading is `timed`.
    pub(super) fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
        delivery: Delivery,
        timed: bool,
    ) -> Poll<Result<Event, Error>> {
        self.put_back();
        loop {
            let polled = self.handle.poll_event(cx, delivery, timed);
            if let Some(data) = self.pass_control(polled) {
                return data;
            }
        }
    }

    /// Gives what is for the handlers to them; none, if there is nothing more to it.
    #[inline]
    fn pass_control(
        &mut self,
        polled: Poll<Result<Event, Error>>,
    ) -> Option<Poll<Result<Event, Error>>> {
        match &polled {
            Poll::Ready(Ok(Event::Ping(payload))) => {
                self.call(|handlers| handlers.handle_ping(payload));
                return None;
            }
            Poll::Ready(Ok(Event::Pong(payload))) => {
                self.call(|handlers| handlers.handle_pong(payload));
                return None;
            }
            Poll::Ready(Err(Error::Closed(close))) if close.is_clean() => {
                self.call(|handlers| handlers.handle_close(close));
            }
            _ => {}
        }
        Some(polled)
    }
}

impl<S: Stream> Drop for Reader<S> {
    /// Takes with it what was its own.
    fn drop(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            ahead.give_back();
        }
        let own = self.handle.with(|inner| {
            let rare = inner.known_rare()?;
            Some((take(&mut rare.read_deadline), rare.handlers.take()))
        });
        // Outside the lock: a handler may hold what uses this connection.
        drop(own);
    }
}

impl<S: Stream> fmt::Debug for Reader<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("subprotocol", &self.subprotocol())
            .finish_non_exhaustive()
    }
}
