//! The task that sends what was written and not sent when its writer's poll is over.
//!
//! A write only queues, but for one that is foreseen to stay alone. The connection is then enlisted here, and the flusher, a task of
//! the connection's runtime that the write woke, runs when the current poll is done. One per thread and runtime, so that enlisting touches nothing that
//! other threads use, and one wake serves all connections that a poll wrote to.
//!
//! With an io_uring it may be left more than that: see `gathering`.

use std::{
    cell::RefCell,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError},
    task::{Context, Poll, Waker},
};

#[cfg(all(feature = "io-uring", target_os = "linux"))]
use tokio::net::TcpStream;
use tokio::runtime::Id;

#[cfg(all(feature = "io-uring", target_os = "linux"))]
use super::{gathering, shared::Shared};
use super::{
    home::Home,
    sync::{Mutex, MutexGuard},
};

/// A connection that may have something to send.
pub(super) trait Flush: Send + Sync {
    /// Sends what the stream takes. The connection sees to it that the rest follows when the stream can take it.
    fn flush_enlisted(self: Arc<Self>);

    /// As a connection on a TCP stream, if it is one.
    #[cfg(all(feature = "io-uring", target_os = "linux"))]
    fn into_plain(self: Arc<Self>) -> Result<Arc<Shared<TcpStream>>, Arc<dyn Flush>>;
}

/// In a model the test is the flusher.
#[cfg(all(test, suda_loom))]
pub(super) fn enlist(target: Arc<dyn Flush>, _: &Home) {
    super::loom_models::queue().push(target);
}

/// Enlists `target` with this thread's flusher of its runtime, which is started if there is none.
#[cfg(not(all(test, suda_loom)))]
pub(super) fn enlist(target: Arc<dyn Flush>, home: &Home) {
    let id = home.runtime_id;
    let mut target = Some(target);
    let thread_lives = FLUSHERS.try_with(|flushers| {
        let mut flushers = flushers.borrow_mut();
        if let Some(flusher) = flushers.iter().find(|flusher| flusher.id == id) {
            target = target.take().and_then(|target| flusher.queue.push(target));
        }
        if target.is_some() {
            flushers.retain(|flusher| !flusher.queue.lock().dead);
        }
    });
    let Some(target) = target else { return };
    let queue = Arc::new(Queue::default());
    // Before the task exists, so its first poll finds it.
    queue.push(target);
    if thread_lives.is_ok() {
        let started = Flusher {
            id,
            queue: queue.clone(),
        };
        let _ = FLUSHERS.try_with(|flushers| flushers.borrow_mut().push(started));
    } else {
        // The thread is ending: this flusher is for once.
        queue.lock().abandoned = true;
    }
    // Outside the borrow: starting a task runs code of the runtime.
    home.runtime
        .spawn(tokio::task::unconstrained(run(TaskEnd(queue))));
}

thread_local! {
    static FLUSHERS: RefCell<Vec<Flusher>> = const { RefCell::new(Vec::new()) };
}

#[cfg_attr(all(test, suda_loom), allow(dead_code))]
struct Flusher {
    id: Id,
    queue: Arc<Queue>,
}

impl Drop for Flusher {
    fn drop(&mut self) {
        let waker = {
            let mut state = self.queue.lock();
            state.abandoned = true;
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    enlisted: Vec<Arc<dyn Flush>>,
    waker: Option<Waker>,
    /// The task is gone, its runtime with it: nobody would come.
    dead: bool,
    /// The thread is gone: nothing more will be enlisted.
    abandoned: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the target back if the flusher is dead.
    pub(super) fn push(&self, target: Arc<dyn Flush>) -> Option<Arc<dyn Flush>> {
        let mut state = self.lock();
        if state.dead {
            return Some(target);
        }
        state.enlisted.push(target);
        if let Some(waker) = state.waker.take() {
            drop(state);
            waker.wake();
        }
        None
    }
}

/// Marks the queue dead when the task ends, also when its runtime drops it.
#[cfg_attr(all(test, suda_loom), allow(dead_code))]
struct TaskEnd(Arc<Queue>);

impl Drop for TaskEnd {
    fn drop(&mut self) {
        let left = {
            let mut state = self.0.lock();
            state.dead = true;
            std::mem::take(&mut state.enlisted)
        };
        // Outside the lock: the last handle of a connection may be among them.
        drop(left);
    }
}

#[cfg_attr(all(test, suda_loom), allow(dead_code))]
async fn run(task: TaskEnd) {
    let mut batch = Batch::default();
    poll_fn(|cx| poll(&task.0, &mut batch, cx)).await;
}

/// Those that one poll of the flusher sends for.
#[derive(Default)]
pub(super) struct Batch {
    enlisted: Vec<Arc<dyn Flush>>,
    /// Empty but for the time of a call, for which it is kept.
    #[cfg(all(feature = "io-uring", target_os = "linux"))]
    plain: Vec<Arc<Shared<TcpStream>>>,
}

impl Batch {
    #[cfg(all(feature = "io-uring", target_os = "linux"))]
    fn flush(&mut self) {
        gathering::flush(&mut self.enlisted, &mut self.plain);
    }

    #[cfg(not(all(feature = "io-uring", target_os = "linux")))]
    fn flush(&mut self) {
        self.enlisted.drain(..).for_each(flush);
    }
}

/// Flushes one. A stream or a waker of the program that panics has told of it; the others' output is not lost with it.
pub(super) fn flush(target: Arc<dyn Flush>) {
    let _ = catch_unwind(AssertUnwindSafe(|| target.flush_enlisted()));
}

pub(super) fn poll(queue: &Queue, batch: &mut Batch, cx: &mut Context<'_>) -> Poll<()> {
    let abandoned = {
        let mut state = queue.lock();
        if state.enlisted.is_empty() && state.abandoned {
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        std::mem::swap(&mut state.enlisted, &mut batch.enlisted);
        // Abandoned later, it is told through the waker.
        state.abandoned
    };
    // One batch for each poll: a stream that wakes itself must not keep the thread's other tasks out.
    batch.flush();
    if abandoned {
        // To end, or to do what came meanwhile.
        cx.waker().wake_by_ref();
    }
    Poll::Pending
}
