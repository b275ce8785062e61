//! A dropped read loses nothing; a dropped write was taken whole, or not at all.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use suda_websocket::{
    CloseCode, CloseOutcome, Config, Conn, Message, MessageKind, MessageWriter, Parts,
    PreparedMessage, Role,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use crate::{
    conn, hears_last_words_and_closes, in_time,
    support::{RawPeer, frame, given_up_after},
};

/// Polls once and drops.
pub(crate) fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
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

/// A pipe that passes a few bytes at a time, so that every call waits often.
const NARROW_BYTES: usize = 5;
/// More often than any call here waits.
const PENDINGS_MAX: usize = 300;

fn narrow() -> (Conn<DuplexStream>, RawPeer<DuplexStream>) {
    let (ours, theirs) = duplex(NARROW_BYTES);
    let config = Config::default().high_water_bytes(1);
    (
        Conn::from_parts(ours, Parts::new(Role::Server, config)),
        RawPeer::new(theirs, Role::Client),
    )
}

/// Runs with calls that are dropped after they have waited never, once, twice and so on, until it says that none had to wait any more.
async fn at_every_await_point(mut run: impl AsyncFnMut(usize) -> bool) {
    for pendings in 0..PENDINGS_MAX {
        if run(pendings).await {
            return;
        }
    }
    panic!("it never finished");
}

async fn reads_two_messages(mut peer: RawPeer<DuplexStream>) -> RawPeer<DuplexStream> {
    assert_eq!(peer.next_frame().await.unwrap().1, b"first message");
    assert_eq!(peer.next_frame().await.unwrap().1, b"second");
    peer
}

#[tokio::test]
async fn a_close_dropped_at_every_await_point_goes_on_where_it_was() {
    at_every_await_point(async |pendings| {
        let (mut server, peer) = narrow();
        let peer = tokio::spawn(hears_last_words_and_closes(peer));
        server.write_message("last words").await.unwrap();
        let first = given_up_after(pendings, server.close(CloseCode(4001), "bye")).await;
        let finished = first.is_some();
        let outcome = match first {
            Some(outcome) => outcome,
            None => in_time(server.close(CloseCode(4001), "bye")).await,
        };
        let CloseOutcome::Clean(close) = outcome.unwrap() else {
            panic!("after {pendings}")
        };
        assert_eq!(close.code, CloseCode(4002));
        in_time(peer).await.unwrap();
        finished
    })
    .await;
}

#[tokio::test]
async fn a_flush_dropped_at_every_await_point_loses_and_doubles_nothing() {
    at_every_await_point(async |pendings| {
        let (mut server, peer) = narrow();
        let peer = tokio::spawn(reads_two_messages(peer));
        server.write_message("first message").await.unwrap();
        let finished = given_up_after(pendings, server.flush()).await.is_some();
        let drained = given_up_after(pendings, server.write_message("second")).await;
        if drained.is_none() {
            in_time(server.write_message("second")).await.unwrap();
        }
        drop(in_time(peer).await.unwrap());
        finished
    })
    .await;
}

#[tokio::test]
async fn a_wait_for_room_dropped_at_every_await_point_loses_and_doubles_nothing() {
    at_every_await_point(async |pendings| {
        let (server, peer) = narrow();
        let (_reader, mut writer, _control) = server.split();
        let peer = tokio::spawn(reads_two_messages(peer));
        writer.write_message("first message").await.unwrap();
        let finished = given_up_after(pendings, writer.drained(0)).await.is_some();
        in_time(writer.drained(0)).await.unwrap();
        assert_eq!(writer.buffered(), 0);
        in_time(writer.write_message("second")).await.unwrap();
        drop(in_time(peer).await.unwrap());
        finished
    })
    .await;
}

#[tokio::test]
async fn a_drain_dropped_at_every_await_point_takes_the_reader_alone() {
    for pendings in 0..40 {
        let (server, peer) = narrow();
        let (reader, mut writer, _control) = server.split();
        let (mut theirs, mut sending) = tokio::io::split(peer.stream);
        let sent = frame(Role::Client, 0x82, &[7; 100]);
        let sending = tokio::spawn(async move {
            // Until nobody reads any more.
            while sending.write_all(&sent).await.is_ok() {}
        });
        let drained = given_up_after(pendings, reader.drain()).await;
        assert!(drained.is_none(), "the peer has not closed");
        in_time(writer.write_message("still here")).await.unwrap();
        let mut arrived = [0; 12];
        in_time(theirs.read_exact(&mut arrived)).await.unwrap();
        assert_eq!(arrived[2..], *b"still here");
        sending.abort();
    }
}

#[tokio::test]
async fn reads_of_every_kind_dropped_at_every_await_point_lose_nothing() {
    at_every_await_point(async |pendings| {
        let (mut server, mut peer) = narrow();
        let peer = tokio::spawn(async move {
            for payload in [&b"[1,2]"[..], b"the second message", b"joined"] {
                peer.send(0x81, payload).await;
            }
            peer.send(0x88, &1000u16.to_be_bytes()).await;
            peer
        });
        let mut waited = false;

        let value = given_up_after(pendings, server.read_json::<Vec<u8>>()).await;
        waited |= value.is_none();
        let value = match value {
            Some(value) => value,
            None => in_time(server.read_json()).await,
        };
        assert_eq!(value.unwrap(), [1, 2]);

        // A dropped call gives nothing out; a reader that was given out and is dropped skips its message.
        if given_up_after(pendings, server.next_reader())
            .await
            .is_some_and(|reader| reader.is_ok())
        {
            assert_eq!(rest(server.join_messages("|")).await, "joined|");
        } else {
            waited = true;
            let mut message = in_time(server.next_reader()).await.unwrap();
            let mut text = String::new();
            let mut piece = [0; 4];
            loop {
                // Each read is dropped at its await points, too.
                let read = given_up_after(pendings, message.read(&mut piece)).await;
                match read {
                    Some(Ok(0)) => break,
                    Some(read) => text.push_str(str::from_utf8(&piece[..read.unwrap()]).unwrap()),
                    None => tokio::task::yield_now().await,
                }
            }
            assert_eq!(text, "the second message");
            assert_eq!(rest(server.join_messages("|")).await, "joined|");
        }
        drop(in_time(peer).await.unwrap());
        !waited
    })
    .await;
}

async fn rest(mut joined: impl tokio::io::AsyncRead + Unpin) -> String {
    let mut text = String::new();
    in_time(joined.read_to_string(&mut text)).await.unwrap();
    text
}

#[tokio::test]
async fn writes_of_every_kind_dropped_at_every_await_point_were_taken_whole_or_not_at_all() {
    at_every_await_point(async |pendings| {
        let (mut server, mut peer) = narrow();
        let peer = tokio::spawn(async move {
            let mut arrived = Vec::new();
            while let Some((first, payload)) = peer.next_frame().await {
                assert_eq!(first, 0x81);
                arrived.push(String::from_utf8(payload).unwrap());
            }
            arrived
        });
        let prepared = PreparedMessage::text("prepared message");
        let mut taken = Vec::new();
        let mut waited = false;
        for _ in 0..2 {
            let done = [
                given_up_after(pendings, server.write_message("plain message")).await,
                given_up_after(pendings, server.write_prepared(&prepared)).await,
                given_up_after(pendings, server.write_json("json message")).await,
            ];
            for (text, done) in ["plain message", "prepared message", "\"json message\""]
                .into_iter()
                .zip(done)
            {
                match done {
                    Some(done) => {
                        done.unwrap();
                        taken.push(text);
                    }
                    None => waited = true,
                }
            }
        }
        in_time(server.flush()).await.unwrap();
        drop(server);
        assert_eq!(in_time(peer).await.unwrap(), taken);
        !waited
    })
    .await;
}

#[tokio::test]
async fn a_message_in_pieces_dropped_at_every_await_point_arrives_whole_or_closes_with_1011() {
    at_every_await_point(async |pendings| {
        let (mut server, mut peer) = narrow();
        let peer = tokio::spawn(async move {
            let mut text = Vec::new();
            loop {
                let (first, payload) = peer.next_frame().await.unwrap();
                if first == 0x88 {
                    return (payload[..2].to_vec(), None);
                }
                text.extend(payload);
                if first & 0x80 != 0 {
                    return (Vec::new(), Some(text));
                }
            }
        });
        let mut message = server.next_writer(MessageKind::Text).unwrap();
        for piece in ["one piece,", "and another"] {
            // A write that was dropped took nothing, so it is simply made again.
            while given_up_after(pendings, message.write_all(piece.as_bytes()))
                .await
                .is_none()
            {
                tokio::task::yield_now().await;
            }
            while given_up_after(pendings, message.flush()).await.is_none() {
                tokio::task::yield_now().await;
            }
        }
        server_side_waits(&mut message).await;
        let finished = given_up_after(pendings, message.finish()).await.is_some();
        let (close, text) = in_time(peer).await.unwrap();
        if finished {
            assert_eq!(text.unwrap(), b"one piece,and another, and the end");
        } else {
            assert_eq!(close, 1011u16.to_be_bytes());
        }
        finished
    })
    .await;
}

/// Leaves so much in the queue that finishing has to wait.
async fn server_side_waits(message: &mut MessageWriter<'_, DuplexStream>) {
    message.write_all(b", and").await.unwrap();
    let flushed = given_up_after(0, message.flush()).await;
    assert!(flushed.is_none(), "the pipe takes less at once");
    message.write_all(b" the end").await.unwrap();
}
