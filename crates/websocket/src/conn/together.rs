//! One system call for what many connections have to send.
//!
//! Lives here: how they are locked for it, and what follows from each outcome. Does not live here: the call, which is `ring`'s, and the
//! way for one connection, which is `shared`'s. That way is taken for all that is out of the ordinary: a stream that is no
//! plain socket, output in several pieces or that waits already, what a connection compresses or masks for itself, and what a socket did not take.
//!
//! While several connections are locked nothing is done that takes long or may wait, none of the program's streams is written to, and nothing
//! is told to `tracing`. All outcomes are noted before anything of the program's is called again: should that panic, every connection knows what it has sent.

use std::{
    any::{Any, TypeId},
    os::fd::AsFd,
    task::Waker,
    vec::Drain,
};

use bytes::Bytes;
use tokio::net::TcpStream;

use super::{
    Error, SocketStream, Stream,
    handle::Handle,
    inner::Inner,
    ring::{self, Sending},
    sync::MutexGuard,
};
use crate::batch::Batch;

pub(super) use ring::SENDS_MAX;

/// How to send below a stream.
pub(super) struct Below<S> {
    tcp: fn(&S) -> Option<&TcpStream>,
    /// Tells a stream what was sent without it, if it has to know.
    sent: Option<fn(&mut S, usize)>,
}

impl<S: Stream> Below<S> {
    /// For streams that are nothing but a TCP connection.
    pub(super) fn plain() -> Self {
        Self {
            tcp: |stream| (stream as &dyn Any).downcast_ref(),
            sent: None,
        }
    }
}

impl<S: SocketStream> Below<S> {
    pub(super) fn of() -> Self {
        let is_plain = TypeId::of::<S>() == TypeId::of::<TcpStream>();
        Self {
            tcp: S::tcp,
            sent: (!is_plain).then_some(S::sent),
        }
    }
}

/// Whether this thread can send so.
pub(super) fn is_ready() -> bool {
    ring::check().is_ok()
}

type Member<'w, K, S> = (K, &'w Handle<S>);

/// A connection whose lock is held until it is known what became of its bytes.
struct Turn<'w, K, S: Stream> {
    key: K,
    handle: &'w Handle<S>,
    inner: MutexGuard<'w, Option<Inner<S>>>,
    /// To be sent instead of what is queued, which is nothing.
    past_queue: Option<Bytes>,
}

/// Those who are sent to one by one, when no lock is held any more.
struct Later<'w, K, S: Stream> {
    /// Sent to already: so many bytes are to be told to the stream, and it may not have been all.
    begun: Vec<(Member<'w, K, S>, usize)>,
    alone: Vec<Member<'w, K, S>>,
}

/// How to send to a connection.
enum Way {
    /// What is queued, or these bytes instead.
    Together(Option<Bytes>),
    Alone,
    /// Alone, and before the next: others will share what is compressed for it.
    AloneFirst,
}

/// Sends to `members`, at most [`SENDS_MAX`], what they have queued, or `batch`; takes them out. Each of them that
/// fails or is refused comes to `failed`.
///
/// Their locks are held together for the time of one system call. None is waited for meanwhile: a connection whose lock is taken comes last,
/// alone.
pub(super) fn send<K, S: Stream>(
    members: &mut Vec<Member<'_, K, S>>,
    below: &Below<S>,
    mut batch: Option<&mut Batch<'_>>,
    failed: &mut Vec<(K, Error)>,
) {
    let mut members = members.drain(..);
    while members.len() > 0 {
        send_next(&mut members, below, batch.as_deref_mut(), failed);
    }
}

fn send_next<'w, K, S: Stream>(
    members: &mut Drain<'_, Member<'w, K, S>>,
    below: &Below<S>,
    mut batch: Option<&mut Batch<'_>>,
    failed: &mut Vec<(K, Error)>,
) {
    let mut later = Later {
        begun: Vec::new(),
        alone: Vec::new(),
    };
    let turns = lock(members, below, batch.as_deref_mut(), &mut later, failed);
    let woken = send_turns(turns, below, &mut later, failed);
    for ((key, handle), sent_bytes) in later.begun {
        let sent = handle.with(|inner| {
            if let Some(sent) = below.sent.filter(|_| sent_bytes > 0) {
                sent(inner.stream_mut(), sent_bytes);
            }
            // The stream is asked to take the rest, and so comes to know that the socket is full.
            handle.send_now(inner, None)
        });
        failed.extend(sent.err().map(|error| (key, error)));
    }
    for waker in woken {
        waker.wake();
    }
    for (key, handle) in later.alone {
        let sent = match &mut batch {
            Some(batch) => handle.send_batch(batch),
            None => handle.with(|inner| handle.send_now(inner, None)),
        };
        failed.extend(sent.err().map(|error| (key, error)));
    }
}

/// Locks those that can be sent to together, up to one that has to come first.
fn lock<'w, K, S: Stream>(
    members: &mut Drain<'_, Member<'w, K, S>>,
    below: &Below<S>,
    mut batch: Option<&mut Batch<'_>>,
    later: &mut Later<'w, K, S>,
    failed: &mut Vec<(K, Error)>,
) -> Vec<Turn<'w, K, S>> {
    let mut turns = Vec::with_capacity(members.len());
    for (key, handle) in members {
        let Some(mut guard) = handle.try_lock() else {
            later.alone.push((key, handle));
            continue;
        };
        let Some(inner) = guard.as_mut() else {
            continue;
        };
        match way(inner, batch.as_deref_mut()) {
            Ok(Way::Together(past_queue)) if can_send_below(inner, past_queue.as_ref(), below) => {
                turns.push(Turn {
                    key,
                    handle,
                    inner: guard,
                    past_queue,
                });
            }
            Ok(Way::Together(_) | Way::Alone) => later.alone.push((key, handle)),
            Ok(Way::AloneFirst) => {
                later.alone.push((key, handle));
                break;
            }
            Err(error) => failed.push((key, error)),
        }
    }
    turns
}

fn way<S: Stream>(inner: &mut Inner<S>, batch: Option<&mut Batch<'_>>) -> Result<Way, Error> {
    let Some(batch) = batch else {
        return Ok(Way::Together(None));
    };
    if inner.conn.compresses_first(batch) {
        return Ok(Way::AloneFirst);
    }
    inner.check_writable()?;
    Ok(match inner.conn.admit(batch)? {
        Some(bytes) if inner.is_flushed() => Way::Together(Some(bytes.clone())),
        _ => Way::Alone,
    })
}

/// Whether what is to be sent is one piece, for a socket that is not known to be full.
fn can_send_below<S: Stream>(
    inner: &Inner<S>,
    past_queue: Option<&Bytes>,
    below: &Below<S>,
) -> bool {
    !inner.output_waits && sending(inner, past_queue, below).is_some()
}

fn sending<'a, S: Stream>(
    inner: &'a Inner<S>,
    past_queue: Option<&'a Bytes>,
    below: &Below<S>,
) -> Option<Sending<'a>> {
    let piece = past_queue.map_or_else(|| inner.conn.only_chunk(), |bytes| Some(&bytes[..]))?;
    let tcp = (below.tcp)(inner.stream())?;
    (!piece.is_empty()).then(|| Sending::new(tcp.as_fd(), piece))
}

/// Sends, notes what became of it, and gives the locks back. Gives those who are to be woken.
fn send_turns<'w, K, S: Stream>(
    turns: Vec<Turn<'w, K, S>>,
    below: &Below<S>,
    later: &mut Later<'w, K, S>,
    failed: &mut Vec<(K, Error)>,
) -> Vec<Waker> {
    let mut sends: Vec<_> = (turns.iter())
        .map_while(|turn| sending(turn.inner.as_ref()?, turn.past_queue.as_ref(), below))
        .collect();
    let broken = ring::send_each(&mut sends);
    let outcomes: Vec<_> = sends.into_iter().map(Sending::into_outcome).collect();
    let mut outcomes = outcomes.into_iter();
    let mut woken = Vec::new();
    for mut turn in turns {
        let outcome = outcomes.next().flatten();
        let Some(inner) = turn.inner.as_mut() else {
            continue;
        };
        let sent_bytes = inner.sent_below(outcome, turn.past_queue);
        if below.sent.is_some() || !inner.is_flushed() {
            later.begun.push(((turn.key, turn.handle), sent_bytes));
            continue;
        }
        woken.extend(inner.take_woken());
        let failure = inner.check_write_failure();
        failed.extend(failure.err().map(|error| (turn.key, error)));
    }
    if let Err(error) = broken {
        ring::tell_refused(&error);
    }
    woken
}
