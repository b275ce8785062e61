//! Handlers of pings, pongs and close frames. The protocol's answers do not depend on them.

use std::sync::mpsc;

use suda_websocket::{CloseCode, CloseOutcome, Error, Message, Role};
use tokio::io::duplex;

use crate::{conn, in_time, support::RawPeer};

#[tokio::test]
async fn a_ping_handler_sees_each_ping_which_is_answered_all_the_same() {
    let (ours, theirs) = duplex(1 << 10);
    let (mut reader, _writer, control) = conn(Role::Server, ours).split();
    let (seen, pings) = mpsc::channel();
    // A handler may use the connection: it is called without its lock.
    reader.set_ping_handler(move |payload| {
        control.ping(b"and you?").unwrap();
        seen.send(payload.to_vec()).unwrap();
    });
    let reading = tokio::spawn(async move { reader.read_message().await });
    let mut peer = RawPeer::new(theirs, Role::Client);
    peer.send(0x89, b"one").await;
    assert_eq!(
        in_time(peer.next_frame()).await.unwrap(),
        (0x8a, b"one".to_vec())
    );
    assert_eq!(
        in_time(peer.next_frame()).await.unwrap(),
        (0x89, b"and you?".to_vec())
    );
    peer.send(0x89, b"").await;
    peer.send(0x81, b"data").await;
    assert_eq!(
        in_time(reading).await.unwrap().unwrap(),
        Message::text("data")
    );
    assert_eq!(pings.try_iter().collect::<Vec<_>>(), [&b"one"[..], b""]);
}

#[tokio::test]
async fn a_pong_handler_sees_each_pong() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = conn(Role::Server, ours);
    let (seen, pongs) = mpsc::channel();
    server.set_pong_handler(move |payload| seen.send(payload.to_vec()).unwrap());
    let mut peer = RawPeer::new(theirs, Role::Client);
    peer.send(0x8a, b"unasked").await;
    peer.send(0x81, b"data").await;
    in_time(server.read_message()).await.unwrap();
    assert_eq!(pongs.try_iter().collect::<Vec<_>>(), [b"unasked"]);
}

#[tokio::test]
async fn a_close_handler_sees_the_close_frame_once_and_it_is_answered_all_the_same() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = conn(Role::Server, ours);
    let (seen, closes) = mpsc::channel();
    server.set_close_handler(move |close| seen.send(close.clone()).unwrap());
    let mut peer = RawPeer::new(theirs, Role::Client);
    peer.send(
        0x88,
        &[&4001u16.to_be_bytes()[..], "안녕".as_bytes()].concat(),
    )
    .await;
    for _ in 0..2 {
        assert!(matches!(
            in_time(server.read_message()).await,
            Err(Error::Closed(_))
        ));
    }
    let told: Vec<_> = closes.try_iter().collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].code, &*told[0].reason), (CloseCode(4001), "안녕"));
    assert_eq!(
        in_time(peer.next_frame()).await.unwrap(),
        (0x88, 4001u16.to_be_bytes().to_vec())
    );
}

#[tokio::test]
async fn handlers_are_called_while_closing_too() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = conn(Role::Server, ours);
    let (seen, told) = mpsc::channel();
    let pinged = seen.clone();
    server.set_ping_handler(move |_| pinged.send("ping").unwrap());
    server.set_close_handler(move |_| seen.send("close").unwrap());
    let mut peer = RawPeer::new(theirs, Role::Client);
    peer.send(0x89, b"").await;
    peer.send(0x88, &1000u16.to_be_bytes()).await;
    drop(peer);
    let outcome = in_time(server.close(CloseCode::NORMAL, "")).await.unwrap();
    assert!(matches!(outcome, CloseOutcome::Clean(_)));
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["ping", "close"]);
}

#[tokio::test]
async fn a_stream_that_ends_calls_no_close_handler() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = conn(Role::Server, ours);
    server.set_close_handler(|close| panic!("{close}"));
    drop(theirs);
    assert!(matches!(
        in_time(server.read_message()).await,
        Err(Error::Closed(_))
    ));
}
