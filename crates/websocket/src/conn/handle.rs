//! A counted handle on what a connection's parts share. The last one to go sees to what was written before.

use std::{future::poll_fn, ops::Deref, sync::Arc};

use super::{Stream, shared::Shared, sync::Ordering};
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
        if self.users.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let last = Last(self.shared.clone());
        let lingers = last.0.with(|inner| {
            let lingers = inner.needs_linger();
            if !lingers {
                inner.end_at_once();
            }
            lingers
        });
        if lingers {
            let runtime = &self.home.runtime;
            runtime.spawn(linger(last));
        }
    }
}

/// What is left when no handle is. Dropped, wherever that happens, it closes the stream.
struct Last<S: Stream>(Arc<Shared<S>>);

impl<S: Stream> Drop for Last<S> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Sends what is left, ends the outgoing direction and drops what still comes in, until the peer ends, too, or the time is up.
async fn linger<S: Stream>(last: Last<S>) {
    let shared = &last.0;
    let ending = async {
        poll_fn(|cx| shared.poll_flushed(cx)).await;
        poll_fn(|cx| shared.poll_shutdown(cx)).await;
        poll_fn(|cx| shared.poll_drain(cx)).await;
    };
    // Out of time or not, nobody is left to be told.
    let _ = tokio::time::timeout(shared.home.close_timeout, ending).await;
}
