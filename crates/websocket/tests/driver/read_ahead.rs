//! Messages that came together lie with their reader after the first. Whatever else is asked of it then finds them as if they still lay in
//! the connection.

use std::time::Duration;

use suda_websocket::{CloseCode, Config, Conn, Error, Message, Parts, Role, Violation};
use tokio::{
    io::{AsyncReadExt, DuplexStream, duplex},
    time::{Instant, sleep, timeout},
};

use crate::{cancelling::poll_once, in_time, server_and_peer, support::RawPeer, support::frame};

/// A server that has read the first of `messages`, which came with one read, and its client.
async fn after_the_first(
    config: Config,
    messages: &[&str],
) -> (Conn<DuplexStream>, RawPeer<DuplexStream>) {
    let (mut server, mut peer) = server_and_peer(config);
    let frames: Vec<u8> = (messages.iter())
        .flat_map(|text| frame(Role::Client, 0x81, text.as_bytes()))
        .collect();
    peer.send_raw(&frames).await;
    expect(&mut server, messages[0]).await;
    (server, peer)
}

async fn expect(server: &mut Conn<DuplexStream>, text: &str) {
    let read = in_time(server.read_message()).await.unwrap();
    assert_eq!(read, Message::text(text));
}

#[tokio::test]
async fn a_reader_of_parts_goes_on_where_messages_ended() {
    let (mut server, _peer) = after_the_first(Config::default(), &["one", "two", "three"]).await;
    let mut two = String::new();
    in_time(server.next_reader())
        .await
        .unwrap()
        .read_to_string(&mut two)
        .await
        .unwrap();
    assert_eq!(two, "two");
    expect(&mut server, "three").await;
}

#[tokio::test]
async fn joined_messages_go_on_where_messages_ended() {
    let (mut server, mut peer) = after_the_first(Config::default(), &["one", "two"]).await;
    peer.send(0x88, &1000u16.to_be_bytes()).await;
    let mut rest = String::new();
    in_time(server.join_messages("\n").read_to_string(&mut rest))
        .await
        .unwrap();
    assert_eq!(rest, "two\n");
}

#[tokio::test]
async fn a_read_limit_is_for_the_next_frame() {
    let (mut server, _peer) = after_the_first(Config::default(), &["one", "two", "longer"]).await;
    server.set_read_limit(3);
    expect(&mut server, "two").await;
    let read = in_time(server.read_message()).await;
    assert!(
        matches!(read, Err(Error::Protocol(Violation::TooLong))),
        "{read:?}"
    );

    let config = Config::default().read_limit(3);
    let (mut server, _peer) = after_the_first(config, &["one", "longer", "two"]).await;
    server.set_read_limit(6);
    expect(&mut server, "longer").await;
    expect(&mut server, "two").await;
}

#[tokio::test(start_paused = true)]
async fn past_the_read_deadline_a_read_fails_whatever_is_there() {
    let (mut server, _peer) = after_the_first(Config::default(), &["one", "two", "three"]).await;
    server.set_read_deadline(Some(Instant::now() + Duration::from_secs(1)));
    expect(&mut server, "two").await;
    sleep(Duration::from_secs(2)).await;
    let read = server.read_message().await;
    assert!(matches!(read, Err(Error::TimedOut)), "{read:?}");
    server.set_read_deadline(None);
    expect(&mut server, "three").await;
}

#[tokio::test]
async fn closing_drops_what_was_not_read() {
    let (mut server, mut peer) = after_the_first(Config::default(), &["one", "two"]).await;
    peer.send(0x88, &4002u16.to_be_bytes()).await;
    let ending = tokio::spawn(async move { while peer.next_frame().await.is_some() {} });
    let outcome = in_time(server.close(CloseCode::NORMAL, "")).await;
    in_time(ending).await.unwrap();
    let told = format!("{outcome:?}");
    assert!(told.contains("4002"), "{told}");
}

#[tokio::test]
async fn what_is_no_whole_message_waits_its_turn() {
    let (mut server, mut peer) = server_and_peer(Config::default());
    let frames = [
        frame(Role::Client, 0x81, b"one"),
        frame(Role::Client, 0x89, b"?"),
        frame(Role::Client, 0x81, b"two"),
        frame(Role::Client, 0x01, b"th"),
        frame(Role::Client, 0x89, b"!"),
        frame(Role::Client, 0x80, b"ree"),
        frame(Role::Client, 0x81, b"four"),
        frame(Role::Client, 0x81, b"\xff"),
    ]
    .concat();
    peer.send_raw(&frames).await;
    for text in ["one", "two", "three", "four"] {
        expect(&mut server, text).await;
        server.write_message(text).await.unwrap();
    }
    let read = in_time(server.read_message()).await;
    assert!(
        matches!(read, Err(Error::Protocol(Violation::InvalidUtf8))),
        "{read:?}"
    );
    in_time(server.flush()).await.unwrap();
    let mut answers = Vec::new();
    while let Some((first, payload)) = in_time(peer.next_frame()).await {
        answers.push((first, payload));
        if first == 0x88 {
            break;
        }
    }
    let pongs: Vec<_> = answers.iter().filter(|(first, _)| *first == 0x8a).collect();
    assert_eq!(pongs, [&(0x8a, b"?".to_vec()), &(0x8a, b"!".to_vec())]);
    let texts: Vec<_> = answers.iter().filter(|(first, _)| *first == 0x81).collect();
    assert_eq!(texts.len(), 4);
    assert_eq!(
        answers.last(),
        Some(&(0x88, 1007u16.to_be_bytes().to_vec()))
    );
}

#[tokio::test(start_paused = true)]
async fn what_the_heart_reads_meanwhile_comes_after_what_lay_there() {
    const EVERY: Duration = Duration::from_secs(10);
    let beating = Config::default().heartbeat(EVERY, 2 * EVERY);
    let (mut server, mut peer) = server_and_peer(beating);
    let four = frame(Role::Client, 0x81, b"four");
    let frames = [
        &frame(Role::Client, 0x81, b"one")[..],
        &frame(Role::Client, 0x81, b"two"),
        &frame(Role::Client, 0x81, b"three"),
        &four[..2],
    ];
    // A reader that waits is left to read for itself; one that was woken is not waited for.
    assert!(poll_once(server.read_message()).is_none());
    peer.send_raw(&frames.concat()).await;
    expect(&mut server, "one").await;
    expect(&mut server, "two").await;
    // Nobody reads, so the heart does, once it has heard nothing new for a while.
    peer.send_raw(&four[2..]).await;
    sleep(2 * EVERY + EVERY / 2).await;
    expect(&mut server, "three").await;
    expect(&mut server, "four").await;
    assert!(timeout(EVERY / 4, server.read_message()).await.is_err());
}

#[tokio::test]
async fn what_came_with_the_handshake_comes_first() {
    let (ours, theirs) = duplex(1 << 10);
    let mut parts = Parts::new(Role::Server, Config::default());
    let two = frame(Role::Client, 0x81, b"two");
    parts
        .read_buf
        .extend_from_slice(&frame(Role::Client, 0x81, b"one"));
    parts.read_buf.extend_from_slice(&two[..4]);
    let mut server = Conn::from_parts(ours, parts);
    let mut peer = RawPeer::new(theirs, Role::Client);
    peer.send_raw(&two[4..]).await;
    peer.send(0x81, b"three").await;
    for text in ["one", "two", "three"] {
        expect(&mut server, text).await;
    }
}

#[tokio::test]
async fn what_looks_like_a_message_inside_another_is_none() {
    let (mut server, mut peer) = server_and_peer(Config::default());
    // As masked, the second half of the payload is a frame of its own.
    let inner = frame(Role::Client, 0x81, b"inner");
    let outer = frame(
        Role::Client,
        0x82,
        &[&[7; 8][..], &unmasked(&inner)].concat(),
    );
    let (begun, rest) = outer.split_at(outer.len() - inner.len());
    assert_eq!(rest, inner);
    peer.send_raw(begun).await;
    assert!(poll_once(server.read_message()).is_none());
    peer.send_raw(rest).await;
    let read = in_time(server.read_message()).await.unwrap();
    assert_eq!(read.len(), 8 + inner.len());

    peer.send(0x01, b"begun").await;
    assert!(poll_once(server.read_message()).is_none());
    peer.send(0x81, b"another").await;
    let read = in_time(server.read_message()).await;
    assert!(
        matches!(read, Err(Error::Protocol(Violation::ExpectedContinuation))),
        "{read:?}"
    );
}

/// What a client's payload at an offset that is a multiple of four must be to come out as `bytes` on the wire.
fn unmasked(bytes: &[u8]) -> Vec<u8> {
    let key = &frame(Role::Client, 0x82, b"")[2..];
    bytes
        .iter()
        .zip(key.iter().cycle())
        .map(|(byte, key)| byte ^ key)
        .collect()
}
