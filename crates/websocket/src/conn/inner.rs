//! A stream and its protocol machine: reading into the one, writing from the other. Whoever calls holds the lock.

use std::{
    future::Future,
    io::{self, IoSlice},
    pin::{Pin, pin},
    task::{Context, Poll, Waker, ready},
};

use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::{io::AsyncReadExt, time::Instant};

use super::{
    Error, Stream,
    deadline::{Deadline, later},
    error::{End, IoFailure},
    handlers::Handlers,
    home::Home,
    read_ahead::ReadAhead,
    room::{LONG_FRAME_BYTES, WAITING_BYTES_MAX, give_room_up, make_room},
    turns::Turns,
};
use crate::{Connection, Message, buffers, events::event};

/// Chunks that one vectored write takes.
const SLICES_MAX: usize = 64;

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
    /// The last read brought more than one message, and they lie with the reader.
    pub(super) more_ahead: bool,
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
            more_ahead: false,
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

    /// Whether another message may lie ready, or the beginning of one.
    pub(super) fn may_have_message(&self) -> bool {
        self.more_ahead || self.conn.has_input()
    }

    /// Takes back what a reader did not use.
    pub(super) fn put_back(&mut self, ahead: Box<ReadAhead>) {
        self.more_ahead = false;
        ahead.put_back(&mut self.conn);
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

    /// Ready when all is sent, or nothing can be sent any more.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let result = ready!(self.try_flush(cx));
        self.progressed = true;
        if let Err(error) = result {
            self.fail_writing(error.into());
        }
        Poll::Ready(())
    }

    fn try_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.conn.buffered() > 0 {
            let sent = ready!(write_chunks(&mut self.stream, &self.conn, cx))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.conn.advance(sent);
            self.unflushed = true;
            self.progressed = true;
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes `bytes`, whole frames, straight to the stream, to be called while nothing is queued. What it does not take now is queued.
    pub(super) fn write_past_queue(&mut self, bytes: &Bytes, cx: &mut Context<'_>) {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Some(sent) = self.after_write(written)
            && sent < bytes.len()
        {
            self.conn.queue_joined(bytes, sent);
        }
    }

    /// Writes `frame`, which is all of `message`, straight to the stream, to be called while all is flushed; gives whether the stream
    /// took and flushed it. What it does not take now is queued.
    #[inline]
    pub(super) fn write_at_once(
        &mut self,
        frame: &[u8],
        message: &Message,
        cx: &mut Context<'_>,
    ) -> bool {
        match Pin::new(&mut self.stream).poll_write(cx, frame) {
            Poll::Ready(Ok(sent)) if sent == frame.len() => {
                match Pin::new(&mut self.stream).poll_flush(cx) {
                    Poll::Ready(Ok(())) => return true,
                    Poll::Ready(Err(error)) => self.writing_failed(error),
                    Poll::Pending => self.unflushed = true,
                }
            }
            written => self.written_in_part(written, message),
        }
        false
    }

    #[cold]
    fn written_in_part(&mut self, written: Poll<io::Result<usize>>, message: &Message) {
        if let Some(sent) = self.after_write(written)
            // Refused is only what was refused before.
            && self.conn.send(message.clone()).is_ok()
        {
            self.conn.advance(sent);
        }
    }

    /// Notes how a write past the queue ended; gives how much the stream took, unless it failed.
    fn after_write(&mut self, written: Poll<io::Result<usize>>) -> Option<usize> {
        let sent = match written {
            Poll::Ready(Ok(0)) => Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(written) => written,
            Poll::Pending => Ok(0),
        };
        match sent {
            Ok(sent) => {
                self.unflushed |= sent > 0;
                Some(sent)
            }
            Err(error) => {
                self.writing_failed(error);
                None
            }
        }
    }

    /// Notes what became of `past_queue`, or else of the one piece that is queued, when it was sent to the socket below the stream. What
    /// the socket did not take is queued.
    #[cfg(all(feature = "io-uring", target_os = "linux"))]
    pub(super) fn sent_below(
        &mut self,
        outcome: Option<io::Result<usize>>,
        past_queue: Option<Bytes>,
    ) -> usize {
        let sent = match outcome {
            Some(Ok(0)) => Err(io::ErrorKind::WriteZero.into()),
            Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            Some(Ok(sent)) => Ok(sent),
            Some(Err(_)) | None => Ok(0),
        };
        let sent = match sent {
            Ok(sent) => sent,
            Err(error) => {
                self.writing_failed(error);
                return 0;
            }
        };
        match past_queue {
            Some(bytes) if sent < bytes.len() => self.conn.queue_joined(&bytes, sent),
            Some(_) => {}
            None => self.conn.advance(sent),
        }
        self.progressed |= sent > 0;
        sent
    }

    fn writing_failed(&mut self, error: io::Error) {
        self.progressed = true;
        self.fail_writing(error.into());
    }

    /// Reads once into the connection's buffer. Where nothing is there to read, now or ever, the buffer is given up.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let missing = self.conn.missing_bytes();
        let expected = self.conn.expected_bytes();
        let known = self.conn.last_frame_bytes().min(expected);
        // Also where little is left of a long frame: after a read for as much as there is, the next frame would be there by half.
        let long = expected >= LONG_FRAME_BYTES || self.conn.frame_bytes() >= LONG_FRAME_BYTES;
        let input = self.conn.input();
        make_room(input, missing, known);
        // Of long frames a read takes one: a part of the next would have to be moved to the front of the buffer. A little more is
        // asked for, since a read that gets less than that tells that there is no more.
        let bytes_max = if long {
            expected + WAITING_BYTES_MAX
        } else {
            usize::MAX
        };
        match pin!(self.stream.read_buf(&mut input.limit(bytes_max))).poll(cx) {
            Poll::Ready(Ok(count @ 1..)) => {
                self.received_bytes += count as u64;
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                give_room_up(self.conn.input());
                Poll::Pending
            }
            Poll::Ready(last) => {
                give_room_up(self.conn.input());
                Poll::Ready(self.after_last_read(last))
            }
        }
    }

    /// Reads once into `bytes`, which hold nothing, instead of the connection's buffer. What is read must be less than a long frame.
    #[inline]
    pub(super) fn poll_read(
        &mut self,
        bytes: &mut BytesMut,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        make_room(bytes, 0, 0);
        match pin!(self.stream.read_buf(bytes)).poll(cx) {
            Poll::Ready(Ok(count @ 1..)) => {
                self.received_bytes += count as u64;
                Poll::Ready(Ok(()))
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(last) => Poll::Ready(self.after_last_read(last)),
        }
    }

    #[cold]
    fn after_last_read(&mut self, read: io::Result<usize>) -> io::Result<()> {
        match read {
            // TLS: the peer left without saying so, which a missing close frame tells as well.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => {
                self.conn.receive_eof();
                Ok(())
            }
        }
    }

    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut scrap = buffers::take();
        loop {
            scrap.clear();
            match pin!(self.stream.read_buf(&mut scrap)).poll(cx) {
                Poll::Ready(Ok(1..)) => {}
                read => {
                    buffers::give(scrap);
                    return read.map(drop);
                }
            }
        }
    }

    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // A stream that is gone already is as good as shut down.
        Pin::new(&mut self.stream).poll_shutdown(cx).map(drop)
    }
}

/// One write call with as many chunks as it takes.
fn write_chunks<S: Stream>(
    stream: &mut S,
    conn: &Connection,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    if let Some(chunk) = conn.only_chunk() {
        return Pin::new(stream).poll_write(cx, chunk);
    }
    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
    let mut count = 0;
    for (slot, chunk) in slices.iter_mut().zip(conn.transmit()) {
        *slot = IoSlice::new(chunk);
        count += 1;
    }
    Pin::new(stream).poll_write_vectored(cx, &slices[..count])
}
