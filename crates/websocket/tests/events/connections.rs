//! How connections begin and end, and nothing of their messages.

use std::time::Duration;

use suda_websocket::{Config, Conn, Parts, Role};
use tokio::io::duplex;
use tokio::time::Instant;
use tracing::Level;

use crate::support::RawPeer;

/// What is told of connections.
async fn told(level: Level, what: impl Future<Output = ()>) -> Vec<String> {
    let mut told = crate::told(level, what).await;
    told.retain(|line| line.contains("suda_websocket:"));
    let told = told.into_iter();
    told.map(|line| line.replace("suda_websocket: ", ""))
        .collect()
}

async fn a_chat() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = Conn::from_parts(ours, Parts::new(Role::Server, Config::default()));
    let mut peer = RawPeer::new(theirs, Role::Client);
    for _ in 0..100 {
        peer.send(0x89, b"secret").await;
        peer.send(0x81, b"secret").await;
        let message = server.read_message().await.unwrap();
        server.write_message(message).await.unwrap();
        peer.next_frame().await.unwrap();
        peer.next_frame().await.unwrap();
    }
    server.set_read_deadline(Some(Instant::now()));
    server.read_message().await.unwrap_err();
    server.set_read_deadline(None);
    peer.send(0x88, &[&4000u16.to_be_bytes()[..], b"bye"].concat())
        .await;
    server.read_message().await.unwrap_err();
}

#[tokio::test]
async fn a_connection_is_told_of_when_it_opens_misses_a_deadline_and_closes() {
    assert_eq!(
        told(Level::TRACE, a_chat()).await,
        [
            "DEBUG connection opened role=Server",
            "DEBUG a deadline passed",
            "DEBUG connection closed code=4000 reason=\"bye\"",
        ]
    );
    assert!(told(Level::INFO, a_chat()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn peers_that_break_the_rules_or_fall_silent_are_told_of() {
    let broken = told(Level::INFO, async {
        let (ours, theirs) = duplex(1 << 10);
        let mut server = Conn::from_parts(ours, Parts::new(Role::Server, Config::default()));
        RawPeer::new(theirs, Role::Client).send(0x83, b"").await;
        server.read_message().await.unwrap_err();
    });
    assert_eq!(
        broken.await,
        ["INFO the peer broke the protocol violation=unknown opcode 0x3"]
    );
    let silent = told(Level::INFO, async {
        let (ours, _theirs) = duplex(1 << 10);
        let second = Duration::from_secs(1);
        let config = Config::default().heartbeat(second, 3 * second);
        let mut server = Conn::from_parts(ours, Parts::new(Role::Server, config));
        server.read_message().await.unwrap_err();
    });
    assert_eq!(silent.await, ["INFO the peer was silent for too long"]);
}
