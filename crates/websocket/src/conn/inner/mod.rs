//! A stream and its protocol machine, and what is to be known of both: how reading and writing ended, deadlines, who waits. Whoever calls holds the lock.
//!
//! Does not live here: moving bytes, which is `input`'s and `output`'s.

mod input;
mod output;

use std::{
    io,
    task::{Context, Poll, Waker},
};

use tokio::time::Instant;

use super::{
    Error, Stream,
    deadline::{Deadline, later},
    error::{End, IoFailure},
    handlers::Handlers,
    home::Home,
    turns::Turns,
};
use crate::{Connection, events::event};

pub(super) struct Inner<S> {
    stream: S,
    pub(super) conn: Connection,
    /// The stream took bytes and was not flushed since.
    unflushed: bool,
    progressed: bool,
    /// The signal was told to go on with the output when the stream is writable.
    pub(super) output_waits: bool,
    /// The reader was told last that it has to wait.
    pub(super) reader_waited: bool,
    pub(super) turns: Turns,
    /// The reader, as a stream of messages, has ended.
    #[cfg(feature = "stream")]
    pub(super) told_end: bool,
    received_bytes: u64,
    rare: Option<Box<Rare>>,
}

/// What most connections do not have before they end.
#[derive(Default)]
pub(super) struct Rare {
    /// Writing failed. Reading goes on: the peer's last words may still be there.
    write_failure: Option<IoFailure>,
    end: Option<End>,
    /// Who waits for output to be sent.
    waiters: Vec<Waker>,
    pub(super) read_deadline: Deadline,
    pub(super) write_deadline: Deadline,
    /// When the rest of the output is waited for no longer, once the connection has ended and somebody does.
    ending: Deadline,
    /// Those of the reader.
    pub(super) handlers: Option<Box<Handlers>>,
}

impl<S: Stream> Inner<S> {
    pub(super) fn new(stream: S, conn: Connection) -> Self {
        Self {
            stream,
            conn,
            unflushed: false,
            progressed: false,
            output_waits: false,
            reader_waited: false,
            turns: Turns::default(),
            #[cfg(feature = "stream")]
            told_end: false,
            received_bytes: 0,
            rare: None,
        }
    }

    /// The rare things, to add one.
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The rare things, if there are any.
    pub(super) fn known_rare(&mut self) -> Option<&mut Rare> {
        self.rare.as_deref_mut()
    }

    /// Fails if the read deadline has passed.
    pub(super) fn check_read_deadline(&self) -> Result<(), Error> {
        (self.rare.as_ref()).map_or(Ok(()), |rare| rare.read_deadline.check())
    }

    /// Ready with the error when the read deadline passes.
    pub(super) fn poll_read_deadline(&mut self, task: &mut Context<'_>) -> Poll<Error> {
        (self.known_rare()).map_or(Poll::Pending, |rare| rare.read_deadline.poll_passed(task))
    }

    /// Fails if the write deadline has passed.
    pub(super) fn check_write_deadline(&self) -> Result<(), Error> {
        (self.rare.as_ref()).map_or(Ok(()), |rare| rare.write_deadline.check())
    }

    /// Ready with the error when the write deadline passes.
    pub(super) fn poll_write_deadline(&mut self, task: &mut Context<'_>) -> Poll<Error> {
        (self.known_rare()).map_or(Poll::Pending, |rare| rare.write_deadline.poll_passed(task))
    }

    /// Waits for output to be sent; ready with why it is waited for no longer: the write deadline has passed, or the time for closing
    /// since the connection ended. A peer that has said all it had to say may take nothing any more, and no heart looks after it.
    pub(super) fn poll_progress(&mut self, task: &mut Context<'_>, home: &Home) -> Poll<Error> {
        self.wait_for_progress(task.waker());
        let rare = self.rare();
        if let Some(end) = &rare.end {
            if !rare.ending.is_set() {
                let until = later(Instant::now(), home.close_timeout);
                // There was none before.
                let _ = rare.ending.set(Some(until), &home.runtime);
            }
            if rare.ending.poll_passed(task).is_ready() {
                return Poll::Ready(end.into());
            }
        }
        rare.write_deadline.poll_passed(task)
    }

    /// Whether the next read has to be looked at for the read deadline.
    #[inline]
    pub(super) fn has_read_deadline(&self) -> bool {
        (self.rare.as_ref()).is_some_and(|rare| rare.read_deadline.is_set())
    }

    /// Whether the next write may have to be refused.
    #[inline]
    pub(super) fn may_refuse_writes(&self) -> bool {
        (self.rare.as_ref()).is_some_and(|rare| {
            rare.write_deadline.is_set() || rare.write_failure.is_some() || rare.end.is_some()
        })
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.conn.buffered() == 0 && !self.unflushed
    }

    pub(super) fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    pub(super) fn stream(&self) -> &S {
        &self.stream
    }

    #[cfg(all(feature = "io-uring", target_os = "linux"))]
    pub(super) fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Gives everything up: what is unsent is dropped, reading and writing fail from now on.
    pub(super) fn abort(&mut self) {
        let aborted = IoFailure::from(io::Error::from(io::ErrorKind::ConnectionAborted));
        self.fail_writing(aborted.clone());
        self.set_end(End::Io(aborted));
    }

    /// [`abort`](Self::abort), because the peer does not answer.
    pub(super) fn give_up(&mut self) {
        self.fail_writing(io::Error::from(io::ErrorKind::TimedOut).into());
        self.set_end(End::Silent);
    }

    /// Ends the outgoing direction of the stream, as far as that goes at once, and drops what is unsent: closing has taken too long.
    pub(super) fn end_late(&mut self, cx: &mut Context<'_>) {
        if self.is_given_up() {
            return;
        }
        let _ = self.poll_shutdown(cx);
        let late = IoFailure::from(io::Error::from(io::ErrorKind::TimedOut));
        self.fail_writing(late.clone());
        if self.end().is_none() {
            self.set_end(End::Io(late));
        }
        self.progressed = true;
    }

    /// Ends the outgoing direction of the stream, as far as that goes at once: TLS has a word for it, without which the peer has to
    /// take the end for a truncation. The stream is dropped next.
    pub(super) fn end_at_once(&mut self) {
        if !self.is_given_up() && self.write_failure().is_none() {
            let _ = self.poll_shutdown(&mut Context::from_waker(Waker::noop()));
        }
    }

    /// Whether nothing more is to be had of the stream, in neither direction.
    pub(super) fn is_given_up(&self) -> bool {
        matches!(self.end(), Some(End::Io(_) | End::Silent))
    }

    fn fail_writing(&mut self, failure: IoFailure) {
        self.conn.discard_output();
        self.unflushed = false;
        self.rare().write_failure = Some(failure);
    }

    /// How reading ended, if it did.
    pub(super) fn end(&self) -> Option<&End> {
        self.rare.as_ref()?.end.as_ref()
    }

    pub(super) fn set_end(&mut self, end: End) {
        match &end {
            End::Closed(_close) => event!(
                debug,
                code = _close.code.0,
                reason = &*_close.reason,
                "connection closed"
            ),
            End::Failed(_violation) => {
                event!(info, violation = %_violation, "the peer broke the protocol")
            }
            End::Io(_failure) => event!(debug, error = %_failure, "the stream failed"),
            End::Silent => event!(info, "the peer was silent for too long"),
        }
        self.rare().end = Some(end);
        // Whoever waits to write learns of it.
        self.progressed = true;
    }

    /// Why nothing can be written any more, if so. What the peer said last tells more than that the stream then failed.
    pub(super) fn check_writable(&self) -> Result<(), Error> {
        match self.end() {
            Some(end) => Err(end.into()),
            None => self.check_write_failure(),
        }
    }

    /// The failure of writing, if it failed.
    pub(super) fn check_write_failure(&self) -> Result<(), Error> {
        self.write_failure()
            .map_or(Ok(()), |failure| Err(failure.into()))
    }

    fn write_failure(&self) -> Option<&IoFailure> {
        self.rare.as_ref()?.write_failure.as_ref()
    }

    /// Whether something is left to be done for the peer's sake when the last handle is gone: to send what was written, or
    /// to take in what the peer sends until it has seen our close frame, since a stream that is closed over unread bytes
    /// may take sent ones back.
    pub(super) fn needs_linger(&self) -> bool {
        let peer_may_be_sending = self.conn.is_closing()
            && !matches!(self.end(), Some(End::Closed(_) | End::Io(_) | End::Silent));
        self.write_failure().is_none() && (!self.is_flushed() || peer_may_be_sending)
    }

    pub(super) fn wait_for_progress(&mut self, waker: &Waker) {
        let waiters = &mut self.rare().waiters;
        if !waiters.iter().any(|known| known.will_wake(waker)) {
            waiters.push(waker.clone());
        }
    }

    pub(super) fn take_woken(&mut self) -> Vec<Waker> {
        if std::mem::take(&mut self.progressed)
            && let Some(rare) = &mut self.rare
        {
            std::mem::take(&mut rare.waiters)
        } else {
            Vec::new()
        }
    }
}
