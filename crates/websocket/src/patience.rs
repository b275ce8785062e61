//! How long somebody is waited for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::conn::later;

/// One wait. Neither clock nor timer is asked for before it begins, and what is kept meanwhile is a pointer.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// Ready once `time` has passed since this was asked first.
    pub(crate) fn poll_over(&mut self, time: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let begin = || Box::pin(sleep_until(later(Instant::now(), time)));
        let sleep = self.sleep.get_or_insert_with(begin);
        sleep.as_mut().poll(cx)
    }
}
