//! Connections as the Stream and Sink of the futures crates.

use std::task::{Context, Waker};

use futures_util::{SinkExt, StreamExt, TryStreamExt};
use suda_websocket::{CloseCode, Config, Conn, Error, Message, Parts, Role};
use tokio::io::duplex;

use crate::{conn, in_time, support::RawPeer};

#[tokio::test]
async fn an_echo_is_a_reader_forwarded_to_a_writer() {
    let (ours, theirs) = duplex(256);
    let (reader, writer, _control) = conn(Role::Server, ours).split();
    let echo = tokio::spawn(reader.forward(writer));
    let mut client = conn(Role::Client, theirs);
    for number in 0..100u8 {
        let sent = Message::binary(vec![number; 100]);
        client.send(sent.clone()).await.unwrap();
        assert_eq!(in_time(client.next()).await.unwrap().unwrap(), sent);
    }
    SinkExt::close(&mut client).await.unwrap();
    in_time(echo).await.unwrap().unwrap();
    assert!(in_time(client.next()).await.is_none());
}

#[tokio::test]
async fn a_close_frame_ends_the_stream_and_any_other_end_is_its_last_item() {
    let (ours, theirs) = duplex(256);
    let mut server = conn(Role::Server, ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    peer.send(0x81, b"text").await;
    peer.send(0x88, &4000u16.to_be_bytes()).await;
    assert_eq!(
        in_time(server.try_next()).await.unwrap(),
        Some(Message::text("text"))
    );
    assert_eq!(in_time(server.try_next()).await.unwrap(), None);
    let error = server.read_message().await.unwrap_err();
    assert!(error.is_close(&[CloseCode(4000)]));

    let (ours, theirs) = duplex(256);
    let mut server = conn(Role::Server, ours);
    drop(theirs);
    assert!(matches!(
        in_time(server.next()).await,
        Some(Err(Error::Closed(_)))
    ));
    assert!(in_time(server.next()).await.is_none());
}

#[tokio::test]
async fn a_sink_is_ready_below_the_high_water_mark_only() {
    let (ours, theirs) = duplex(64);
    let config = Config::default().high_water_bytes(1000);
    let mut server = Conn::from_parts(ours, Parts::new(Role::Server, config));
    for _ in 0..3 {
        server.feed(Message::binary(vec![1; 500])).await.unwrap();
    }
    let mut fourth = Box::pin(server.feed(Message::text("fourth")));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(fourth.as_mut().poll(&mut cx).is_pending());
    let reading = tokio::spawn(async move {
        let mut peer = RawPeer::new(theirs, Role::Client);
        for _ in 0..3 {
            assert_eq!(peer.next_frame().await.unwrap().1, vec![1; 500]);
        }
        peer.next_frame().await.unwrap().1
    });
    in_time(fourth).await.unwrap();
    in_time(SinkExt::flush(&mut server)).await.unwrap();
    assert_eq!(in_time(reading).await.unwrap(), b"fourth");
}
