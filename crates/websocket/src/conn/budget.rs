//! Tokio's budget: how often a task may use what is ready before it has to give way.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll, Waker},
};

/// Runs what never waits outside the budget of its task. With it, a task that sends to many would find all streams blocked after
/// 128 of them, though none is: the rest would have to be sent by the flusher, later and for more.
pub(super) fn without_budget<R>(act: impl FnOnce() -> R) -> R {
    let mut act = Some(act);
    let at_once = poll_fn(|_| match act.take() {
        Some(act) => Poll::Ready(act()),
        None => Poll::Pending,
    });
    let at_once = pin!(tokio::task::unconstrained(at_once));
    match at_once.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("its first poll has something to do"),
    }
}
