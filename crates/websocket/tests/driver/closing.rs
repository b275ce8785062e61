//! The close handshake over streams.

use std::time::Duration;

use suda_websocket::{
    CloseCode, CloseOutcome, Config, Conn, Error, Message, MessageKind, Parts, Role, SendError,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use crate::{
    PIPE_BYTES, conn, hears_last_words_and_closes, in_time, server_and_peer, support::RawPeer,
};

#[tokio::test]
async fn the_reader_closes_a_split_connection_in_one_call() {
    let (server, peer) = server_and_peer(Config::default());
    let (mut reader, mut writer, _control) = server.split();
    let peer = tokio::spawn(hears_last_words_and_closes(peer));
    writer.write_message("last words").await.unwrap();
    let outcome = in_time(reader.close(CloseCode(4001), "bye")).await.unwrap();
    assert!(matches!(outcome, CloseOutcome::Clean(close) if close.code == CloseCode(4002)));
    assert!(writer.write_message("too late").await.is_err());
    in_time(peer).await.unwrap();
}

#[tokio::test]
async fn close_is_one_call_from_either_side() {
    for closer in [Role::Client, Role::Server] {
        let (ours, theirs) = duplex(PIPE_BYTES);
        let mut closing = conn(closer, ours);
        let mut other = conn(
            if closer == Role::Client {
                Role::Server
            } else {
                Role::Client
            },
            theirs,
        );
        let answering = tokio::spawn(async move {
            // What is under way when the other side closes is dropped there.
            other.write_message("under way").await.unwrap();
            assert_eq!(
                other.read_message().await.unwrap(),
                Message::text("last words")
            );
            let Err(Error::Closed(close)) = other.read_message().await else {
                panic!("not closed")
            };
            assert_eq!((close.code, &*close.reason), (CloseCode(4001), "안녕"));
            assert!(matches!(
                other.write_message("x").await,
                Err(Error::Closed(_))
            ));
        });
        closing.write_message("last words").await.unwrap();
        let outcome = in_time(closing.close(CloseCode(4001), "안녕"))
            .await
            .unwrap();
        let CloseOutcome::Clean(close) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(close.code, CloseCode(4001));
        in_time(answering).await.unwrap();
    }
}

#[tokio::test]
async fn a_peer_that_never_answers_is_given_up() {
    let config = Config::default().close_timeout(Duration::from_millis(1));
    let (mut server, _peer) = server_and_peer(config);
    assert_eq!(
        in_time(server.close(CloseCode::NORMAL, "")).await.unwrap(),
        CloseOutcome::TimedOut
    );
}

#[tokio::test]
async fn a_peer_that_is_gone_is_lost() {
    let (mut server, peer) = server_and_peer(Config::default());
    drop(peer);
    assert_eq!(
        in_time(server.close(CloseCode::NORMAL, "")).await.unwrap(),
        CloseOutcome::Lost
    );
}

#[tokio::test]
async fn a_stream_that_ends_without_a_close_frame_is_1006() {
    let (mut server, peer) = server_and_peer(Config::default());
    drop(peer);
    let Err(Error::Closed(close)) = in_time(server.read_message()).await else {
        panic!("not closed")
    };
    assert_eq!(close.code, CloseCode::ABNORMAL_CLOSURE);
}

#[tokio::test]
async fn a_code_that_must_not_be_sent_is_refused_and_nothing_happens() {
    let (mut server, mut peer) = server_and_peer(Config::default());
    let refused = server.close(CloseCode::ABNORMAL_CLOSURE, "").await;
    assert!(matches!(refused, Err(Error::Send(SendError::BadCloseCode))));
    server.write_message("still open").await.unwrap();
    assert_eq!(in_time(peer.next_frame()).await.unwrap().1, b"still open");
}

#[tokio::test]
async fn control_pings_and_closes_while_a_long_write_waits() {
    let config = Config::default().frame_bytes_max(1000).high_water_bytes(1);
    let (server, mut peer) = server_and_peer(config);
    let (_reader, mut writer, control) = server.split();
    let writing = tokio::spawn(async move {
        writer.write_message(vec![1; 300_000]).await.unwrap();
        // Waits for the one before it.
        let second = writer.write_message("too late").await;
        assert!(
            matches!(second, Err(Error::Send(SendError::Closing))),
            "{second:?}"
        );
    });
    // The long write has begun: its first bytes are here.
    let first = in_time(peer.next_frame()).await.unwrap();
    assert_eq!(first.0, 0x02);
    std::thread::spawn(move || {
        control.ping(b"alive?").unwrap();
        control.close(CloseCode::GOING_AWAY, "").unwrap();
    })
    .join()
    .unwrap();
    let (mut before_ping, mut data) = (None, first.1.len());
    loop {
        match in_time(peer.next_frame()).await.unwrap() {
            (0x89, payload) => {
                assert_eq!(payload, b"alive?");
                before_ping = Some(data);
            }
            (0x88, payload) => {
                assert_eq!(payload, 1001u16.to_be_bytes());
                break;
            }
            (_, payload) => data += payload.len(),
        }
    }
    assert_eq!(data, 300_000, "a message that was taken is sent whole");
    assert!(
        before_ping.unwrap() < 100_000,
        "the ping waited for {before_ping:?} bytes"
    );
    in_time(writing).await.unwrap();
}

#[tokio::test]
async fn an_unfinished_message_is_not_passed_off_as_whole() {
    let (mut server, mut peer) = server_and_peer(Config::default());
    let mut message = server.next_writer(MessageKind::Binary).unwrap();
    message.write_all(b"half").await.unwrap();
    drop(message);
    let (first, payload) = in_time(peer.next_frame()).await.unwrap();
    assert_eq!((first, &payload[..2]), (0x88, &1011u16.to_be_bytes()[..]));
}

#[tokio::test(start_paused = true)]
async fn an_abort_ends_a_close_that_waits() {
    // For the peer's answer, and after it for the end of the stream.
    for answers in [false, true] {
        let (ours, theirs) = duplex(PIPE_BYTES);
        let config = Config::default().close_timeout(Duration::MAX);
        let mut client = Conn::from_parts(ours, Parts::new(Role::Client, config));
        let control = client.control();
        let closing = tokio::spawn(async move { client.close(CloseCode::NORMAL, "").await });
        let mut peer = RawPeer::new(theirs, Role::Server);
        assert_eq!(in_time(peer.next_frame()).await.unwrap().0, 0x88);
        if answers {
            peer.send(0x88, &1000u16.to_be_bytes()).await;
        }
        // Time stands still while any task can go on.
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(!closing.is_finished());
        control.abort();
        let outcome = in_time(closing).await.unwrap().unwrap();
        assert_eq!(matches!(outcome, CloseOutcome::Clean(_)), answers);
        assert_eq!(outcome == CloseOutcome::Lost, !answers);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closed_and_takes_nothing_holds_no_writer() {
    let (server, mut peer) = server_and_peer(Config::default());
    let (mut reader, mut writer, _control) = server.split();
    writer
        .write_message(Message::binary(vec![0; 50_000]))
        .await
        .unwrap();
    peer.send_raw(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).await;
    assert!(matches!(
        in_time(reader.read_message()).await,
        Err(Error::Closed(_))
    ));
    for _ in 0..2 {
        assert!(matches!(
            in_time(writer.drained(10)).await,
            Err(Error::Closed(_))
        ));
        assert!(matches!(
            in_time(writer.flush()).await,
            Err(Error::Closed(_))
        ));
    }
    assert!(writer.buffered() > 10);
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_waits_when_the_peer_closes_does_not_wait_for_ever() {
    let (server, mut peer) = server_and_peer(Config::default());
    let (mut reader, mut writer, _control) = server.split();
    writer
        .write_message(Message::binary(vec![0; 50_000]))
        .await
        .unwrap();
    let waiting = tokio::spawn(async move { writer.flush().await });
    tokio::task::yield_now().await;
    peer.send_raw(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).await;
    assert!(in_time(reader.read_message()).await.is_err());
    assert!(matches!(
        in_time(waiting).await.unwrap(),
        Err(Error::Closed(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_close_that_times_out_ends_the_stream_whoever_else_holds_the_connection() {
    let (mut server, mut peer) = server_and_peer(Config::default());
    let control = server.control();
    assert_eq!(
        server.close(CloseCode::NORMAL, "").await.unwrap(),
        CloseOutcome::TimedOut
    );
    let mut sent = Vec::new();
    in_time(peer.stream.read_to_end(&mut sent)).await.unwrap();
    assert_eq!(sent, [0x88, 2, 0x03, 0xe8]);
    assert!(control.ping(b"").is_err());
}
