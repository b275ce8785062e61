//! A dropped read loses nothing; a dropped write was taken whole, or not at all.

use std::{
    pin::pin,
    task::{Context, Waker},
};

use suda_websocket::{Config, Conn, Message, Parts, Role};
use tokio::io::{AsyncReadExt, duplex};

use crate::{conn, in_time, support::RawPeer, support::frame};

/// Polls once and drops.
fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn reads_dropped_at_every_byte_lose_nothing() {
    let (ours, theirs) = duplex(1 << 16);
    let mut server = conn(Role::Server, ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    let bytes = [
        frame(Role::Client, 0x81, "수다".as_bytes()),
        frame(Role::Client, 0x89, b"ping"),
        frame(Role::Client, 0x02, &[1; 200]),
        frame(Role::Client, 0x80, &[2; 3000]),
    ]
    .concat();
    let mut messages = Vec::new();
    for byte in bytes {
        peer.send_raw(&[byte]).await;
        while let Some(read) = poll_once(server.read_message()) {
            messages.push(read.unwrap());
        }
    }
    assert_eq!(
        messages,
        [
            Message::text("수다"),
            Message::binary([vec![1; 200], vec![2; 3000]].concat())
        ]
    );
}

#[tokio::test]
async fn reads_that_lose_a_select_lose_nothing() {
    let (ours, theirs) = duplex(256);
    let mut server = conn(Role::Server, ours);
    let client = tokio::spawn(async move {
        let mut client = conn(Role::Client, theirs);
        for number in 0..500u32 {
            client
                .write_message(number.to_be_bytes().repeat(20))
                .await
                .unwrap();
            tokio::task::yield_now().await;
        }
        client.flush().await.unwrap();
        client
    });
    let mut expected = 0u32;
    while expected < 500 {
        tokio::select! {
            biased;
            () = tokio::task::yield_now() => {}
            message = server.read_message() => {
                assert_eq!(message.unwrap(), Message::binary(expected.to_be_bytes().repeat(20)));
                expected += 1;
            }
        }
    }
    in_time(client).await.unwrap();
}

#[tokio::test]
async fn a_next_reader_that_is_dropped_before_it_is_ready_loses_nothing() {
    let (ours, theirs) = duplex(1 << 16);
    let mut server = conn(Role::Server, ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    for byte in &frame(Role::Client, 0x82, b"whole")[..5] {
        peer.send_raw(&[*byte]).await;
        assert!(poll_once(server.next_reader()).is_none());
    }
    peer.send_raw(&frame(Role::Client, 0x82, b"whole")[5..])
        .await;
    let mut bytes = Vec::new();
    in_time(server.next_reader())
        .await
        .unwrap()
        .read_to_end(&mut bytes)
        .await
        .unwrap();
    assert_eq!(bytes, b"whole");
}

#[tokio::test]
async fn a_dropped_write_was_taken_whole_or_not_at_all() {
    let (ours, theirs) = duplex(100);
    let config = Config::default().high_water_bytes(2000);
    let mut server = Conn::from_parts(ours, Parts::new(Role::Server, config));
    let mut taken = Vec::new();
    for number in 0..50u8 {
        // Each is polled once; above the mark it is not ready and is given up.
        if poll_once(server.write_message(vec![number; 300])).is_some() {
            taken.push(number);
        }
        if number % 10 == 9 {
            tokio::task::yield_now().await;
        }
    }
    assert!(
        !taken.is_empty() && taken.len() < 50,
        "some are taken, some are not: {}",
        taken.len()
    );
    let reading = tokio::spawn(async move {
        let mut peer = RawPeer::new(theirs, Role::Client);
        let mut arrived = Vec::new();
        while let Some((first, payload)) = peer.next_frame().await {
            assert_eq!((first, payload.len()), (0x82, 300));
            arrived.push(payload[0]);
        }
        arrived
    });
    in_time(server.flush()).await.unwrap();
    drop(server);
    assert_eq!(in_time(reading).await.unwrap(), taken);
}
