//! Section 3: SETTINGS_ENABLE_CONNECT_PROTOCOL.

use std::time::Duration;

use suda_websocket::http2::Http2Error;
use suda_websocket::{DialError, Dialer, Upgrader};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use crate::peers::{WAYS, connect, echo_server, plain_client, plain_server_with};

#[tokio::test]
async fn section_3_a_server_offers_extended_connect() {
    for way in WAYS {
        let address = echo_server(way, Upgrader::new()).await;
        // It asserts that the setting came.
        plain_client(address).await;
        connect(&Dialer::new(), address).await;
    }
}

#[tokio::test]
async fn section_3_a_client_asks_for_nothing_where_the_setting_is_missing() {
    let without = h2::server::Builder::new();
    let address =
        plain_server_with(without, async |request, _| panic!("asked for {request:?}")).await;
    let error = Dialer::new()
        .http2(&format!("ws://{address}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, DialError::Http2(Http2Error::NotOffered)),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn section_3_a_client_waits_for_the_settings_and_not_for_ever() {
    let (client, mut server) = duplex(4096);
    let silent = tokio::spawn(async move {
        let mut said = Vec::new();
        server.read_to_end(&mut said).await.unwrap();
        said
    });
    let dialer = Dialer::new().handshake_timeout(Duration::from_secs(7));
    let error = dialer.http2_client(client, "ws://a/").await.unwrap_err();
    assert!(
        matches!(error, DialError::Timeout(after) if after.as_secs() == 7),
        "{error}"
    );
    // Preface and SETTINGS, a ping; no HEADERS. And the connection was given up.
    let said = silent.await.unwrap();
    let mut frames = said
        .strip_prefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .unwrap();
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = frames {
        const HEADERS: u8 = 1;
        assert_ne!(*kind, HEADERS);
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        frames = &rest[length..];
    }
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_told_at_once() {
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", "", "SSH-2.0-x\r\n"] {
        let (client, mut server) = duplex(4096);
        server.write_all(answer.as_bytes()).await.unwrap();
        server.shutdown().await.unwrap();
        let error = Dialer::new()
            .http2_client(client, "ws://a/")
            .await
            .unwrap_err();
        assert!(
            matches!(error, DialError::Http2(Http2Error::Failed(_))),
            "{answer}: {error}"
        );
    }
}

/// A SETTINGS frame with this value of SETTINGS_ENABLE_CONNECT_PROTOCOL, then the acknowledgement of ours and the answer to a first PING
/// (with `h2`'s payload, which it looks for).
async fn server_with_setting(mut server: tokio::io::DuplexStream, value: u8) {
    let frame = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, value];
    server.write_all(&frame).await.unwrap();
    let mut said = vec![0; 24];
    server.read_exact(&mut said).await.unwrap();
    let mut head = [0; 9];
    while server.read_exact(&mut head).await.is_ok() {
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        server.read_exact(&mut payload).await.unwrap();
        const PING: u8 = 6;
        const ACK: u8 = 1;
        if (head[3], head[4]) == (PING, 0) {
            head[4] = ACK;
            let _ = server.write_all(&[&head[..], &payload].concat()).await;
        }
    }
}

#[tokio::test]
async fn section_3_the_value_must_be_0_or_1() {
    for (value, opens) in [(1, true), (0, false), (2, false), (255, false)] {
        let (client, server) = duplex(4096);
        tokio::spawn(server_with_setting(server, value));
        let started = Dialer::new().http2_client(client, "ws://a/").await;
        match started {
            Ok(_) => assert!(opens, "{value}"),
            Err(DialError::Http2(Http2Error::NotOffered)) => assert_eq!(value, 0),
            Err(DialError::Http2(Http2Error::Failed(_))) => assert!(value > 1, "{value}"),
            Err(error) => panic!("{value}: {error}"),
        }
    }
}
