//! An opening that is given up at any await point ends its own stream, and nothing else.

use std::time::Duration;

use suda_websocket::{Dialer, Message, Upgrader};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::time::timeout;

use crate::support::given_up_after;

/// Bytes that pass at a time, so that every call waits often.
const NARROW_BYTES: usize = 5;
/// More often than any call here waits.
const PENDINGS_MAX: usize = 300;
/// Longer than a loaded machine needs, and an error if it is reached.
const PATIENCE: Duration = Duration::from_secs(20);

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

#[tokio::test]
async fn an_upgrade_dropped_at_every_await_point_ends_its_stream() {
    for pendings in 0..PENDINGS_MAX {
        let (ours, mut theirs) = duplex(NARROW_BYTES);
        let client = tokio::spawn(async move {
            // The server may be gone by then.
            let _ = theirs.write_all(REQUEST).await;
            let mut answer = Vec::new();
            let _ = theirs.read_to_end(&mut answer).await;
            answer
        });
        let upgraded = given_up_after(pendings, Upgrader::new().upgrade(ours)).await;
        let finished = upgraded.is_some_and(|upgraded| upgraded.is_ok());
        let answer = timeout(PATIENCE, client).await.unwrap().unwrap();
        if finished {
            assert!(answer.starts_with(b"HTTP/1.1 101 ") && answer.ends_with(b"\r\n\r\n"));
            return;
        }
        assert!(!answer.ends_with(b"\r\n\r\n"));
    }
    panic!("it never finished");
}

#[tokio::test]
async fn a_dial_dropped_at_every_await_point_ends_its_stream() {
    for pendings in 0..PENDINGS_MAX {
        let (ours, theirs) = duplex(NARROW_BYTES);
        let server = tokio::spawn(async move {
            let (mut conn, _) = Upgrader::new().upgrade(theirs).await.ok()?;
            conn.read_message().await.ok()
        });
        let dialled = given_up_after(pendings, Dialer::new().client(ours, "ws://a/")).await;
        let finished = dialled.is_some();
        if let Some(dialled) = dialled {
            let (mut conn, _) = dialled.unwrap();
            conn.write_message("open").await.unwrap();
            conn.flush().await.unwrap();
        }
        let read = timeout(PATIENCE, server).await.unwrap().unwrap();
        assert_eq!(read, finished.then(|| Message::text("open")));
        if finished {
            return;
        }
    }
    panic!("it never finished");
}
