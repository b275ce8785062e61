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
        (request.uri().path(), request.uri().query()),
        ("/chat", Some("x=1"))
    );
    assert_eq!(request.headers()["cookie"], "a=b");
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

/// On a socket and a clock as they are: the wait is watched before it has a timer.
#[tokio::test]
async fn a_client_on_a_socket_that_sends_nothing_or_too_little_is_told_408() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let upgrader = upgrader().handshake_timeout(Duration::from_millis(1100));
    for sent in [&b""[..], b"GET / HT"] {
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        client.write_all(sent).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        let mut answer = String::new();
        let (upgraded, _) = tokio::join!(
            async { upgrader.upgrade(server).await },
            client.read_to_string(&mut answer)
        );
        assert!(matches!(
            upgraded.unwrap_err(),
            UpgradeError::Refused(Refusal::Timeout)
        ));
        assert!(
            answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
            "{answer}"
        );
    }
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

/// What the client is answered with, and how the upgrade ended.
async fn ask(upgrader: &Upgrader, request: &[u8]) -> (String, Result<(), UpgradeError>) {
    let (mut client, server) = duplex(1 << 16);
    client.write_all(request).await.unwrap();
    let asking = async {
        let mut answer = vec![0; 4096];
        let length = client.read(&mut answer).await.unwrap();
        answer.truncate(length);
        drop(client);
        String::from_utf8(answer).unwrap()
    };
    let (upgraded, answer) = tokio::join!(upgrader.upgrade(server), asking);
    (answer, upgraded.map(drop))
}

#[tokio::test]
async fn a_refused_client_gets_the_answer_that_the_server_makes() {
    let upgrader = upgrader().on_refusal(|refusal, request| {
        let path = request.map_or("nowhere", |request| request.uri.path());
        let mut response = http::Response::new(format!("{path}: {refusal}").into());
        *response.status_mut() = http::StatusCode::IM_A_TEAPOT;
        let headers = response.headers_mut();
        headers.insert("x-reason", refusal.status().as_u16().into());
        // What would end the body elsewhere is ours to say.
        headers.insert("transfer-encoding", "chunked".parse().unwrap());
        headers.insert("content-length", 1.into());
        response
    });
    let bad_origin = String::from_utf8_lossy(REQUEST).replace("app.example", "evil.example");
    for (request, reason, body) in [
        (
            bad_origin.as_str(),
            Refusal::Origin,
            "/chat: this origin may not open a WebSocket here",
        ),
        (
            "GET /\n",
            Refusal::BareLf,
            "nowhere: a line of the request ends in LF without CR",
        ),
    ] {
        let (answer, upgraded) = ask(&upgrader, request.as_bytes()).await;
        assert!(
            matches!(upgraded, Err(UpgradeError::Refused(told)) if told == reason),
            "{answer}"
        );
        let status = reason.status().as_u16();
        assert_eq!(
            answer,
            format!(
                "HTTP/1.1 418 I'm a teapot\r\nx-reason: {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            )
        );
    }
}

#[tokio::test]
async fn an_answer_that_would_not_refuse_is_replaced() {
    for status in [101, 103, 200, 204] {
        let upgrader = upgrader().on_refusal(move |_, _| {
            let mut response = http::Response::default();
            *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
            response
        });
        let (answer, _) = ask(&upgrader, b"POST / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{status}: {answer}");
    }
}

#[tokio::test]
async fn a_client_that_comes_too_late_gets_the_answer_that_the_server_makes() {
    let upgrader = upgrader()
        .handshake_timeout(Duration::ZERO)
        .on_refusal(|refusal, request| {
            assert!(request.is_none());
            let mut response = http::Response::new("too slow".into());
            *response.status_mut() = refusal.status();
            response
        });
    let (answer, _) = ask(&upgrader, b"GET / HT").await;
    assert!(
        answer.starts_with("HTTP/1.1 408 ") && answer.ends_with("too slow"),
        "{answer}"
    );
}

#[tokio::test]
async fn headers_are_made_for_each_request_but_not_those_of_the_handshake() {
    let with = |name: &'static str| {
        upgrader().response_headers_for(move |request| {
            let mut headers = http::HeaderMap::new();
            headers.insert(name, request.headers["cookie"].clone());
            headers
        })
    };
    let (answer, upgraded) = ask(&with("set-cookie"), REQUEST).await;
    assert!(
        upgraded.is_ok() && answer.contains("\r\nset-cookie: a=b\r\n"),
        "{answer}"
    );
    let (answer, upgraded) = ask(&with("sec-websocket-accept"), REQUEST).await;
    assert!(
        matches!(
            upgraded,
            Err(UpgradeError::Refused(Refusal::ResponseHeaders))
        ),
        "{answer}"
    );
}

#[tokio::test]
async fn the_limits_of_a_head_can_be_set() {
    let with = |line: &str| {
        let text = String::from_utf8_lossy(REQUEST);
        text.replace("Cookie: a=b\r\n", line).into_bytes()
    };
    let fits = with("X: y\r\n");
    let exact = upgrader().head_bytes_max(fits.len()).header_lines_max(7);
    assert!(ask(&exact, &fits).await.1.is_ok());
    for (request, reason) in [
        (with("X: yy\r\n"), Refusal::HeadTooLarge),
        (with("X:\r\nY:\r\n"), Refusal::TooManyHeaders),
    ] {
        let (answer, upgraded) = ask(&exact, &request).await;
        assert!(
            matches!(upgraded, Err(UpgradeError::Refused(told)) if told == reason),
            "{answer}"
        );
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    // More than the defaults is possible, too.
    let many = "X: y\r\n".repeat(1000) + &format!("Y: {}\r\n", "z".repeat(20_000));
    let roomy = upgrader().head_bytes_max(1 << 16).header_lines_max(2000);
    assert!(ask(&roomy, &with(&many)).await.1.is_ok());
}
