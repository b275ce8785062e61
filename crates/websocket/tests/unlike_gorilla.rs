//! What behaves otherwise than in gorilla/websocket and is no rule of a protocol: rows of `docs/coming-from-gorilla.md`.
#![allow(clippy::unwrap_used)]

#[path = "support/mod.rs"]
mod support;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use suda_websocket::{
    CONTROL_FRAMES_MAX, CloseCode, Config, Conn, Dialer, Error, PENDING_PONGS_MAX, Parts, Role,
    SendError, Stream,
};
use support::RawPeer;
use tokio::io::{AsyncReadExt as _, duplex};
use tokio::net::TcpListener;

/// Long enough for any machine: a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it never came")
}

fn server<S: Stream>(stream: S) -> Conn<S> {
    Conn::from_parts(stream, Parts::new(Role::Server, Config::default()))
}

#[tokio::test]
async fn a_failed_read_fails_alike_however_often_it_is_repeated() {
    let (ours, theirs) = duplex(64);
    let mut conn = server(ours);
    drop(theirs);
    for _ in 0..2000 {
        let error = conn.read_message().await.unwrap_err();
        assert!(error.is_close(&[CloseCode::ABNORMAL_CLOSURE]), "{error}");
    }
}

#[tokio::test]
async fn a_dial_that_is_dropped_closes_its_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let dialler = Dialer::new();
    let mut dialling = Box::pin(dialler.dial(&url));
    // It gets as far as waiting for an answer.
    let mut accepted = tokio::select! {
        _ = &mut dialling => panic!("nobody has answered"),
        accepted = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream
        } => accepted,
    };
    drop(dialling);
    assert_eq!(in_time(accepted.read(&mut [0; 1])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_write_returns_when_its_message_is_queued_and_a_flush_when_the_stream_has_it() {
    let (ours, theirs) = duplex(64);
    let (_reader, mut writer, _control) = server(ours).split();
    {
        // One poll, in which nobody else runs.
        let mut write = pin!(writer.write_message("queued"));
        let polled = write.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Ok(()))));
    }
    assert_eq!(writer.buffered(), 2 + "queued".len());
    in_time(writer.flush()).await.unwrap();
    assert_eq!(writer.buffered(), 0);
    let mut peer = RawPeer::new(theirs, Role::Client);
    let frame = in_time(peer.next_frame()).await;
    assert_eq!(frame.unwrap().1, b"queued");
}

#[tokio::test]
async fn a_stream_that_failed_is_told_by_the_calls_after_the_write() {
    let (ours, theirs) = duplex(64);
    let mut conn = server(ours);
    drop(theirs);
    conn.write_message("lost").await.unwrap();
    let error = in_time(conn.flush()).await.unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error}");
    let error = conn.write_message("too late").await.unwrap_err();
    assert!(matches!(error, Error::Io(_)), "{error}");
}

#[tokio::test]
async fn a_ping_that_finds_too_many_waiting_fails_at_once() {
    // Room for nothing: the peer takes no byte.
    let (ours, _theirs) = duplex(1);
    let mut conn = server(ours);
    let failed = (0..=CONTROL_FRAMES_MAX + PENDING_PONGS_MAX)
        .find_map(|_| conn.ping(b"are you there?").err());
    assert!(matches!(
        failed,
        Some(Error::Send(SendError::ControlQueueFull))
    ));
}

#[tokio::test]
async fn a_handler_ends_the_connection_by_a_control() {
    let (ours, theirs) = duplex(1 << 10);
    let mut conn = server(ours);
    let control = conn.control();
    conn.set_ping_handler(move |_| {
        let _ = control.close(CloseCode::POLICY_VIOLATION, "no pings");
    });
    let reading = tokio::spawn(async move { conn.read_message().await.unwrap_err() });
    let mut peer = RawPeer::new(theirs, Role::Client);
    peer.send(0x89, b"").await;
    assert_eq!(in_time(peer.next_frame()).await.unwrap().0, 0x8a);
    let (first, close) = in_time(peer.next_frame()).await.unwrap();
    assert_eq!((first, &close[..2]), (0x88, &1008u16.to_be_bytes()[..]));
    peer.send(0x88, &close[..2]).await;
    let error = in_time(reading).await.unwrap();
    assert!(error.is_close(&[CloseCode::POLICY_VIOLATION]), "{error}");
}
