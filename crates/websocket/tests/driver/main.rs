//! The tokio driver against peers made by hand, against itself, and against another implementation.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod cancelling;
mod closing;
mod conveniences;
mod crossed_streams;
mod deadlines;
mod events;
mod handlers;
mod heartbeat;
mod stream_sink;
mod streaming;
mod tungstenite;
mod violations;

use std::{future::Future, time::Duration};

use suda_websocket::{Config, Conn, Parts, Role, Stream};

/// Long enough for any machine: a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it never came")
}

fn conn<S: Stream>(role: Role, stream: S) -> Conn<S> {
    Conn::from_parts(stream, Parts::new(role, Config::default()))
}
