//! What the handles of one connection share: the stream and the protocol machine behind one lock, held only inside polls.

#[cfg(all(feature = "io-uring", target_os = "linux"))]
use std::sync::TryLockError;
use std::{
    sync::{Arc, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;

#[cfg(all(feature = "io-uring", target_os = "linux"))]
use tokio::net::TcpStream;

use super::{
    Error, Stream,
    error::End,
    flusher::{self, Flush},
    heart::{self, Beating, Heard},
    home::Home,
    inner::Inner,
    read_ahead::ReadAhead,
    signal::Signal,
    sync::{AtomicBool, AtomicU32, Mutex, MutexGuard, Ordering},
};
use crate::{Connection, Event, Heartbeat, Parts, batch::Batch, buffers, events::event};

pub(super) struct Shared<S> {
    /// None once the last handle is gone and what was written is sent.
    inner: Mutex<Option<Inner<S>>>,
    pub(super) signal: Signal,
    /// Output waits until the stream is writable, and the signal has to have it sent then. Set before a poll of the stream for
    /// writing on whose wake somebody relies, taken back once all is written.
    output_waits: AtomicBool,
    /// Handles on the connection. The flusher and the stream's waker hold it, too, but do not use it.
    pub(super) users: AtomicU32,
    /// A flusher will come. Set after output was queued, taken back before the flusher locks, so none is missed.
    enlisted: AtomicBool,
    /// Something lies with the reader that it has not given out. Only a forecast depends on it.
    more_ahead: AtomicBool,
    pub(super) home: Arc<Home>,
}

/// A connection under its lock.
pub(super) type Locked<'a, S> = MutexGuard<'a, Option<Inner<S>>>;

/// Whole messages, or parts as they arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    Messages,
    Parts,
}

impl<S: Stream> Shared<S> {
    pub(super) fn new(stream: S, mut parts: Parts) -> Arc<Self> {
        let subprotocol = parts.subprotocol.take();
        event!(debug, role = ?parts.role, subprotocol = subprotocol.as_deref(), "connection opened");
        // The fields are public, and may have been set to anything.
        parts.config.high_water_bytes = parts.config.high_water_bytes.max(1);
        let heartbeat = parts.config.heartbeat.map(Heartbeat::bounded);
        let home = Home::current(&parts.config, subprotocol);
        let shared = Arc::new(Self {
            inner: Mutex::new(Some(Inner::new(stream, Connection::new(parts)))),
            signal: Signal::new(),
            output_waits: AtomicBool::new(false),
            users: AtomicU32::new(1),
            enlisted: AtomicBool::new(false),
            more_ahead: AtomicBool::new(false),
            home,
        });
        if let Some(heartbeat) = heartbeat {
            let connection = Arc::downgrade(&shared);
            heart::enlist(connection, heartbeat, &shared.home);
        }
        shared
    }

    #[inline]
    pub(super) fn lock(&self) -> Locked<'_, S> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock, unless somebody holds it. Whoever has many of them waits for none, so that nobody can wait for each other.
    #[cfg(all(feature = "io-uring", target_os = "linux"))]
    pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, Option<Inner<S>>>> {
        match self.inner.try_lock() {
            Ok(inner) => Some(inner),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Runs `act` under the lock. Those who waited for output to be sent are woken after it, outside the lock.
    ///
    /// For handles and whoever lingers for the last one: as long as there are any, the connection is open.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Inner<S>) -> R) -> R {
        match self.with_open(act) {
            Some(result) => result,
            None => unreachable!("a handle keeps its connection open"),
        }
    }

    /// [`with`](Self::with) for those who come without a handle.
    pub(super) fn with_open<R>(&self, act: impl FnOnce(&mut Inner<S>) -> R) -> Option<R> {
        Self::with_locked(self.lock(), act)
    }

    /// [`with_open`](Self::with_open) for those who have locked already.
    fn with_locked<R>(mut inner: Locked<'_, S>, act: impl FnOnce(&mut Inner<S>) -> R) -> Option<R> {
        let open = inner.as_mut()?;
        let result = act(open);
        let woken = open.take_woken();
        drop(inner);
        for waker in woken {
            waker.wake();
        }
        Some(result)
    }

    /// Tells whether something lies with the reader that it has not given out.
    #[inline]
    pub(super) fn tell_more_ahead(&self, more: bool) {
        self.more_ahead.store(more, Ordering::Relaxed);
    }

    /// Whether another message may lie ready, or the beginning of one.
    #[inline]
    pub(super) fn may_have_message(&self, inner: &Inner<S>) -> bool {
        self.more_ahead.load(Ordering::Relaxed) || inner.conn.has_input()
    }

    /// Takes back what a reader did not use.
    pub(super) fn put_back(&self, inner: &mut Inner<S>, ahead: Box<ReadAhead>) {
        self.tell_more_ahead(false);
        ahead.put_back(&mut inner.conn);
    }

    /// Drops the stream, and with it the wakers that it holds, each of which counts as one who keeps `self`.
    pub(super) fn close(&self) {
        let inner = self.lock().take();
        let reader = self.signal.take_reader();
        // Outside both locks: what is dropped here may wake somebody.
        drop((inner, reader));
    }

    /// [`poll_flush`](Self::poll_flush), if there is anything to be sent.
    pub(super) fn flush(self: &Arc<Self>, inner: &mut Inner<S>) -> Poll<()> {
        if inner.is_flushed() {
            return Poll::Ready(());
        }
        self.poll_flush(inner, &mut Context::from_waker(&self.waker()))
    }

    /// Sends a whole batch, past the queue if nothing waits there; what the stream does not take now is queued.
    pub(super) fn send_batch(self: &Arc<Self>, batch: &mut Batch<'_>) -> Result<(), Error> {
        self.with(|inner| {
            let past_queue = queue_batch(inner, batch)?;
            self.send_now(inner, past_queue)
        })
    }

    /// Sends `past_queue`, given only while nothing is queued, or else what is queued.
    pub(super) fn send_now(
        self: &Arc<Self>,
        inner: &mut Inner<S>,
        past_queue: Option<&Bytes>,
    ) -> Result<(), Error> {
        if let Some(bytes) = past_queue {
            inner.write_past_queue(bytes, &mut Context::from_waker(&self.waker()));
        }
        let _ = self.flush(inner);
        inner.check_write_failure()
    }

    /// Sends what the stream takes. While some is left, the signal goes on with it when the stream is writable again.
    #[inline]
    pub(super) fn poll_flush(&self, inner: &mut Inner<S>, cx: &mut Context<'_>) -> Poll<()> {
        if inner.is_flushed() {
            return Poll::Ready(());
        }
        if !inner.output_waits {
            // Mostly the stream takes it all, and the signal need not know.
            if inner.poll_flush(cx).is_ready() {
                return Poll::Ready(());
            }
            inner.output_waits = true;
            self.output_waits.store(true, Ordering::Release);
            // And once more: a wake that came before the signal knew has flushed nothing.
        }
        let flushed = inner.poll_flush(cx);
        if flushed.is_ready() {
            inner.output_waits = false;
            self.output_waits.store(false, Ordering::Release);
        }
        flushed
    }

    /// The stream can go on. May be called from inside a poll of the stream, so it must not touch the connection's lock.
    pub(super) fn stream_is_ready(self: &Arc<Self>) {
        self.signal.wake_reader();
        if self.output_waits.load(Ordering::Acquire) {
            self.enlist();
        }
    }

    /// Sees to it that what was queued just now is sent.
    pub(super) fn sent_soon(self: &Arc<Self>, inner: &mut Inner<S>) {
        inner.turns.written();
        if inner.conn.buffered() >= self.home.high_water_bytes {
            // Enough for a call of its own. What the stream does not take, the signal goes on with.
            let _ = self.flush(inner);
        } else {
            self.enlist_locked(inner);
        }
    }

    /// Has the flusher come for what was queued just now, under this lock. A flusher that took its mark back before that has not
    /// had the lock yet, or the mark is seen as it was left: to look is enough.
    #[inline]
    pub(super) fn enlist_locked(self: &Arc<Self>, _locked: &Inner<S>) {
        if !self.enlisted.load(Ordering::Relaxed) {
            self.enlist();
        }
    }

    /// Has the flusher come, without the lock.
    fn enlist(self: &Arc<Self>) {
        if !self.enlisted.swap(true, Ordering::AcqRel) {
            flusher::enlist(self.clone(), &self.home);
        }
    }

    /// The next data of `delivery`, or how reading ended; if there are handlers also pings, which are answered by then, and
    /// pongs. The read deadline counts if the reading is `timed`. All state is in `self`: a dropped future loses nothing.
    pub(super) fn poll_event(
        self: &Arc<Self>,
        task: &mut Context<'_>,
        delivery: Delivery,
        timed: bool,
    ) -> Poll<Result<Event, Error>> {
        self.poll_event_locked(self.lock(), task, delivery, timed)
    }

    /// [`poll_event`](Self::poll_event) for a reader that has locked already.
    pub(super) fn poll_event_locked(
        self: &Arc<Self>,
        locked: Locked<'_, S>,
        task: &mut Context<'_>,
        delivery: Delivery,
        timed: bool,
    ) -> Poll<Result<Event, Error>> {
        let polled = Self::with_locked(locked, |inner| {
            let tells_control = (inner.known_rare()).is_some_and(|rare| rare.handlers.is_some());
            if timed && inner.has_read_deadline() {
                inner.check_read_deadline()?;
            }
            let mut answered = false;
            loop {
                let event = match delivery {
                    Delivery::Messages => inner.conn.poll_event(),
                    Delivery::Parts => inner.conn.poll_part(),
                };
                let end = match event {
                    Some(Event::Ping(_)) if !tells_control => {
                        answered = true;
                        continue;
                    }
                    Some(Event::Pong(_)) if !tells_control => continue,
                    Some(Event::Closed(close)) => End::Closed(close),
                    Some(Event::Failed(violation)) => End::Failed(violation),
                    Some(data) => {
                        if answered || matches!(data, Event::Ping(_)) {
                            self.enlist_locked(inner);
                        }
                        return Poll::Ready(Ok(data));
                    }
                    None => {
                        if let Some(end) = inner.end() {
                            return Poll::Ready(Err(end.into()));
                        }
                        // All that was read is handled: the time to send the answers, and then to wait for more. If the
                        // stream does not take them all, reading goes on nevertheless.
                        let waker = self.waker();
                        let mut cx = Context::from_waker(&waker);
                        inner.turns.end();
                        let _ = self.poll_flush(inner, &mut cx);
                        self.signal.set_reader(task.waker());
                        match inner.poll_fill(&mut cx) {
                            Poll::Pending if timed => {
                                return inner.poll_read_deadline(task).map(Err);
                            }
                            Poll::Pending => return Poll::Pending,
                            Poll::Ready(Ok(())) => continue,
                            Poll::Ready(Err(error)) => End::Io(error.into()),
                        }
                    }
                };
                inner.set_end(end);
                let _ = self.flush(inner);
            }
        });
        polled.unwrap_or_else(|| unreachable!("a handle keeps its connection open"))
    }

    /// See [`Inner::abort`].
    pub(super) fn abort(&self) {
        self.with(|inner| inner.abort());
        self.signal.wake_reader();
    }

    /// See [`Inner::end_late`].
    pub(super) fn end_late(self: &Arc<Self>) {
        self.with(|inner| inner.end_late(&mut Context::from_waker(&self.waker())));
    }

    /// Reads and drops what still comes, until the stream ends or is given up.
    pub(super) fn poll_drain(self: &Arc<Self>, task: &mut Context<'_>) -> Poll<()> {
        self.with(|inner| {
            if inner.is_given_up() {
                return Poll::Ready(());
            }
            let waker = self.waker();
            let mut cx = Context::from_waker(&waker);
            let _ = self.poll_flush(inner, &mut cx);
            self.signal.set_reader(task.waker());
            inner.poll_drain(&mut cx)
        })
    }

    /// Ready when all is sent, or nothing can be sent any more.
    pub(super) fn poll_flushed(self: &Arc<Self>, task: &mut Context<'_>) -> Poll<()> {
        self.with(|inner| {
            let flushed = self.flush(inner);
            if flushed.is_pending() {
                inner.wait_for_progress(task.waker());
            }
            flushed
        })
    }

    /// Ends the outgoing direction of the stream, to be called once all is flushed. One that was given up is left as it is.
    pub(super) fn poll_shutdown(self: &Arc<Self>, task: &mut Context<'_>) -> Poll<()> {
        self.with(|inner| {
            if inner.is_given_up() {
                return Poll::Ready(());
            }
            self.signal.set_reader(task.waker());
            inner.poll_shutdown(&mut Context::from_waker(&self.waker()))
        })
    }
}

/// Queues a whole batch. Where nothing is queued before it and it is in one piece, it is given back instead, to be sent past the queue.
fn queue_batch<'b, S: Stream>(
    inner: &mut Inner<S>,
    batch: &'b mut Batch<'_>,
) -> Result<Option<&'b Bytes>, Error> {
    inner.check_writable()?;
    let messages = batch.messages();
    match inner.conn.admit(batch)? {
        Some(bytes) if inner.is_flushed() => return Ok(Some(bytes)),
        Some(bytes) => inner.conn.queue_joined(bytes, 0),
        None => {
            for message in messages {
                inner.conn.send_prepared(message)?;
            }
        }
    }
    Ok(None)
}

impl<S: Stream> Shared<S> {
    /// Whether the flusher is to come. Asked under the lock: it will then have the lock after whoever asks.
    #[inline]
    pub(super) fn is_enlisted(&self, _locked: &Inner<S>) -> bool {
        self.enlisted.load(Ordering::Relaxed)
    }

    /// The flusher has come. A swap, which comes after whatever swap enlisted the connection, so that the next one enlists it anew.
    pub(super) fn take_mark_back(&self) {
        self.enlisted.swap(false, Ordering::AcqRel);
    }
}

impl<S: Stream> Flush for Shared<S> {
    #[cfg(all(feature = "io-uring", target_os = "linux"))]
    fn into_plain(self: Arc<Self>) -> Result<Arc<Shared<TcpStream>>, Arc<dyn Flush>> {
        super::gathering::into_plain(self)
    }

    fn flush_enlisted(self: Arc<Self>) {
        self.take_mark_back();
        self.with_open(|inner| {
            let _ = self.flush(inner);
        });
    }
}

impl<S: Stream> Beating for Shared<S> {
    /// What nobody has read the heart does, up to one buffer: a program that is busy with something else is not a silent peer. Whether the
    /// signal knows a reader does not matter: one that found something at once is known to it, too, and may be busy with that.
    fn listen(self: Arc<Self>, before: u64) -> Heard {
        let mut filled = false;
        let heard = self.with_open(|inner| {
            if inner.received_bytes() == before && inner.end().is_none() {
                if inner.conn.input().len() >= buffers::BUFFER_BYTES {
                    return Heard::Something(before);
                }
                let waker = self.waker();
                if let Poll::Ready(read) = inner.poll_fill(&mut Context::from_waker(&waker)) {
                    filled = true;
                    if let Err(error) = read {
                        inner.set_end(End::Io(error.into()));
                    }
                }
            }
            match inner.received_bytes() {
                _ if inner.end().is_some() => Heard::End,
                same if same == before => Heard::Nothing,
                more => Heard::Something(more),
            }
        });
        if filled {
            // The stream's own wake may have been for this, and found nothing any more.
            self.signal.wake_reader();
        }
        heard.unwrap_or(Heard::End)
    }

    fn ask(self: Arc<Self>) {
        self.with_open(|inner| {
            // Refused when it is closing, or when earlier ones still wait for the stream.
            if inner.conn.ping(&[]).is_ok() {
                event!(trace, "no sign of the peer, pinging it");
                let _ = self.flush(inner);
            }
        });
    }

    fn give_up(self: Arc<Self>) {
        self.with_open(|inner| inner.give_up());
        self.signal.wake_reader();
    }
}
