//! A counted handle on what a connection's parts share. The last one to go sees to what was written before.

use std::{
    future::poll_fn,
    ops::Deref,
    sync::{Arc, atomic::Ordering},
};

use super::{Stream, shared::Shared};
use crate::Parts;

/// One user of a connection.
pub(super) struct Handle<S: Stream> {
    shared: Arc<Shared<S>>,
}

impl<S: Stream> Handle<S> {
    pub(super) fn new(stream: S, parts: Parts) -> Self {
        Self {
            shared: Shared::new(stream, parts),
        }
    }
}

impl<S: Stream> Clone for Handle<S> {
    fn clone(&self) -> Self {
        self.users.fetch_add(1, Ordering::Relaxed);
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<S: Stream> Deref for Handle<S> {
    type Target = Arc<Shared<S>>;

    fn deref(&self) -> &Arc<Shared<S>> {
        &self.shared
    }
}

impl<S: Stream> Drop for Handle<S> {
    fn drop(&mut self) {
        if self.shared.users.fetch_sub(1, Ordering::AcqRel) == 1
            && self.shared.with(|inner, _| inner.needs_linger())
        {
            self.shared.runtime().spawn(linger(self.shared.clone()));
        }
    }
}

/// Sends what is left, ends the outgoing direction and drops what still comes in, until the peer ends, too, or the time is up.
async fn linger<S: Stream>(shared: Arc<Shared<S>>) {
    let ending = async {
        poll_fn(|cx| shared.poll_flushed(cx)).await;
        poll_fn(|cx| shared.poll_shutdown(cx)).await;
        poll_fn(|cx| shared.poll_drain(cx)).await;
    };
    // Out of time or not, nobody is left to be told.
    let _ = tokio::time::timeout(shared.close_timeout, ending).await;
}
