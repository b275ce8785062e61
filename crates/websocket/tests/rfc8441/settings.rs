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
