//! What the handles of one connection share: the stream and the protocol machine behind one lock, held only inside polls.

use std::{
    sync::{Arc, PoisonError, Weak, atomic::AtomicUsize},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::runtime::{Handle, Id};

use super::{
    Error, Stream,
    error::End,
    flusher::{self, Flush},
    heart::{self, Beating, Heard},
    inner::Inner,
    signal::Signal,
    sync::{AtomicBool, Mutex, Ordering},
};
use crate::{Connection, Event, Parts, buffers, events::event};

pub(super) struct Shared<S> {
    inner: Mutex<Inner<S>>,
    /// Handles on the connection. The flusher and the stream's waker hold it, too, but do not use it.
    pub(super) users: AtomicUsize,
    signal: Arc<Signal>,
    /// The signal as a waker.
    waker: Waker,
    /// A flusher will come. Set after output was queued, taken back before the flusher locks, so none is missed.
    enlisted: AtomicBool,
    runtime: Handle,
    runtime_id: Id,
    pub(super) high_water_bytes: usize,
    pub(super) close_timeout: Duration,
    pub(super) subprotocol: Option<String>,
}

/// Whole messages, or parts as they arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    Messages,
    Parts,
}

impl<S: Stream> Shared<S> {
    pub(super) fn new(stream: S, mut parts: Parts) -> Arc<Self> {
        let subprotocol = parts.subprotocol.take();
        let heartbeat = parts.config.heartbeat;
        let runtime = Handle::current();
        event!(debug, role = ?parts.role, subprotocol = subprotocol.as_deref(), "connection opened");
        let shared = Arc::new_cyclic(|weak: &Weak<Self>| {
            let signal = Arc::new(Signal::new(weak.clone()));
            Self {
                waker: signal.clone().into(),
                signal,
                users: AtomicUsize::new(1),
                enlisted: AtomicBool::new(false),
                runtime_id: runtime.id(),
                runtime,
                high_water_bytes: parts.config.high_water_bytes,
                close_timeout: parts.config.close_timeout,
                subprotocol,
                inner: Mutex::new(Inner::new(stream, Connection::new(parts))),
            }
        });
        if let Some(heartbeat) = heartbeat {
            let signal = Arc::downgrade(&shared.signal);
            heart::enlist(signal, heartbeat, shared.runtime_id, &shared.runtime);
        }
        shared
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Runs `act` under the lock. Those who waited for output to be sent are woken after it, outside the lock.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Inner<S>, &mut Context<'_>) -> R) -> R {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut inner, &mut Context::from_waker(&self.waker));
        let woken = inner.take_woken();
        drop(inner);
        for waker in woken {
            waker.wake();
        }
        result
    }

    /// Sends what the stream takes. While some is left, the signal goes on with it when the stream is writable again.
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
            self.signal.set_output_waits(true);
            // And once more: a wake that came before the signal knew has flushed nothing.
        }
        let flushed = inner.poll_flush(cx);
        if flushed.is_ready() {
            inner.output_waits = false;
            self.signal.set_output_waits(false);
        }
        flushed
    }

    /// Sees to it that what was queued just now is sent.
    pub(super) fn sent_soon(self: &Arc<Self>, inner: &mut Inner<S>, cx: &mut Context<'_>) {
        if inner.conn.buffered() >= self.high_water_bytes {
            // Enough for a call of its own. What the stream does not take, the signal goes on with.
            let _ = self.poll_flush(inner, cx);
        } else {
            self.enlist();
        }
    }

    /// Has the flusher come for what was queued just now.
    pub(super) fn enlist(self: &Arc<Self>) {
        if !self.enlisted.swap(true, Ordering::AcqRel) {
            flusher::enlist(self.clone(), self.runtime_id, &self.runtime);
        }
    }

    /// The next data of `delivery`, or how reading ended; with `tells_control` also pings, which are answered by then, and
    /// pongs. All state is in `self`: a dropped future loses nothing.
    pub(super) fn poll_event(
        self: &Arc<Self>,
        task: &mut Context<'_>,
        delivery: Delivery,
        tells_control: bool,
    ) -> Poll<Result<Event, Error>> {
        self.with(|inner, cx| {
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
                            self.enlist();
                        }
                        return Poll::Ready(Ok(data));
                    }
                    None => {
                        if let Some(end) = inner.end() {
                            return Poll::Ready(Err(end.into()));
                        }
                        // All that was read is handled: the time to send the answers, and then to wait for more. If the
                        // stream does not take them all, reading goes on nevertheless.
                        let _ = self.poll_flush(inner, cx);
                        self.signal.set_reader(task.waker());
                        match inner.poll_fill(cx) {
                            Poll::Pending => return Poll::Pending,
                            Poll::Ready(Ok(())) => continue,
                            Poll::Ready(Err(error)) => End::Io(error.into()),
                        }
                    }
                };
                inner.set_end(end);
                let _ = self.poll_flush(inner, cx);
            }
        })
    }

    /// See [`Inner::abort`].
    pub(super) fn abort(&self) {
        self.with(|inner, _| inner.abort());
        self.signal.wake_reader();
    }

    /// Reads and drops what still comes, until the stream ends or is given up.
    pub(super) fn poll_drain(&self, task: &mut Context<'_>) -> Poll<()> {
        self.with(|inner, cx| {
            if inner.is_given_up() {
                return Poll::Ready(());
            }
            let _ = self.poll_flush(inner, cx);
            self.signal.set_reader(task.waker());
            inner.poll_drain(cx)
        })
    }

    /// Ready when all is sent, or nothing can be sent any more.
    pub(super) fn poll_flushed(&self, task: &mut Context<'_>) -> Poll<()> {
        self.with(|inner, cx| {
            let flushed = self.poll_flush(inner, cx);
            if flushed.is_pending() {
                inner.wait_for_progress(task.waker());
            }
            flushed
        })
    }

    /// Ends the outgoing direction of the stream, to be called once all is flushed. One that was given up is left as it is.
    pub(super) fn poll_shutdown(&self, task: &mut Context<'_>) -> Poll<()> {
        self.with(|inner, cx| {
            if inner.is_given_up() {
                return Poll::Ready(());
            }
            self.signal.set_reader(task.waker());
            inner.poll_shutdown(cx)
        })
    }
}

impl<S: Stream> Flush for Shared<S> {
    fn flush_enlisted(&self) {
        // A swap, which comes after whatever swap enlisted the connection, so that the next one enlists it anew.
        self.enlisted.swap(false, Ordering::AcqRel);
        self.with(|inner, cx| {
            let _ = self.poll_flush(inner, cx);
        });
    }

    fn enlist(self: Arc<Self>) {
        Shared::enlist(&self);
    }
}

impl<S: Stream> Beating for Shared<S> {
    /// While nobody reads, the heart does, up to one buffer: a program that is busy with something else is not a silent peer.
    fn listen(&self, before: u64) -> Heard {
        self.with(|inner, cx| {
            if inner.received_bytes() == before
                && inner.end().is_none()
                && !self.signal.has_reader()
            {
                if inner.conn.input().len() >= buffers::BUFFER_BYTES {
                    return Heard::Something(before);
                }
                if let Poll::Ready(Err(error)) = inner.poll_fill(cx) {
                    inner.set_end(End::Io(error.into()));
                }
            }
            match inner.received_bytes() {
                _ if inner.end().is_some() => Heard::End,
                same if same == before => Heard::Nothing,
                more => Heard::Something(more),
            }
        })
    }

    fn ask(&self) {
        self.with(|inner, cx| {
            // Refused when it is closing, or when earlier ones still wait for the stream.
            if inner.conn.ping(&[]).is_ok() {
                event!(trace, "no sign of the peer, pinging it");
                let _ = self.poll_flush(inner, cx);
            }
        });
    }

    fn give_up(&self) {
        self.with(|inner, _| inner.give_up());
        self.signal.wake_reader();
    }
}
