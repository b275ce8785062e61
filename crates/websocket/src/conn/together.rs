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
    io,
    os::fd::AsFd,
    sync::Arc,
    task::Waker,
};

use bytes::Bytes;
use tokio::net::TcpStream;

use super::{
    Error, SocketStream, Stream,
    inner::Inner,
    ring::{self, Sending},
    shared::Shared,
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

type Member<'w, K, S> = (K, &'w Arc<Shared<S>>);

/// A connection whose lock is held until it is known what became of its bytes.
struct Turn<'w, K, S: Stream> {
    member: Member<'w, K, S>,
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
    /// All is sent.
    Nowhere,
}

/// Sends to `members` what they have queued, or `batch`, up to [`SENDS_MAX`] of them at a time; gives how many could be sent to with others. Each of them that
/// fails or is refused comes to `failed`.
///
/// Their locks are held together for the time of one system call. None is waited for meanwhile: a connection whose lock is taken comes last,
/// alone.
pub(super) fn send<'w, K, S: Stream>(
    mut members: impl Iterator<Item = Member<'w, K, S>>,
    below: &Below<S>,
    mut batch: Option<&mut Batch<'_>>,
    failed: &mut Vec<(K, Error)>,
) -> usize {
    let mut sent = 0;
    loop {
        // Asked for before anything is locked: the program's iterator may use any of them. In place, so that a turn of many connections
        // allocates nothing.
        let mut next = [const { None }; SENDS_MAX];
        for slot in &mut next {
            *slot = members.next();
            if slot.is_none() {
                break;
            }
        }
        let mut next = next.into_iter().flatten().peekable();
        if next.peek().is_none() {
            return sent;
        }
        while next.peek().is_some() {
            sent += send_next(&mut next, below, batch.as_deref_mut(), failed);
        }
    }
}

fn send_next<'w, K, S: Stream>(
    members: impl Iterator<Item = Member<'w, K, S>>,
    below: &Below<S>,
    mut batch: Option<&mut Batch<'_>>,
    failed: &mut Vec<(K, Error)>,
) -> usize {
    let mut later = Later {
        begun: Vec::new(),
        alone: Vec::new(),
    };
    let mut turns = [const { None }; SENDS_MAX];
    let locked = lock(
        members,
        &mut turns,
        below,
        batch.as_deref_mut(),
        &mut later,
        failed,
    );
    let woken = send_turns(&mut turns[..locked], below, &mut later, failed);
    for ((key, shared), sent_bytes) in later.begun {
        let sent = shared.with_open(|inner| {
            if let Some(sent) = below.sent.filter(|_| sent_bytes > 0) {
                sent(inner.stream_mut(), sent_bytes);
            }
            // The stream is asked to take the rest, and so comes to know that the socket is full.
            shared.send_now(inner, None)
        });
        failed.extend(sent.and_then(Result::err).map(|error| (key, error)));
    }
    for waker in woken {
        waker.wake();
    }
    for (key, shared) in later.alone {
        let sent = match &mut batch {
            Some(batch) => Some(shared.send_batch(batch)),
            None => shared.with_open(|inner| shared.send_now(inner, None)),
        };
        failed.extend(sent.and_then(Result::err).map(|error| (key, error)));
    }
    locked
}

/// Locks those that can be sent to together, up to one that has to come first; gives how many `turns` that makes.
fn lock<'w, K, S: Stream>(
    members: impl Iterator<Item = Member<'w, K, S>>,
    turns: &mut [Option<Turn<'w, K, S>>],
    below: &Below<S>,
    mut batch: Option<&mut Batch<'_>>,
    later: &mut Later<'w, K, S>,
    failed: &mut Vec<(K, Error)>,
) -> usize {
    let mut locked = 0;
    for (key, shared) in members {
        let Some(mut guard) = shared.try_lock() else {
            later.alone.push((key, shared));
            continue;
        };
        let Some(inner) = guard.as_mut() else {
            continue;
        };
        match way(inner, batch.as_deref_mut()) {
            Ok(Way::Together(past_queue)) if can_send_below(inner, past_queue.as_ref(), below) => {
                turns[locked] = Some(Turn {
                    member: (key, shared),
                    inner: guard,
                    past_queue,
                });
                locked += 1;
            }
            Ok(Way::Together(_) | Way::Alone) => later.alone.push((key, shared)),
            Ok(Way::AloneFirst) => {
                later.alone.push((key, shared));
                break;
            }
            Ok(Way::Nowhere) => {}
            Err(error) => failed.push((key, error)),
        }
    }
    locked
}

fn way<S: Stream>(inner: &mut Inner<S>, batch: Option<&mut Batch<'_>>) -> Result<Way, Error> {
    let Some(batch) = batch else {
        if !inner.is_flushed() {
            return Ok(Way::Together(None));
        }
        return inner.check_write_failure().map(|()| Way::Nowhere);
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
    turns: &mut [Option<Turn<'w, K, S>>],
    below: &Below<S>,
    later: &mut Later<'w, K, S>,
    failed: &mut Vec<(K, Error)>,
) -> Vec<Waker> {
    let mut outcomes = [const { None }; SENDS_MAX];
    let broken = send_below(turns, below, &mut outcomes);
    let mut woken = Vec::new();
    for (turn, outcome) in turns.iter_mut().zip(outcomes) {
        let Some(mut turn) = turn.take() else {
            continue;
        };
        let Some(inner) = turn.inner.as_mut() else {
            continue;
        };
        let sent_bytes = inner.sent_below(outcome, turn.past_queue);
        if below.sent.is_some() || !inner.is_flushed() {
            later.begun.push((turn.member, sent_bytes));
            continue;
        }
        woken.extend(inner.take_woken());
        let failure = inner.check_write_failure();
        failed.extend(failure.err().map(|error| (turn.member.0, error)));
    }
    if let Err(error) = broken {
        ring::tell_refused(&error);
    }
    woken
}

/// One system call for all `turns`.
fn send_below<K, S: Stream>(
    turns: &[Option<Turn<'_, K, S>>],
    below: &Below<S>,
    outcomes: &mut [Option<io::Result<usize>>],
) -> io::Result<()> {
    let mut sends = [const { None }; SENDS_MAX];
    for (send, turn) in sends.iter_mut().zip(turns.iter().flatten()) {
        *send =
            (turn.inner.as_ref()).and_then(|inner| sending(inner, turn.past_queue.as_ref(), below));
        if send.is_none() {
            break;
        }
    }
    let sent = ring::send_each(&mut sends);
    for (outcome, send) in outcomes.iter_mut().zip(sends) {
        *outcome = send.and_then(Sending::into_outcome);
    }
    sent
}
