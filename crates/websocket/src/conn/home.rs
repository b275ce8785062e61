//! What connections of one runtime with the same limits and subprotocol have in common, kept once instead of in each of them.

use std::{
    cell::RefCell,
    sync::{Arc, Weak},
    time::Duration,
};

#[cfg(all(feature = "io-uring", target_os = "linux"))]
use tokio::runtime::RuntimeFlavor;
use tokio::runtime::{Handle, Id};

use crate::Config;

pub(super) struct Home {
    pub(super) runtime: Handle,
    pub(super) runtime_id: Id,
    /// All tasks that are woken together run before the flusher that the first of them wakes. A runtime of several threads has that run
    /// next, or on another of them.
    #[cfg(all(feature = "io-uring", target_os = "linux"))]
    pub(super) flushes_after_all: bool,
    pub(super) high_water_bytes: usize,
    pub(super) close_timeout: Duration,
    /// The subprotocol that both sides agreed on.
    pub(super) subprotocol: Option<String>,
}

thread_local! {
    /// That of the thread's last new connection, which mostly is that of the next.
    static LAST: RefCell<Weak<Home>> = const { RefCell::new(Weak::new()) };
}

impl Home {
    /// # Panics
    /// Outside a tokio runtime.
    pub(super) fn current(config: &Config, subprotocol: Option<String>) -> Arc<Self> {
        let runtime = Handle::current();
        let runtime_id = runtime.id();
        let last = LAST.try_with(|last| last.borrow().upgrade()).ok().flatten();
        if let Some(last) = last
            && last.runtime_id == runtime_id
            && last.high_water_bytes == config.high_water_bytes
            && last.close_timeout == config.close_timeout
            && last.subprotocol == subprotocol
        {
            return last;
        }
        let home = Arc::new(Self {
            #[cfg(all(feature = "io-uring", target_os = "linux"))]
            flushes_after_all: runtime.runtime_flavor() == RuntimeFlavor::CurrentThread,
            runtime,
            runtime_id,
            high_water_bytes: config.high_water_bytes,
            close_timeout: config.close_timeout,
            subprotocol,
        });
        // A thread that is ending remembers nothing any more.
        let _ = LAST.try_with(|last| *last.borrow_mut() = Arc::downgrade(&home));
        home
    }
}
