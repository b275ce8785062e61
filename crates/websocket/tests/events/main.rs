//! What `tracing` is told of connections and handshakes, and what it is never told.
//!
//! A program of its own, in which one test runs at a time: whether anybody wants an event is found out once for all threads, and a thread that
//! records nothing may be the one that finds it out.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod connections;
mod handshakes;
#[path = "../opening/proxy_servers.rs"]
#[allow(dead_code, reason = "of what the tests of openings need, a part")]
mod proxy_servers;
#[path = "../opening/servers.rs"]
#[allow(dead_code, reason = "of what the tests of openings need, a part")]
mod servers;

use std::io::{self, Write};
use std::sync::Arc;

use tokio::sync::Mutex;
use tracing::Level;

/// Whoever holds it records; nobody else makes a connection meanwhile.
static RECORDING: Mutex<()> = Mutex::const_new(());

#[derive(Clone, Default)]
struct Log(Arc<std::sync::Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines that the library tells, at `level` and above, while `what` happens on this thread.
async fn told(level: Level, what: impl Future<Output = ()>) -> Vec<String> {
    let _recording = RECORDING.lock().await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    what.await;
    let told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let ours = told.lines().filter(|line| line.contains("suda_websocket"));
    ours.map(|line| line.trim().to_owned()).collect()
}
