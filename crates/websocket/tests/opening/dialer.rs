//! The dialer against real sockets, real TLS and servers that misbehave.

use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use suda_websocket::handshake::{
    AnswerFault, ClientHandshake, ClientOptions, ExtendedConnect, Target, TargetError, accept_key,
};
use suda_websocket::{
    CookieJar as _, DIAL_TIMEOUT_DEFAULT, DialError, Dialer, MemoryCookieJar, Message, Upgrader,
    tls,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::servers::{Way, echo, serve};

/// A certificate for `name` that signs itself, as a server uses it and as a client trusts it.
pub(crate) fn self_signed(name: &str) -> (TlsAcceptor, Arc<rustls::ClientConfig>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    (
        TlsAcceptor::from(Arc::new(server)),
        tls::client_config(roots).unwrap(),
    )
}

/// An echo server inside TLS; gives its port.
pub(crate) async fn serve_tls(acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(tcp).await else {
                    return;
                };
                if let Ok((conn, _)) = Upgrader::new().upgrade(stream).await {
                    echo(conn).await;
                }
            });
        }
    });
    port
}

/// Reads a request head and gives its key.
async fn read_key(server: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(server.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    head.lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_plain_connection_opens_and_carries_messages() {
    let address = serve(Way::Raw, Upgrader::new().subprotocols(["a"])).await;
    let dialer = Dialer::new().subprotocols(["b", "a"]);
    let (mut conn, response) = dialer.dial(&format!("ws://{address}/")).await.unwrap();
    assert_eq!(response.status(), 101);
    assert_eq!(conn.subprotocol(), Some("a"));
    conn.write_message(Message::text("안녕")).await.unwrap();
    assert_eq!(conn.read_message().await.unwrap(), Message::text("안녕"));
}

#[tokio::test]
async fn a_tls_connection_opens_and_carries_messages() {
    for name in ["localhost", "127.0.0.1"] {
        let (acceptor, config) = self_signed(name);
        let port = serve_tls(acceptor).await;
        let (mut conn, _) = Dialer::new()
            .tls(config)
            .dial(&format!("wss://{name}:{port}/"))
            .await
            .unwrap();
        // Longer than a TLS record.
        let long = Message::binary(vec![7; 100_000]);
        conn.write_message(long.clone()).await.unwrap();
        assert_eq!(conn.read_message().await.unwrap(), long);
    }
}

#[tokio::test]
async fn a_server_that_reads_until_the_close_ends_tls_with_a_word() {
    let (acceptor, config) = self_signed("localhost");
    let port = serve_tls(acceptor).await;
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut peer = TlsConnector::from(config)
        .connect("localhost".try_into().unwrap(), tcp)
        .await
        .unwrap();
    let head = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    peer.write_all(head.as_bytes()).await.unwrap();
    peer.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8])
        .await
        .unwrap();
    let mut answer = Vec::new();
    // Without close_notify this is an UnexpectedEof.
    peer.read_to_end(&mut answer).await.unwrap();
    assert!(answer.ends_with(&[0x88, 2, 0x03, 0xe8]));
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_or_for_another_name_fails() {
    let (acceptor, _) = self_signed("localhost");
    let (_, other_root) = self_signed("localhost");
    let port = serve_tls(acceptor).await;
    let error = Dialer::new()
        .tls(other_root)
        .dial(&format!("wss://localhost:{port}/"))
        .await
        .unwrap_err();
    assert!(matches!(error, DialError::Tls { .. }), "{error}");

    let (acceptor, config) = self_signed("elsewhere.example");
    let port = serve_tls(acceptor).await;
    let error = Dialer::new()
        .tls(config)
        .dial(&format!("wss://localhost:{port}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, DialError::Tls { ref host, .. } if host == "localhost"),
        "{error}"
    );
}

#[tokio::test]
async fn tls_towards_a_server_that_does_not_speak_it_fails() {
    let address = serve(Way::Raw, Upgrader::new()).await;
    let (_, config) = self_signed("localhost");
    let error = Dialer::new()
        .tls(config)
        .dial(&format!("wss://{address}/"))
        .await
        .unwrap_err();
    assert!(matches!(error, DialError::Tls { .. }), "{error}");
}

#[tokio::test]
async fn a_bad_url_is_told_before_anything_is_sent() {
    for (url, expected) in [
        ("chat.example", TargetError::Malformed),
        ("https://chat.example/", TargetError::Scheme),
        ("ws://chat.example/#top", TargetError::Fragment),
        ("ws://me:secret@chat.example/", TargetError::UserInfo),
        ("ws://chat.example:99999/", TargetError::Port),
    ] {
        let error = Dialer::new().dial(url).await.unwrap_err();
        assert!(
            matches!(error, DialError::Url(told) if told == expected),
            "{url}: {error}"
        );
    }
}

#[tokio::test]
async fn options_that_cannot_be_sent_are_told_before_anything_is_sent() {
    let key = (
        HeaderName::from_static("sec-websocket-key"),
        HeaderValue::from_static("x"),
    );
    for dialer in [
        Dialer::new().header(key.0, key.1),
        Dialer::new().subprotocols(["a", "a"]),
    ] {
        let error = dialer.dial("ws://127.0.0.1:1/").await.unwrap_err();
        assert!(matches!(error, DialError::Request(_)), "{error}");
    }
}

#[tokio::test]
async fn a_host_without_address_is_told() {
    // A label of 64 letters cannot exist in DNS, so no resolver is asked.
    let host = "a".repeat(64);
    let error = Dialer::new()
        .dial(&format!("ws://{host}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, DialError::Resolve { host: ref told, .. } if *told == host),
        "{error}"
    );
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_told() {
    let address = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = Dialer::new()
        .dial(&format!("ws://{address}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, DialError::Connect { address: told, .. } if told == address),
        "{error}"
    );
}

#[tokio::test]
async fn a_refused_handshake_holds_status_headers_and_body() {
    let address = serve(Way::Axum, Upgrader::new()).await;
    let origin = HeaderValue::from_static("https://evil.example");
    let dialer = Dialer::new().header(http::header::ORIGIN, origin);
    let error = dialer
        .dial(&format!("ws://{address}/chat"))
        .await
        .unwrap_err();
    let DialError::Handshake(refused) = error else {
        panic!("{error}")
    };
    let response = refused.response.unwrap();
    assert_eq!(
        (refused.fault, response.status().as_u16()),
        (AnswerFault::Refused, 403)
    );
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; charset=utf-8"
    );
    assert_eq!(
        response.body(),
        "this origin may not open a WebSocket here\n"
    );
}

#[tokio::test]
async fn a_given_stream_needs_no_network() {
    let (client, server) = duplex(4096);
    let server = tokio::spawn(async move {
        let (conn, request) = Upgrader::new().upgrade(server).await.unwrap();
        tokio::spawn(echo(conn));
        request
    });
    let (mut conn, _) = Dialer::new()
        .client(client, "ws://chat.example/room")
        .await
        .unwrap();
    let request = server.await.unwrap();
    assert_eq!(
        (&request.headers()["host"], request.uri().path()),
        (&HeaderValue::from_static("chat.example"), "/room")
    );
    conn.write_message(Message::text("hi")).await.unwrap();
    assert_eq!(conn.read_message().await.unwrap(), Message::text("hi"));
}

#[tokio::test]
async fn a_frame_in_the_same_packet_as_the_answer_is_read() {
    let (client, mut server) = duplex(4096);
    tokio::spawn(async move {
        let accept = accept_key(&read_key(&mut server).await);
        let head = format!(
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        server
            .write_all(&[head.as_bytes(), b"\x81\x02hi"].concat())
            .await
            .unwrap();
        server
    });
    let (mut conn, _) = Dialer::new().client(client, "ws://a/").await.unwrap();
    assert_eq!(conn.read_message().await.unwrap(), Message::text("hi"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    let (client, _server) = duplex(4096);
    let dialer = Dialer::new().handshake_timeout(Duration::from_secs(7));
    let error = dialer.client(client, "ws://a/").await.unwrap_err();
    assert!(
        matches!(error, DialError::Timeout(after) if after.as_secs() == 7),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refusal_whose_body_never_ends_is_a_refusal_still_and_soon() {
    let begun = Instant::now();
    let (client, mut server) = duplex(4096);
    server
        .write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\nlater")
        .await
        .unwrap();
    let error = Dialer::new().client(client, "ws://a/").await.unwrap_err();
    let DialError::Handshake(refused) = error else {
        panic!("{error}")
    };
    let response = refused.response.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.body().as_ref()),
        (503, &b"later"[..])
    );
    // In simulated time: the dialler's own time is not waited for.
    assert!(begun.elapsed() < DIAL_TIMEOUT_DEFAULT);
}

#[test]
fn what_may_be_credentials_is_not_shown_for_debugging() {
    let value = HeaderValue::from_static("Bearer secret");
    let dialer = Dialer::new().header(HeaderName::from_static("authorization"), value.clone());
    let shown = format!("{dialer:?}");
    assert!(
        shown.contains("authorization") && !shown.contains("secret"),
        "{shown}"
    );

    let mut options = ClientOptions::default();
    options.headers.insert("authorization", value);
    let target: Target = "wss://a.example/".parse().unwrap();
    let one = ClientHandshake::new(&target, &options).unwrap();
    let two = ExtendedConnect::new(&target, &options).unwrap();
    let shown = format!("{options:?} {one:?} {two:?}");
    assert!(!shown.contains("secret"), "{shown}");

    let jar = MemoryCookieJar::new();
    let cookie = HeaderValue::from_static("session=secret");
    jar.set_cookies(&target, &mut std::iter::once(&cookie));
    assert!(jar.cookies(&target).is_some());
    let shown = format!("{jar:?}");
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn a_server_that_closes_instead_of_answering_is_told() {
    let (client, mut server) = duplex(4096);
    tokio::spawn(async move { read_key(&mut server).await });
    let error = Dialer::new().client(client, "ws://a/").await.unwrap_err();
    assert!(
        matches!(error, DialError::Handshake(ref e) if e.fault == AnswerFault::Truncated),
        "{error}"
    );
}

#[tokio::test]
async fn the_limits_of_an_answers_head_can_be_set() {
    let answer = "HTTP/1.1 503 No\r\nX: y\r\nContent-Length: 0\r\n\r\n";
    let exact = || {
        Dialer::new()
            .head_bytes_max(answer.len())
            .header_lines_max(2)
    };
    for (dialer, fault) in [
        (exact(), AnswerFault::Refused),
        (
            exact().head_bytes_max(answer.len() - 1),
            AnswerFault::HeadTooLarge,
        ),
        (exact().header_lines_max(1), AnswerFault::TooManyHeaders),
    ] {
        let (client, mut server) = duplex(4096);
        server.write_all(answer.as_bytes()).await.unwrap();
        let error = dialer.client(client, "ws://a/").await.unwrap_err();
        assert!(
            matches!(error, DialError::Handshake(ref e) if e.fault == fault),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_timeout_beyond_all_clocks_is_none() {
    let (client, server) = duplex(4096);
    let upgrader = Upgrader::new().handshake_timeout(Duration::MAX);
    let serving = tokio::spawn(async move { upgrader.upgrade(server).await.unwrap() });
    let dialer = Dialer::new().handshake_timeout(Duration::MAX);
    let (mut conn, _) = dialer.client(client, "ws://a/").await.unwrap();
    conn.write_message("hi").await.unwrap();
    conn.flush().await.unwrap();
    let (mut served, _) = serving.await.unwrap();
    assert_eq!(served.read_message().await.unwrap(), Message::text("hi"));
}
