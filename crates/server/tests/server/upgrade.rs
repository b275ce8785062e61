//! The door: what a handshake is refused for, and what a broken frame leads to.

use crate::support::{Chat, Running, request};
use std::time::Duration;
use suda_protocol::Codec;
use suda_protocol::v1;
use suda_protocol::v1::{command, reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const KEY: (&str, &str) = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");

async fn handshake(running: &Running, method: &str, version: &str, more: &[(&str, &str)]) -> u16 {
    let mut headers = vec![
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", version),
        KEY,
    ];
    headers.extend(more);
    // `request` says "Connection: close"; a second line adds what an upgrade needs.
    headers.push(("Connection", "Upgrade"));
    request(running.server.local_addr(), method, "/ws", &headers, "")
        .await
        .status
}

#[tokio::test]
async fn only_a_proper_handshake_from_our_own_pages_is_taken() {
    let running =
        Running::with(|config| config.public_url = Some("https://chat.example.org".into())).await;
    let host = running.server.local_addr();
    let own = format!("http://{host}");
    assert_eq!(handshake(&running, "POST", "13", &[]).await, 405);
    assert_eq!(handshake(&running, "GET", "8", &[]).await, 426);
    assert_eq!(
        handshake(&running, "GET", "13", &[("Origin", "https://evil.example")]).await,
        403
    );
    assert_eq!(
        handshake(&running, "GET", "13", &[("Origin", "null")]).await,
        403
    );
    for origin in [own.as_str(), "https://chat.example.org"] {
        assert_eq!(
            upgraded(&running, &[("Origin", origin)]).await.1,
            101,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn there_are_no_more_places_than_configured() {
    let running = Running::with(|config| config.limits.connections_max = 1).await;
    let first = Chat::dial(running.server.local_addr(), Codec::Json).await;
    assert_eq!(handshake(&running, "GET", "13", &[]).await, 503);
    drop(first);
}

/// A raw socket after its handshake, and the status.
async fn upgraded(running: &Running, more: &[(&str, &str)]) -> (TcpStream, u16) {
    let to = running.server.local_addr();
    let mut stream = TcpStream::connect(to).await.unwrap();
    let mut head = format!(
        "GET /ws HTTP/1.1\r\nHost: {to}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n{}: {}\r\n",
        KEY.0, KEY.1
    );
    for (name, value) in more {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream
        .write_all(format!("{head}\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (stream, status)
}

/// The code of the close frame that the server sends.
async fn close_code(mut stream: TcpStream) -> u16 {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    assert_eq!(bytes.first(), Some(&0x88), "a close frame in {bytes:?}");
    u16::from_be_bytes([bytes[2], bytes[3]])
}

#[tokio::test]
async fn broken_frames_end_their_own_connection_with_the_right_code() {
    let running = Running::new().await;
    let mut other = running.chat(Codec::Json, &running.set_up().await).await;
    // An unmasked text frame.
    let (mut stream, _) = upgraded(&running, &[]).await;
    stream.write_all(&[0x81, 2, b'{', b'}']).await.unwrap();
    assert_eq!(close_code(stream).await, 1002);
    // A masked text frame (mask 0) that is not UTF-8, and only the first of its message.
    let (mut stream, _) = upgraded(&running, &[]).await;
    stream
        .write_all(&[0x01, 0x81, 0, 0, 0, 0, 0xff])
        .await
        .unwrap();
    assert_eq!(close_code(stream).await, 1007);
    // The head of a frame that is longer than a command may be.
    let (mut stream, _) = upgraded(&running, &[]).await;
    stream
        .write_all(&[0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
        .await
        .unwrap();
    assert_eq!(close_code(stream).await, 1009);
    other.post("lobby", "여기는 괜찮아요").await;
}

#[tokio::test]
async fn the_token_may_come_with_the_handshake_and_json_needs_no_subprotocol() {
    let running = Running::new().await;
    let authorization = format!("Bearer {}", running.set_up().await);
    let (mut stream, status) = upgraded(&running, &[("Authorization", &authorization)]).await;
    assert_eq!(status, 101);
    let command = br#"{"id":1,"connect":{}}"#;
    let mut frame = vec![0x81, 0x80 | command.len() as u8, 0, 0, 0, 0];
    frame.extend(command);
    stream.write_all(&frame).await.unwrap();
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!((head[0], head[1]), (0x81, 126));
    let mut payload = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]]))];
    stream.read_exact(&mut payload).await.unwrap();
    let answer = Codec::Json.decode_server_message(&payload).unwrap();
    let Some(v1::server_message::Kind::Reply(reply)) = answer.kind else {
        panic!("no reply");
    };
    assert!(
        matches!(reply.result, Some(reply::Result::Hello(hello)) if hello.user.as_ref().unwrap().name == "하늘")
    );
}

#[tokio::test]
async fn sixteen_commands_at_once_are_answered_in_order() {
    let running = Running::new().await;
    let mut chat = running.chat(Codec::Proto, &running.set_up().await).await;
    let mut ids = Vec::new();
    for _ in 0..16 {
        ids.push(chat.send(command::Request::Ping(v1::Ping {})).await);
    }
    for id in ids {
        assert!(matches!(chat.reply(id).await, reply::Result::Pong(_)));
    }
}

#[tokio::test]
async fn whoever_sends_no_request_in_time_is_dropped() {
    let running = Running::with(|config| {
        config.limits.header_timeout = Duration::from_millis(100);
    })
    .await;
    let to = running.server.local_addr();
    let mut silent = TcpStream::connect(to).await.unwrap();
    let mut idle = TcpStream::connect(to).await.unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {to}\r\n\r\n");
    idle.write_all(request.as_bytes()).await.unwrap();
    for stream in [&mut silent, &mut idle] {
        let mut bytes = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut bytes));
        // Ended in order or by a reset: either way nothing holds it any more.
        let _ = end.await.expect("the server ends it");
    }
}
