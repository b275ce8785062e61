//! One system call for what many connections have to send.
//!
//! Lives here: how they are locked for it, and what follows from each outcome. Does not live here: the call, which is `ring`'s, and the
//! way for one connection, which is `shared`'s. That way is taken for all that is out of the ordinary: a stream that is no
//! plain socket, output in several pieces or that waits already, and what a socket did not take.

use std::{any::Any, os::fd::AsFd, task::Waker};

use bytes::Bytes;
use tokio::net::TcpStream;

use super::{
    Error, SocketStream, Stream,
    handle::Handle,
    inner::Inner,
    ring::{self, Sending},
    sync::MutexGuard,
};

pub(super) use ring::SENDS_MAX;

/// How to send below a stream.
pub(super) struct Below<S> {
    tcp: fn(&S) -> Option<&TcpStream>,
    sent: fn(&mut S, usize),
}

impl<S: Stream> Below<S> {
    /// For streams that are nothing but a TCP connection.
    pub(super) fn plain() -> Self {
        Self {
            tcp: |stream| (stream as &dyn Any).downcast_ref(),
            sent: |_, _| {},
        }
    }
}

impl<S: SocketStream> Below<S> {
    pub(super) fn of() -> Self {
        Self {
            tcp: S::tcp,
            sent: S::sent,
        }
    }
}

/// Whether this thread can send so.
pub(super) fn is_ready() -> bool {
    ring::check().is_ok()
}

/// A connection whose lock is held until it is known what became of its bytes.
struct Turn<'w, K, S: Stream> {
    key: K,
    handle: &'w Handle<S>,
    inner: MutexGuard<'w, Option<Inner<S>>>,
    /// To be sent instead of what is queued, which is nothing.
    past_queue: Option<Bytes>,
}

/// Sends what `members`, at most [`SENDS_MAX`], have queued, or what `prepare` gives for one that has nothing queued; takes them out. Each of them that
/// fails, or that `prepare` fails for, comes to `failed`.
///
/// Their locks are held together for the time of one system call. None is waited for meanwhile: a connection whose lock is taken comes last,
/// alone.
pub(super) fn send<K, S: Stream>(
    members: &mut Vec<(K, &Handle<S>)>,
    below: &Below<S>,
    mut prepare: impl FnMut(&Handle<S>, &mut Inner<S>) -> Result<Option<Bytes>, Error>,
    failed: &mut Vec<(K, Error)>,
) {
    let mut turns = Vec::with_capacity(members.len());
    let mut taken = Vec::new();
    let mut woken = Vec::new();
    for (key, handle) in members.drain(..) {
        let Some(mut guard) = handle.try_lock() else {
            taken.push((key, handle));
            continue;
        };
        let Some(inner) = guard.as_mut() else {
            continue;
        };
        let sent = match prepare(handle, inner) {
            Ok(past_queue) if can_send_below(inner, past_queue.as_ref(), below) => {
                turns.push(Turn {
                    key,
                    handle,
                    inner: guard,
                    past_queue,
                });
                continue;
            }
            Ok(past_queue) => handle.send_now(inner, past_queue.as_ref()),
            Err(error) => Err(error),
        };
        woken.extend(inner.take_woken());
        failed.extend(sent.err().map(|error| (key, error)));
    }
    send_turns(turns, below, &mut woken, failed);
    for waker in woken {
        waker.wake();
    }
    for (key, handle) in taken {
        let sent = handle.with(|inner| {
            let past_queue = prepare(handle, inner)?;
            handle.send_now(inner, past_queue.as_ref())
        });
        failed.extend(sent.err().map(|error| (key, error)));
    }
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

fn send_turns<K, S: Stream>(
    mut turns: Vec<Turn<'_, K, S>>,
    below: &Below<S>,
    woken: &mut Vec<Waker>,
    failed: &mut Vec<(K, Error)>,
) {
    let mut sends: Vec<_> = (turns.iter())
        .map_while(|turn| sending(turn.inner.as_ref()?, turn.past_queue.as_ref(), below))
        .collect();
    ring::send_each(&mut sends);
    let outcomes: Vec<_> = sends.into_iter().map(Sending::into_outcome).collect();
    let mut outcomes = outcomes.into_iter();
    for mut turn in turns.drain(..) {
        let outcome = outcomes.next().flatten();
        let Some(inner) = turn.inner.as_mut() else {
            continue;
        };
        let sent = inner.sent_below(outcome, turn.past_queue);
        (below.sent)(inner.stream_mut(), sent);
        // The stream is asked to take the rest, and so comes to know that the socket is full.
        let sent = turn.handle.send_now(inner, None);
        woken.extend(inner.take_woken());
        failed.extend(sent.err().map(|error| (turn.key, error)));
    }
}
