//! Whether connections leave what they have to send to the flusher, which sends it for many with one system call.
//!
//! Lives here: what a thread knows of that, and the flusher's way of doing it. Does not live here: the call and the locks for it (`ring`, `together`), and when a
//! reader may leave its output (`short_way`).
//!
//! It costs the flusher's queue, and pays where several connections have something to send at the end of one turn of the runtime. Nobody knows
//! beforehand how many will: the last turns tell. After one with too few each sends for itself again, and now and then it is tried anew.

use std::{
    any::{Any, TypeId},
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::net::TcpStream;

use super::{
    Stream,
    flusher::{self, Flush},
    inner::Inner,
    shared::Shared,
    together::{self, Below},
};
use crate::frame::HEADER_BYTES_MAX;

/// With more than that to send, in bytes, a connection sends for itself: what is spared then is little beside the copying, for which the bytes had
/// better be in the cache still.
const LEFT_BYTES_MAX: usize = 20 << 10;
/// Fewer connections than that had better send for themselves.
const TOGETHER_MIN: usize = 4;
/// So long may a turn take, for each connection that left its output in it: whose program computes for long between reading and waiting
/// would have the first wait for the last.
const TURN_MAX_EACH: Duration = Duration::from_micros(100);
/// So many sends are made by their connections before it is tried again to leave them, twice as many after each try in vain.
const ALONE_MIN: u16 = 32;
const ALONE_MAX: u16 = 16 << 10;

thread_local! {
    static GATHERING: Gathering = const {
        Gathering {
            alone: Cell::new(0),
            alone_next: Cell::new(ALONE_MIN),
            left: Cell::new(0),
            since: Cell::new(None),
        }
    };
}

struct Gathering {
    /// Sends that are not to be left.
    alone: Cell<u16>,
    /// What `alone` becomes after the next try in vain.
    alone_next: Cell<u16>,
    /// Connections that have left their output in this turn, and since when.
    left: Cell<usize>,
    since: Cell<Option<Instant>>,
}

/// Whether a reader that finds nothing to read may leave what is queued to the flusher, which is to come anyway: it can be sent together with what
/// others leave, and there are some, most likely.
#[inline]
pub(super) fn may_leave<S: Stream>(shared: &Shared<S>, inner: &Inner<S>) -> bool {
    is_plain::<S>()
        && shared.home.flushes_after_all
        && !inner.output_waits
        && shared.is_enlisted(inner)
        && (inner.conn.only_chunk()).is_some_and(|bytes| bytes.len() <= LEFT_BYTES_MAX)
        && expects_others()
}

/// Whether a message of so many bytes, written alone, is better queued, so that it can be left.
#[inline]
pub(super) fn may_leave_message<S: Stream>(shared: &Shared<S>, bytes: usize) -> bool {
    is_plain::<S>()
        && shared.home.flushes_after_all
        && bytes + HEADER_BYTES_MAX <= LEFT_BYTES_MAX
        && expects_others()
}

/// Whether a connection on a stream of this type can be sent to below it.
#[inline]
fn is_plain<S: Stream>() -> bool {
    TypeId::of::<S>() == TypeId::of::<TcpStream>()
}

/// Whether others will most likely leave their output, too, in this turn.
#[inline]
fn expects_others() -> bool {
    // A thread that is ending sends at once.
    let expects = GATHERING.try_with(|gathering| {
        let alone = gathering.alone.get();
        gathering.alone.set(alone.saturating_sub(1));
        alone == 0
    });
    expects.unwrap_or(false)
}

/// A connection has left its output.
#[inline]
pub(super) fn note_left() {
    let _ = GATHERING.try_with(|gathering| {
        if gathering.left.replace(gathering.left.get() + 1) == 0 {
            gathering.since.set(Some(Instant::now()));
        }
    });
}

/// So many were sent to together at the end of a turn.
fn note_turn(sent: usize) {
    let _ = GATHERING.try_with(|gathering| {
        let left = gathering.left.take();
        let took = gathering
            .since
            .take()
            .map_or(Duration::ZERO, |since| since.elapsed());
        let each = u32::try_from(left.max(1)).unwrap_or(u32::MAX);
        if sent >= TOGETHER_MIN && took / each <= TURN_MAX_EACH {
            gathering.alone.set(0);
            gathering.alone_next.set(ALONE_MIN);
        } else if gathering.alone.get() == 0 {
            let alone = gathering.alone_next.get();
            gathering.alone.set(alone);
            gathering
                .alone_next
                .set(alone.saturating_mul(2).min(ALONE_MAX));
        }
    });
}

/// Sends what `enlisted` connections have queued, together where that is possible and pays.
pub(super) fn flush(enlisted: &mut Vec<Arc<dyn Flush>>, plain: &mut Vec<Arc<Shared<TcpStream>>>) {
    let mut sent = 0;
    if enlisted.len() >= TOGETHER_MIN && together::is_ready() {
        for target in enlisted.drain(..) {
            match target.into_plain() {
                Ok(target) => plain.push(target),
                Err(other) => flusher::flush(other),
            }
        }
        for target in plain.iter() {
            target.take_mark_back();
        }
        // Those that failed know it. Where a task's waker panics, all are asked once more, alone.
        let together = AssertUnwindSafe(|| {
            let members = plain.iter().map(|target| ((), target));
            together::send(members, &Below::plain(), None, &mut Vec::new())
        });
        match catch_unwind(together) {
            Ok(all) => {
                sent = all;
                plain.clear();
            }
            Err(_) => enlisted.extend(plain.drain(..).map(|target| target as Arc<dyn Flush>)),
        }
    }
    enlisted.drain(..).for_each(flusher::flush);
    note_turn(sent);
}

/// A connection as one on a TCP stream, if it is.
pub(super) fn into_plain<S: Stream>(
    shared: Arc<Shared<S>>,
) -> Result<Arc<Shared<TcpStream>>, Arc<dyn Flush>> {
    if !is_plain::<S>() {
        return Err(shared);
    }
    let any: Arc<dyn Any + Send + Sync> = shared;
    Ok(any.downcast().unwrap_or_else(|_| unreachable!("it is one")))
}
