//! The upgrader over in-memory streams, where time is the test's own.

use std::time::Duration;

use suda_websocket::handshake::{OriginPolicy, REQUEST_HEAD_BYTES_MAX, Refusal};
use suda_websocket::{UpgradeError, Upgrader};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

const REQUEST: &[u8] =
    b"GET /chat?x=1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    Origin: https://app.example\r\nCookie: a=b\r\n\r\n";

fn upgrader() -> Upgrader {
    Upgrader::new()
        .allowed_origins(["https://app.example"])
        .handshake_timeout(Duration::from_secs(3))
}

/// All that the server sends until it closes.
async fn answer(mut client: tokio::io::DuplexStream) -> String {
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn the_request_head_comes_with_the_connection() {
    let (mut client, server) = duplex(4096);
    client.write_all(REQUEST).await.unwrap();
    let (_conn, request) = upgrader().upgrade(server).await.unwrap();
    assert_eq!(
        (request.uri.path(), request.uri.query()),
        ("/chat", Some("x=1"))
    );
    assert_eq!(request.headers["cookie"], "a=b");
}

#[tokio::test(start_paused = true)]
async fn check_origin_takes_the_place_of_the_list() {
    let (mut client, server) = duplex(4096);
    client.write_all(REQUEST).await.unwrap();
    let error = upgrader()
        .check_origin(|request| request.uri.path() == "/")
        .upgrade(server)
        .await
        .unwrap_err();
    assert!(
        matches!(error, UpgradeError::Refused(Refusal::Origin)),
        "{error}"
    );
    assert!(format!("{:?}", OriginPolicy::default()).contains("SameHost"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_nothing_is_told_408_in_time() {
    let (client, server) = duplex(4096);
    let (upgraded, answer) =
        tokio::join!(async { upgrader().upgrade(server).await }, answer(client));
    assert!(matches!(
        upgraded.unwrap_err(),
        UpgradeError::Refused(Refusal::Timeout)
    ));
    assert!(
        answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
        "{answer}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_drips_its_request_has_no_more_time_than_others() {
    let (client, server) = duplex(4096);
    let (mut read, mut write) = tokio::io::split(client);
    let drip = tokio::spawn(async move {
        for byte in REQUEST {
            if write.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let read_all = async {
        let mut answer = Vec::new();
        read.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let (upgraded, answer) = tokio::join!(async { upgrader().upgrade(server).await }, read_all);
    drip.await.unwrap();
    assert!(matches!(
        upgraded.unwrap_err(),
        UpgradeError::Refused(Refusal::Timeout)
    ));
    assert!(answer.starts_with(b"HTTP/1.1 408 "));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_take_the_answer_is_given_up() {
    // The pipe holds one byte in each direction, and nobody reads the answer.
    let (mut client, server) = duplex(1);
    let (_, upgraded) = tokio::join!(client.write_all(REQUEST), async {
        upgrader().upgrade(server).await
    });
    assert!(matches!(upgraded.unwrap_err(), UpgradeError::Timeout));
}

#[tokio::test]
async fn a_client_that_leaves_early_is_no_refusal() {
    for bytes in [&b""[..], &REQUEST[..REQUEST.len() - 1]] {
        let (mut client, server) = duplex(4096);
        client.write_all(bytes).await.unwrap();
        drop(client);
        assert!(matches!(
            upgrader().upgrade(server).await.unwrap_err(),
            UpgradeError::Closed
        ));
    }
}

#[tokio::test]
async fn an_endless_head_is_refused_at_the_limit() {
    let (client, server) = duplex(1024);
    let (mut read, mut write) = tokio::io::split(client);
    let flood = async {
        let mut sent = 0;
        while write.write_all(&[b'a'; 512]).await.is_ok() && sent < 8 * REQUEST_HEAD_BYTES_MAX {
            sent += 512;
        }
        sent
    };
    let read_all = async {
        let mut answer = Vec::new();
        let _ = read.read_to_end(&mut answer).await;
        answer
    };
    let (upgraded, sent, answer) =
        tokio::join!(async { upgrader().upgrade(server).await }, flood, read_all);
    assert!(matches!(
        upgraded.unwrap_err(),
        UpgradeError::Refused(Refusal::HeadTooLarge)
    ));
    assert!(
        answer.starts_with(b"HTTP/1.1 431 "),
        "{}",
        answer.escape_ascii()
    );
    assert!(
        sent < 8 * REQUEST_HEAD_BYTES_MAX,
        "it read on for {sent} bytes"
    );
}
