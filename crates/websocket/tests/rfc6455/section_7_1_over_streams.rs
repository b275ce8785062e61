//! Closing the stream below (RFC 6455, sections 7.1.1 and 7.1.7), and what may be sent before the handshake is over (4.1).

use suda_websocket::{CloseCode, Config, Conn, Dialer, Parts, Role, Upgrader};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use crate::pair::*;

fn conn(role: Role, stream: DuplexStream) -> Conn<DuplexStream> {
    Conn::from_parts(stream, Parts::new(role, Config::default()))
}

#[tokio::test]
async fn a_server_ends_the_stream_once_both_close_frames_were_sent() {
    let (ours, mut client) = duplex(1024);
    let mut server = conn(Role::Server, ours);
    let closing = tokio::spawn(async move { server.close(CloseCode::NORMAL, "").await });
    client
        .write_all(&frame_to(
            Role::Server,
            FIN | CLOSE,
            &close_payload(1000, b""),
        ))
        .await
        .unwrap();
    let mut all = Vec::new();
    client.read_to_end(&mut all).await.unwrap();
    assert_eq!(frames(&all).len(), 1);
    drop(client);
    closing.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_leaves_it_to_the_server_to_end_the_stream() {
    let (ours, mut server) = duplex(1024);
    let mut client = conn(Role::Client, ours);
    let closing = tokio::spawn(async move { client.close(CloseCode::NORMAL, "").await });
    let mut close = [0; 8];
    server.read_exact(&mut close).await.unwrap();
    server
        .write_all(&frame_to(
            Role::Client,
            FIN | CLOSE,
            &close_payload(1000, b""),
        ))
        .await
        .unwrap();
    // Were the client the first to end it, there would be an end to read.
    assert!(futures_util::FutureExt::now_or_never(server.read(&mut close)).is_none());
    tokio::task::yield_now().await;
    assert!(futures_util::FutureExt::now_or_never(server.read(&mut close)).is_none());
    drop(server);
    closing.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_failed_connection_says_why_and_ends() {
    for role in [Role::Client, Role::Server] {
        let (ours, mut peer) = duplex(1024);
        let mut failing = conn(role, ours);
        let failed = tokio::spawn(async move { failing.read_message().await.map(drop) });
        peer.write_all(&frame_to(role, FIN | 0x40 | TEXT, b""))
            .await
            .unwrap();
        failed.await.unwrap().unwrap_err();
        let mut close = [0; 2];
        peer.read_exact(&mut close).await.unwrap();
        assert_eq!(close[0], FIN | CLOSE);
        peer.shutdown().await.unwrap();
        peer.read_to_end(&mut Vec::new()).await.unwrap();
    }
}

#[tokio::test]
async fn a_client_sends_nothing_behind_its_request_until_it_is_answered() {
    let (ours, mut server) = duplex(4096);
    let dialing = tokio::spawn(async move {
        let (mut conn, _) = Dialer::new()
            .client(ours, "ws://chat.example/")
            .await
            .unwrap();
        conn.write_message("first").await.unwrap();
        conn.flush().await.unwrap();
        conn
    });
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(server.read_u8().await.unwrap());
    }
    tokio::task::yield_now().await;
    assert!(futures_util::FutureExt::now_or_never(server.read_u8()).is_none());
    drop(server);
    assert!(dialing.await.is_err(), "nobody answered");
}

#[tokio::test]
async fn a_server_sends_no_frame_before_its_answer() {
    let (ours, mut client) = duplex(4096);
    let serving = tokio::spawn(async move {
        let (mut conn, _) = Upgrader::new().upgrade(ours).await.unwrap();
        conn.write_message("first").await.unwrap();
        conn.flush().await.unwrap();
    });
    client
        .write_all(
            b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .await
        .unwrap();
    serving.await.unwrap();
    let mut all = Vec::new();
    client.read_to_end(&mut all).await.unwrap();
    assert!(all.starts_with(b"HTTP/1.1 101 "));
    assert!(all.ends_with(b"\r\n\r\n\x81\x05first"));
}
