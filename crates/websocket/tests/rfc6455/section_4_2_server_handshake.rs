//! The server's opening handshake, sans I/O: each MUST of RFC 6455, section 4.2, and what hostile clients send.

use http::header::{HeaderName, HeaderValue};
use suda_websocket::handshake::{
    Accept, HEADERS_MAX, Judged, OriginPolicy, Policy, REQUEST_HEAD_BYTES_MAX, Refusal, Reject,
    ServerHandshake,
};

/// The request of RFC 6455, section 1.2, as header lines.
const GOOD: &[(&str, &str)] = &[
    ("Host", "server.example.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
];

/// The good request with lines of these names replaced, and those without value taken out.
fn request(changes: &[(&str, &str)]) -> String {
    request_with("GET /chat HTTP/1.1", changes)
}

fn request_with(first_line: &str, changes: &[(&str, &str)]) -> String {
    let changed = |name: &str| {
        changes
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
    };
    let kept = GOOD.iter().filter(|(name, _)| !changed(name));
    let added = changes.iter().filter(|(_, value)| !value.is_empty());
    let lines: String = kept
        .chain(added)
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("{first_line}\r\n{lines}\r\n")
}

fn judge_with(policy: Policy, bytes: &[u8]) -> Judged {
    ServerHandshake::new(policy).receive(bytes)
}

fn accept_with(policy: Policy, request: &str) -> Accept {
    match judge_with(policy, request.as_bytes()) {
        Judged::Accept(accept) => *accept,
        other => panic!("not accepted: {other:?}\n{request}"),
    }
}

fn accept(request: &str) -> Accept {
    accept_with(Policy::default(), request)
}

fn reject_with(policy: Policy, request: &[u8]) -> Reject {
    match judge_with(policy, request) {
        Judged::Reject(reject) => reject,
        other => panic!("not refused: {other:?}\n{}", request.escape_ascii()),
    }
}

fn reject(request: &str) -> Reject {
    reject_with(Policy::default(), request.as_bytes())
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[track_caller]
fn refused(request: &str, reason: Refusal, status: u16) {
    let reject = reject(request);
    assert_eq!(
        (reject.reason, reject.status.as_u16()),
        (reason, status),
        "{request}"
    );
    let answer = text(&reject.response);
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer}"
    );
    assert!(answer.contains("Connection: close\r\n"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains(&format!("Content-Length: {}", body.len())),
        "{answer}"
    );
}

#[test]
fn the_example_of_the_rfc_is_answered_with_its_accept_key() {
    let accept = accept(&request(&[]));
    let expected = "HTTP/1.1 101 Switching Protocols\r\n\
        Upgrade: websocket\r\n\
        Connection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        \r\n";
    assert_eq!(text(&accept.response), expected);
    assert_eq!(accept.request.uri().path(), "/chat");
    assert_eq!(accept.request.headers()["host"], "server.example.com");
    assert_eq!(accept.subprotocol, None);
    assert!(accept.leftover.is_empty());
}

#[test]
fn bytes_after_the_request_are_handed_over() {
    let Judged::Accept(accept) =
        judge_with(Policy::default(), (request(&[]) + "\u{1}frame").as_bytes())
    else {
        panic!("not accepted")
    };
    assert_eq!(&accept.leftover[..], b"\x01frame");
}

#[test]
fn token_lists_may_be_long_in_any_case_and_on_several_lines() {
    accept(&request(&[("Connection", "keep-alive , UPGRADE")]));
    accept(&request(&[("Upgrade", "h2c,WebSocket")]));
    accept(&request(&[
        ("connection", "keep-alive"),
        ("CONNECTION", "upgrade"),
    ]));
}

#[test]
fn a_method_other_than_get_is_405_and_told_what_is_allowed() {
    for method in ["POST", "PUT", "HEAD", "OPTIONS", "get", "CONNECT"] {
        refused(
            &request_with(&format!("{method} /chat HTTP/1.1"), &[]),
            Refusal::Method,
            405,
        );
    }
    let reject = reject(&request_with(
        "POST /chat HTTP/1.1",
        &[("Content-Length", "5")],
    ));
    assert!(text(&reject.response).contains("\r\nAllow: GET\r\n"));
}

#[test]
fn http_1_0_is_400() {
    refused(
        &request_with("GET /chat HTTP/1.0", &[]),
        Refusal::HttpVersion,
        400,
    );
}

#[test]
fn a_request_target_that_is_no_path_is_400() {
    refused(
        &request_with("GET * HTTP/1.1", &[]),
        Refusal::RequestTarget,
        400,
    );
    refused(
        &request_with("GET ftp://server.example.com/ HTTP/1.1", &[]),
        Refusal::RequestTarget,
        400,
    );
    accept(&request_with(
        "GET http://server.example.com/chat HTTP/1.1",
        &[],
    ));
}

#[test]
fn host_must_stand_once_and_be_one() {
    refused(&request(&[("Host", "")]), Refusal::Host, 400);
    refused(
        &request(&[("Host", "a"), ("Host", "b")]),
        Refusal::Host,
        400,
    );
    refused(&request(&[("Host", "a, b")]), Refusal::Host, 400);
    refused(&request(&[("Host", "user@a")]), Refusal::Host, 400);
    refused(&request(&[("Host", "a:99999")]), Refusal::Host, 400);
    accept(&request(&[("Host", "[::1]:8080")]));
}

#[test]
fn connection_without_the_upgrade_token_is_400() {
    refused(&request(&[("Connection", "")]), Refusal::Connection, 400);
    refused(
        &request(&[("Connection", "keep-alive")]),
        Refusal::Connection,
        400,
    );
    refused(
        &request(&[("Connection", "upgraded, no-upgrade")]),
        Refusal::Connection,
        400,
    );
}

#[test]
fn upgrade_without_the_websocket_token_is_400() {
    refused(&request(&[("Upgrade", "")]), Refusal::Upgrade, 400);
    refused(&request(&[("Upgrade", "h2c")]), Refusal::Upgrade, 400);
    refused(
        &request(&[("Upgrade", "websockets")]),
        Refusal::Upgrade,
        400,
    );
}

#[test]
fn a_version_other_than_13_is_426_with_the_version_that_is_spoken() {
    for version in ["8", "", "14", "013", "13, 8", "thirteen"] {
        refused(
            &request(&[("Sec-WebSocket-Version", version)]),
            Refusal::Version,
            426,
        );
    }
    let reject = reject(&request(&[("Sec-WebSocket-Version", "8")]));
    let answer = text(&reject.response);
    assert!(
        answer.contains("\r\nSec-WebSocket-Version: 13\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("\r\nUpgrade: websocket\r\n")
            && answer.contains("\r\nConnection: upgrade\r\n"),
        "{answer}"
    );
    let twice = [
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Version", "13"),
    ];
    refused(&request(&twice), Refusal::DuplicateVersion, 400);
}

#[test]
fn the_key_of_the_rfcs_note_with_bits_to_spare_is_accepted() {
    // Section 4.1, item 7: the bytes 1 to 16.
    accept(&request(&[(
        "Sec-WebSocket-Key",
        "AQIDBAUGBwgJCgsMDQ4PEC==",
    )]));
}

#[test]
fn the_key_must_be_the_base64_of_16_bytes_once() {
    for key in [
        "",
        "c2hvcnQ=",
        "dGhlIHNhbXBsZSBub25jZQ",
        "dGhlIHNhbXBsZSBub25jZTE=",
        "********************==",
    ] {
        refused(&request(&[("Sec-WebSocket-Key", key)]), Refusal::Key, 400);
    }
    let key = GOOD[3];
    refused(&request(&[key, key]), Refusal::Key, 400);
}

#[test]
fn the_server_chooses_the_subprotocol_that_it_prefers() {
    let policy = || Policy {
        subprotocols: vec!["a".into(), "b".into()],
        ..Policy::default()
    };
    for (offered, chosen) in [
        ("b, a", Some("a")),
        ("c,b", Some("b")),
        ("c", None),
        ("A", None),
        ("", None),
    ] {
        let accept = accept_with(policy(), &request(&[("Sec-WebSocket-Protocol", offered)]));
        assert_eq!(accept.subprotocol.as_deref(), chosen, "{offered}");
        let line = chosen.map(|name| format!("\r\nSec-WebSocket-Protocol: {name}\r\n"));
        match line {
            Some(line) => assert!(text(&accept.response).contains(&line), "{offered}"),
            None => assert!(
                !text(&accept.response).contains("Sec-WebSocket-Protocol"),
                "{offered}"
            ),
        }
    }
    let over_two_lines = [
        ("Sec-WebSocket-Protocol", "c"),
        ("sec-websocket-protocol", "b"),
    ];
    assert_eq!(
        accept_with(policy(), &request(&over_two_lines))
            .subprotocol
            .as_deref(),
        Some("b")
    );
}

#[test]
fn a_subprotocol_that_is_no_token_is_400() {
    refused(
        &request(&[("Sec-WebSocket-Protocol", "a b")]),
        Refusal::Subprotocol,
        400,
    );
    refused(
        &request(&[("Sec-WebSocket-Protocol", "a, \"b\"")]),
        Refusal::Subprotocol,
        400,
    );
    refused(
        &request(&[("Sec-WebSocket-Protocol", "채팅")]),
        Refusal::Subprotocol,
        400,
    );
}

#[test]
fn no_extension_is_chosen_whatever_is_offered() {
    let accept = accept(&request(&[(
        "Sec-WebSocket-Extensions",
        "permessage-deflate; client_max_window_bits",
    )]));
    assert!(!text(&accept.response).contains("Extensions"));
}

#[test]
fn a_page_of_the_same_host_may_connect() {
    for (origin, host) in [
        ("http://server.example.com", "server.example.com"),
        ("https://server.example.com", "server.example.com"),
        ("https://SERVER.example.com", "server.Example.com"),
        ("http://server.example.com", "server.example.com:80"),
        ("http://server.example.com:80", "server.example.com"),
        ("https://server.example.com:443", "server.example.com"),
        ("https://server.example.com", "server.example.com:443"),
        ("http://localhost:8080", "localhost:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
    ] {
        accept(&request(&[("Host", host), ("Origin", origin)]));
    }
}

#[test]
fn a_page_of_another_host_is_403() {
    for (origin, host) in [
        ("https://evil.example", "server.example.com"),
        (
            "https://server.example.com.evil.example",
            "server.example.com",
        ),
        ("https://evil-server.example.com", "server.example.com"),
        ("http://server.example.com:8080", "server.example.com"),
        ("http://server.example.com", "server.example.com:443"),
        (
            "https://server.example.com@evil.example",
            "server.example.com",
        ),
        ("https://server.example.com:99999", "server.example.com"),
        ("https://server.example.com/page", "server.example.com"),
        ("server.example.com", "server.example.com"),
        ("://server.example.com", "server.example.com"),
        ("https://", "server.example.com"),
        ("null", "server.example.com"),
        ("file://", "server.example.com"),
        (
            "https://server.example.com https://server.example.com",
            "server.example.com",
        ),
    ] {
        refused(
            &request(&[("Host", host), ("Origin", origin)]),
            Refusal::Origin,
            403,
        );
    }
    let ours = ("Origin", "http://server.example.com");
    refused(&request(&[ours, ours]), Refusal::Origin, 403);
}

#[test]
fn without_origin_anybody_may_connect_as_it_is_no_browser() {
    accept(&request(&[]));
    let policy = Policy {
        origin: OriginPolicy::Allow(vec!["https://a.example".into()]),
        ..Policy::default()
    };
    accept_with(policy, &request(&[]));
}

#[test]
fn a_list_of_origins_takes_the_place_of_the_same_host() {
    let policy = || Policy {
        origin: OriginPolicy::Allow(vec!["https://App.example".into()]),
        ..Policy::default()
    };
    for origin in ["https://app.example", "https://app.example:443"] {
        accept_with(policy(), &request(&[("Origin", origin)]));
    }
    for origin in [
        "http://app.example",
        "https://app.example:444",
        "https://server.example.com",
        "null",
    ] {
        let reject = reject_with(policy(), request(&[("Origin", origin)]).as_bytes());
        assert_eq!(reject.reason, Refusal::Origin, "{origin}");
    }
}

#[test]
fn check_origin_decides_by_the_whole_request() {
    let check = |request: &http::request::Parts| {
        request.uri.query() == Some("open") && request.headers.len() == 5
    };
    let policy = || Policy {
        origin: OriginPolicy::Check(std::sync::Arc::new(check)),
        ..Policy::default()
    };
    accept_with(policy(), &request_with("GET /chat?open HTTP/1.1", &[]));
    let reject = reject_with(policy(), request(&[]).as_bytes());
    assert_eq!(reject.reason, Refusal::Origin);
}

#[test]
fn response_headers_are_added_but_not_those_of_the_handshake() {
    let with = |name: &'static str, value| {
        let mut policy = Policy::default();
        policy.response_headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
        policy
    };
    let accept = accept_with(with("set-cookie", "a=b"), &request(&[]));
    assert!(text(&accept.response).contains("\r\nset-cookie: a=b\r\n"));
    for name in [
        "sec-websocket-extensions",
        "sec-websocket-protocol",
        "sec-websocket-accept",
        "upgrade",
        "connection",
        "content-length",
    ] {
        let reject = reject_with(with(name, "1"), request(&[]).as_bytes());
        assert_eq!(
            (reject.reason, reject.status.as_u16()),
            (Refusal::ResponseHeaders, 500),
            "{name}"
        );
    }
}

#[test]
fn a_body_on_an_upgrade_is_400() {
    refused(&request(&[("Content-Length", "5")]), Refusal::Body, 400);
    refused(
        &request(&[("Content-Length", "0"), ("Content-Length", "0")]),
        Refusal::Body,
        400,
    );
    refused(&request(&[("Content-Length", "+0")]), Refusal::Body, 400);
    refused(
        &request(&[("Transfer-Encoding", "chunked")]),
        Refusal::Body,
        400,
    );
    accept(&request(&[("Content-Length", "0")]));
}

#[test]
fn a_bare_lf_is_400_at_once() {
    refused("GET /chat HTTP/1.1\n", Refusal::BareLf, 400);
    refused(
        &request(&[]).replace("\r\nUpgrade", "\nUpgrade"),
        Refusal::BareLf,
        400,
    );
    refused("\n", Refusal::Malformed, 400);
}

#[test]
fn what_is_not_http_is_400() {
    for bytes in [
        "\u{16}\u{3}\u{1}",
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\n: no name\r\n\r\n",
        "GET / HTTP/1.1\r\nspace : x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nnul: \0\r\n\r\n",
        "GET / HTTP/1.1\r\ncr: a\rb\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        refused(bytes, Refusal::Malformed, 400);
    }
}

#[test]
fn a_head_that_does_not_end_within_the_limit_is_431() {
    let padding = |bytes| request(&[("X", &"a".repeat(bytes))]);
    let fits = REQUEST_HEAD_BYTES_MAX - padding(1).len() + 1;
    assert_eq!(padding(fits).len(), REQUEST_HEAD_BYTES_MAX);
    accept(&padding(fits));
    refused(&padding(fits + 1), Refusal::HeadTooLarge, 431);
    refused(
        &("GET /".to_owned() + &"a".repeat(REQUEST_HEAD_BYTES_MAX)),
        Refusal::HeadTooLarge,
        431,
    );
}

#[test]
fn a_flood_of_header_lines_is_431() {
    let lines = |count| request(&vec![("X", "y"); count]);
    accept(&lines(HEADERS_MAX - GOOD.len()));
    refused(
        &lines(HEADERS_MAX - GOOD.len() + 1),
        Refusal::TooManyHeaders,
        431,
    );
}

#[test]
fn a_refusal_stays_whatever_comes_after_it() {
    let mut handshake = ServerHandshake::new(Policy::default());
    assert!(matches!(handshake.receive(b"\n"), Judged::Reject(_)));
    let Judged::Reject(reject) = handshake.receive(request(&[]).as_bytes()) else {
        panic!("accepted after all")
    };
    assert_eq!(reject.reason, Refusal::Malformed);
}

#[test]
fn no_answer_repeats_what_the_client_sent() {
    let marked = request(&[("Origin", "https://marker.example"), ("Cookie", "marker")]);
    assert!(!text(&reject(&marked).response).contains("marker"));
}
