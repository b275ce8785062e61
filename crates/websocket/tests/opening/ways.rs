//! One table of good and bad handshakes, through real sockets, over every way in: the raw stream, hyper and axum.

use crate::servers::{WAYS, Way, ask, serve};
use suda_websocket::Upgrader;
use suda_websocket::handshake::Refusal;
use tokio::io::AsyncReadExt as _;

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const REST: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13";

/// What is wrong, the request's first line and its lines after `Host`, the status, and a line of the answer.
const REFUSED: &[(&str, &str, &[&str], u16, &str)] = &[
    (
        "another origin",
        "GET /chat HTTP/1.1",
        &[KEY, REST, "Origin: https://evil.example"],
        403,
        "",
    ),
    (
        "a sandboxed page",
        "GET /chat HTTP/1.1",
        &[KEY, REST, "Origin: null"],
        403,
        "",
    ),
    (
        "version 8",
        "GET /chat HTTP/1.1",
        &[
            KEY,
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8",
        ],
        426,
        "sec-websocket-version: 13",
    ),
    (
        "POST",
        "POST /chat HTTP/1.1",
        &[KEY, REST, "Content-Length: 0"],
        405,
        "allow: get",
    ),
    (
        "a short key",
        "GET /chat HTTP/1.1",
        &["Sec-WebSocket-Key: c2hvcnQ=", REST],
        400,
        "",
    ),
    ("no key", "GET /chat HTTP/1.1", &[REST], 400, ""),
    ("two keys", "GET /chat HTTP/1.1", &[KEY, KEY, REST], 400, ""),
    (
        "no websocket token",
        "GET /chat HTTP/1.1",
        &[
            KEY,
            "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13",
        ],
        400,
        "",
    ),
    (
        "no upgrade token",
        "GET /chat HTTP/1.1",
        &[
            KEY,
            "Upgrade: websocket\r\nConnection: keep-alive\r\nSec-WebSocket-Version: 13",
        ],
        400,
        "",
    ),
    (
        "an ordinary request",
        "GET /chat HTTP/1.1",
        &["Accept: text/html"],
        400,
        "",
    ),
    ("HTTP/1.0", "GET /chat HTTP/1.0", &[KEY, REST], 400, ""),
    (
        "a body",
        "GET /chat HTTP/1.1",
        &[KEY, REST, "Content-Length: 1\r\nX: y"],
        400,
        "",
    ),
    (
        "a subprotocol that is no token",
        "GET /chat HTTP/1.1",
        &[KEY, REST, "Sec-WebSocket-Protocol: a b"],
        400,
        "",
    ),
    (
        "a second host",
        "GET /chat HTTP/1.1",
        &[KEY, REST, "Host: evil.example"],
        400,
        "",
    ),
];

fn request(first_line: &str, host: &str, lines: &[&str]) -> String {
    format!(
        "{first_line}\r\nHost: {host}\r\n{}\r\n\r\n",
        lines.join("\r\n")
    )
}

#[tokio::test]
async fn each_bad_request_gets_its_status_on_every_way_in() {
    for way in WAYS {
        let address = serve(way, Upgrader::new()).await;
        for (what, first_line, lines, status, line) in REFUSED {
            let (head, _) = ask(
                address,
                request(first_line, &address.to_string(), lines).as_bytes(),
            )
            .await;
            let wanted = [format!("HTTP/1.1 {status} "), format!("HTTP/1.0 {status} ")];
            assert!(
                wanted.iter().any(|start| head.starts_with(start)),
                "{what} over {way:?}: {head}"
            );
            assert!(
                head.to_ascii_lowercase().contains(line),
                "{what} over {way:?}: {head}"
            );
        }
    }
}

#[tokio::test]
async fn a_good_request_is_accepted_and_early_frames_are_answered_on_every_way_in() {
    for way in WAYS {
        let address = serve(way, Upgrader::new().subprotocols(["a", "b"])).await;
        let origin = format!("Origin: http://{address}");
        let request = request(
            "GET /chat HTTP/1.1",
            &address.to_string(),
            &[KEY, REST, &origin, "Sec-WebSocket-Protocol: c, b, a"],
        );
        // A text frame, masked with zeros, in the same packet as the request.
        let bytes = [request.as_bytes(), b"\x81\x82\0\0\0\0hi"].concat();
        let (head, mut stream) = ask(address, &bytes).await;
        assert!(
            head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
            "{way:?}: {head}"
        );
        let lower = head.to_ascii_lowercase();
        assert!(
            head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            "{way:?}: {head}"
        );
        assert!(
            lower.contains("\r\nupgrade: websocket\r\n")
                && lower.contains("\r\nconnection: upgrade\r\n"),
            "{head}"
        );
        assert!(
            lower.contains("\r\nsec-websocket-protocol: a\r\n"),
            "{way:?}: {head}"
        );
        let mut echoed = [0; 4];
        stream.read_exact(&mut echoed).await.unwrap();
        assert_eq!(&echoed, b"\x81\x02hi", "{way:?}");
    }
}

#[tokio::test]
async fn a_refused_raw_client_gets_the_whole_answer_though_it_goes_on_sending() {
    let address = serve(Way::Raw, Upgrader::new()).await;
    let request = request(
        "POST /chat HTTP/1.1",
        &address.to_string(),
        &["Content-Length: 40000"],
    ) + &"x".repeat(40_000);
    let (head, mut stream) = ask(address, request.as_bytes()).await;
    assert!(
        head.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"),
        "{head}"
    );
    let mut body = String::new();
    stream.read_to_string(&mut body).await.unwrap();
    assert_eq!(body, "a WebSocket is opened with GET\n");
}

#[tokio::test]
async fn a_refusal_keeps_an_http_connection_open_for_the_next_request() {
    for way in [Way::Hyper, Way::Axum] {
        let address = serve(way, Upgrader::new()).await;
        let host = address.to_string();
        let bad = request("GET /chat HTTP/1.1", &host, &["Accept: text/html"]);
        let good = request("GET /chat HTTP/1.1", &host, &[KEY, REST]);
        let (head, mut stream) = ask(address, (bad + &good).as_bytes()).await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{way:?}: {head}");
        let mut rest = Vec::new();
        while !rest.ends_with(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") {
            rest.push(stream.read_u8().await.unwrap());
        }
    }
}

#[tokio::test]
async fn a_request_that_nothing_can_upgrade_is_500() {
    let request = http::Request::get("/chat")
        .header("host", "a")
        .header("upgrade", "websocket")
        .header("connection", "upgrade")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let (mut head, ()) = request.body(()).unwrap().into_parts();
    let refusal = Upgrader::new().upgrade_parts(&mut head).unwrap_err();
    assert_eq!(
        (refusal, refusal.status().as_u16()),
        (Refusal::NotUpgradable, 500)
    );
}
