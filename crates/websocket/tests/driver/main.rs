//! The tokio driver against peers made by hand, against itself, and against another implementation.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod cancelling;
mod closing;
mod conveniences;
mod crossed_streams;
mod deadlines;
mod handlers;
mod heartbeat;
mod long_messages;
mod read_ahead;
mod stream_sink;
mod streaming;
mod tungstenite;
mod violations;

use std::{future::Future, time::Duration};

use suda_websocket::{Config, Conn, Parts, Role, Stream};
use support::RawPeer;
use tokio::io::{DuplexStream, duplex};

/// Long enough for any machine: a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it never came")
}

/// What fits into a pipe that nobody reads, in bytes.
const PIPE_BYTES: usize = 1024;

fn conn<S: Stream>(role: Role, stream: S) -> Conn<S> {
    Conn::from_parts(stream, Parts::new(role, Config::default()))
}

/// A server and its client, made by hand.
fn server_and_peer(config: Config) -> (Conn<DuplexStream>, RawPeer<DuplexStream>) {
    let (ours, theirs) = duplex(PIPE_BYTES);
    let server = Conn::from_parts(ours, Parts::new(Role::Server, config));
    (server, RawPeer::new(theirs, Role::Client))
}

/// A client that says something, hears the last words, is told 4001 "bye" and answers with 4002.
async fn hears_last_words_and_closes(mut peer: RawPeer<DuplexStream>) {
    peer.send(0x81, b"on its way").await;
    assert_eq!(peer.next_frame().await.unwrap().1, b"last words");
    let close = [&4001u16.to_be_bytes()[..], b"bye"].concat();
    assert_eq!(peer.next_frame().await.unwrap(), (0x88, close));
    peer.send(0x88, &4002u16.to_be_bytes()).await;
    assert!(peer.next_frame().await.is_none(), "one close frame");
}
