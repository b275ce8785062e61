//! The moment from which on a half of a connection waits no more.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    time::{Instant, Sleep, sleep_until},
};

use super::Error;
use crate::events::event;

/// A time that nobody waits for: thirty years. A longer one could be more than the clock can count.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The moment `time` after `now`, or one that never comes if there is no such moment.
pub(crate) fn later(now: Instant, time: Duration) -> Instant {
    now + time.min(FAR)
}

/// None at first. Without one, checking costs a comparison and waiting costs nothing.
#[derive(Debug, Default)]
pub(super) struct Deadline {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Gives what is left of the one before, to be dropped outside the connection's lock, since it may hold a task's waker.
    #[must_use]
    pub(super) fn set(&mut self, at: Option<Instant>, runtime: &Handle) -> Option<Pin<Box<Sleep>>> {
        match (at, &mut self.sleep) {
            (None, sleep) => sleep.take(),
            (Some(at), Some(sleep)) => {
                sleep.as_mut().reset(at);
                None
            }
            (Some(at), none) => {
                // The caller may be on a thread without a runtime.
                let _entered = runtime.enter();
                *none = Some(Box::pin(sleep_until(at)));
                None
            }
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.sleep.is_some()
    }

    /// Fails if the deadline has passed.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &self.sleep {
            Some(sleep) if sleep.deadline() <= Instant::now() => Err(timed_out()),
            _ => Ok(()),
        }
    }

    /// Ready with the error when the deadline passes; for ever pending without one.
    pub(super) fn poll_passed(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().poll(cx).map(|()| timed_out()),
            None => Poll::Pending,
        }
    }
}

fn timed_out() -> Error {
    event!(debug, "a deadline passed");
    Error::TimedOut
}
