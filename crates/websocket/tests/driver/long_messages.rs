//! Long messages, several of which come with one read, lie with their reader together, and are answered two with one call: whatever their
//! lengths, whatever comes between them, however little the stream takes, and whatever call is dropped, they come whole and in order.

use suda_websocket::{Conn, Error, Message, Role, Stream, Violation};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, join, sink, split};

use crate::{
    cancelling::poll_once,
    conn, in_time,
    support::{RawPeer, frame},
};

/// As long as the high-water mark, in bytes.
const LONG: usize = 64 << 10;

/// A message that no other one resembles.
fn payload(number: usize, bytes: usize) -> Vec<u8> {
    (0..bytes)
        .map(|at| (at * 7 + (at >> 8) + 31 * number) as u8)
        .collect()
}

/// Numbers that look like chance, below `bound`.
fn some(seed: &mut u64, bound: usize) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize % bound
}

/// Frames of a client, and the messages in them: mostly as long as each other, and now and then something else.
fn traffic(seed: u64) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut seed = seed;
    let usual = [LONG, 20_000, 66_000][some(&mut seed, 3)];
    let (mut bytes, mut messages) = (Vec::new(), Vec::new());
    for number in 0..40 {
        let len = match some(&mut seed, 8) {
            0 => some(&mut seed, 200_000),
            1 => some(&mut seed, 200),
            _ => usual,
        };
        let message = payload(number, len);
        match some(&mut seed, 10) {
            0 => {
                let (one, two) = message.split_at(len / 3);
                bytes.extend(frame(Role::Client, 0x02, one));
                bytes.extend(frame(Role::Client, 0x89, b"between"));
                bytes.extend(frame(Role::Client, 0x80, two));
            }
            _ => bytes.extend(frame(Role::Client, 0x82, &message)),
        }
        messages.push(message);
    }
    (bytes, messages)
}

/// What a client hears, pongs left out.
async fn hear(peer: &mut RawPeer<impl Stream>, expected: &[Vec<u8>]) {
    for (number, message) in expected.iter().enumerate() {
        let heard = loop {
            let (first, payload) = peer.next_frame().await.unwrap();
            if first != 0x8a {
                break payload;
            }
        };
        assert!(heard == *message, "message {number}");
    }
}

/// Sends `bytes` to a server that has `serve` answer, with pipes of all sizes.
async fn on_all_pipes<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(Conn<DuplexStream>) -> F,
) {
    for (seed, pipe_bytes) in [1000, 66_000, 70_000, 200_000, 1 << 20]
        .into_iter()
        .enumerate()
    {
        for seed in [seed as u64, 100 + seed as u64] {
            let (ours, theirs) = duplex(pipe_bytes);
            let serving = tokio::spawn(serve(conn(Role::Server, ours)));
            let (hears, mut says) = split(theirs);
            let (bytes, messages) = traffic(seed);
            let saying = tokio::spawn(async move {
                says.write_all(&bytes).await.unwrap();
                says
            });
            let mut peer = RawPeer::new(join(hears, sink()), Role::Client);
            in_time(hear(&mut peer, &messages)).await;
            drop(saying.await.unwrap());
            serving.abort();
        }
    }
}

#[tokio::test]
async fn an_echo_gives_back_every_byte_in_order() {
    on_all_pipes(|mut server| async move {
        while let Ok(message) = server.read_message().await {
            server.write_message(message).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn calls_that_are_dropped_and_other_ways_to_read_lose_nothing() {
    on_all_pipes(|mut server| async move {
        for number in 0.. {
            let message = match number % 4 {
                0 => {
                    let mut reader = server.next_reader().await.unwrap();
                    let mut bytes = Vec::new();
                    reader.read_to_end(&mut bytes).await.unwrap();
                    Message::binary(bytes)
                }
                _ => loop {
                    if let Some(read) = poll_once(server.read_message()) {
                        break read.unwrap();
                    }
                    server.set_read_limit(1 << 20);
                    tokio::task::yield_now().await;
                },
            };
            // A write that was dropped has queued all, or nothing.
            while poll_once(server.write_message(message.clone())).is_none() {
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_limit_forbids_is_refused_behind_long_messages_that_came_with_it() {
    let (ours, theirs) = duplex(1 << 20);
    let mut server = conn(Role::Server, ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    let mut frames = Vec::new();
    for number in 0..6 {
        frames.extend(frame(Role::Client, 0x82, &payload(number, LONG)));
    }
    frames.extend(frame(Role::Client, 0x82, &payload(6, LONG + 1)));
    server.set_read_limit(LONG);
    peer.send_raw(&frames).await;
    for number in 0..6 {
        let read = in_time(server.read_message()).await.unwrap();
        assert!(read == Message::binary(payload(number, LONG)));
    }
    let read = in_time(server.read_message()).await;
    assert!(
        matches!(read, Err(Error::Protocol(Violation::TooLong))),
        "{read:?}"
    );
}

#[tokio::test]
async fn a_wrong_byte_in_the_beginning_of_a_long_text_fails_before_its_rest_comes() {
    let (ours, theirs) = duplex(1 << 20);
    let mut server = conn(Role::Server, ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    let text = vec![b'a'; LONG];
    let mut wrong = text.clone();
    wrong[500] = 0xff;
    let mut frames = frame(Role::Client, 0x81, &text).repeat(2);
    frames.extend(&frame(Role::Client, 0x81, &wrong)[..700]);
    peer.send_raw(&frames).await;
    for _ in 0..2 {
        let read = in_time(server.read_message()).await.unwrap();
        assert!(read.as_bytes() == text);
    }
    let read = in_time(server.read_message()).await;
    assert!(
        matches!(read, Err(Error::Protocol(Violation::InvalidUtf8))),
        "{read:?}"
    );
}

#[tokio::test]
async fn of_two_answers_that_go_out_together_the_rest_follows() {
    // The first and a part of the second fit in.
    let (ours, theirs) = duplex(LONG + LONG / 2);
    let mut server = conn(Role::Server, ours);
    let messages = [payload(1, LONG), payload(2, LONG), payload(3, LONG)];
    for message in &messages[..2] {
        assert!(poll_once(server.write_message(message.clone())).is_some());
    }
    let mut peer = RawPeer::new(theirs, Role::Client);
    let heard = hear(&mut peer, &messages);
    let last = server.write_message(messages[2].clone());
    let ((), last) = in_time(async { tokio::join!(heard, last) }).await;
    last.unwrap();
}

#[tokio::test]
async fn of_a_long_write_that_waited_and_was_dropped_nothing_is_sent() {
    let (ours, theirs) = duplex(1000);
    let mut server = conn(Role::Server, ours);
    // More than the mark of it stays unsent.
    let messages = [payload(1, 2 * LONG), payload(2, LONG), payload(3, LONG)];
    assert!(poll_once(server.write_message(messages[0].clone())).is_some());
    for _ in 0..3 {
        assert!(poll_once(server.write_message(messages[1].clone())).is_none());
    }
    let mut peer = RawPeer::new(theirs, Role::Client);
    let expected = [messages[0].clone(), messages[2].clone()];
    let heard = hear(&mut peer, &expected);
    let last = server.write_message(messages[2].clone());
    let ((), last) = in_time(async { tokio::join!(heard, last) }).await;
    last.unwrap();
}

#[tokio::test]
async fn a_ping_goes_out_before_a_long_message_that_is_not_on_its_way() {
    let (ours, theirs) = duplex(1000);
    let mut server = conn(Role::Server, ours);
    let control = server.control();
    let messages = [payload(1, 2 * LONG), payload(2, LONG)];
    assert!(poll_once(server.write_message(messages[0].clone())).is_some());
    assert!(poll_once(server.write_message(messages[1].clone())).is_none());
    control.ping(b"now").unwrap();
    let mut peer = RawPeer::new(theirs, Role::Client);
    let told = async {
        let mut told = Vec::new();
        while told.len() < 3 {
            let (first, payload) = peer.next_frame().await.unwrap();
            told.push((first, payload.len()));
        }
        told
    };
    let last = server.write_message(messages[1].clone());
    let (told, last) = in_time(async { tokio::join!(told, last) }).await;
    last.unwrap();
    assert_eq!(told, [(0x82, 2 * LONG), (0x89, 3), (0x82, LONG)]);
}
