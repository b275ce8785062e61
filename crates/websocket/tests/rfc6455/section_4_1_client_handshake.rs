//! The client's opening handshake, sans I/O: each MUST of RFC 6455, section 4.1, and what hostile servers answer.

use std::collections::HashSet;

use base64::Engine as _;
use http::header::{HeaderName, HeaderValue};
use suda_websocket::handshake::{
    Answer, AnswerError, AnswerFault, Answered, ClientHandshake, ClientOptions, HEADERS_MAX,
    HandshakeError, INFORMATIONAL_RESPONSES_MAX, REFUSAL_BODY_BYTES_MAX, RESPONSE_HEAD_BYTES_MAX,
    accept_key,
};

fn new(url: &str, options: &ClientOptions) -> ClientHandshake {
    ClientHandshake::new(&url.parse().unwrap(), options).unwrap()
}

fn offering(names: &[&str]) -> ClientOptions {
    ClientOptions {
        subprotocols: names.iter().map(|&name| name.to_owned()).collect(),
        ..Default::default()
    }
}

fn lines(handshake: &ClientHandshake) -> Vec<&str> {
    std::str::from_utf8(handshake.request())
        .unwrap()
        .split("\r\n")
        .collect()
}

fn key(handshake: &ClientHandshake) -> String {
    let keys: Vec<&str> = lines(handshake)
        .iter()
        .filter_map(|l| l.strip_prefix("Sec-WebSocket-Key: "))
        .collect();
    assert_eq!(keys.len(), 1);
    keys[0].to_owned()
}

/// The good answer with lines of these names replaced, and those without value taken out.
fn answer(handshake: &ClientHandshake, changes: &[(&str, &str)]) -> String {
    answer_with("HTTP/1.1 101 Switching Protocols", handshake, changes)
}

fn answer_with(status: &str, handshake: &ClientHandshake, changes: &[(&str, &str)]) -> String {
    let accept = accept_key(&key(handshake));
    let good = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept.as_str()),
    ];
    let changed = |name: &str| {
        changes
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
    };
    let kept = good.iter().filter(|(name, _)| !changed(name));
    let added = changes.iter().filter(|(_, value)| !value.is_empty());
    let lines: String = kept
        .chain(added)
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("{status}\r\n{lines}\r\n")
}

fn accepted(handshake: &mut ClientHandshake, answer: &str) -> Answer {
    match handshake.receive(answer.as_bytes()) {
        Answered::Accept(accepted) => *accepted,
        other => panic!("not accepted: {other:?}\n{answer}"),
    }
}

fn failed(handshake: &mut ClientHandshake, answer: &[u8]) -> AnswerError {
    match handshake.receive(answer) {
        Answered::Fail(error) => error,
        other => panic!("did not fail: {other:?}\n{}", answer.escape_ascii()),
    }
}

#[track_caller]
fn fails(changes: &[(&str, &str)], fault: AnswerFault) {
    let mut handshake = new("ws://a/", &offering(&["a", "b"]));
    let bytes = answer(&handshake, changes);
    let error = failed(&mut handshake, bytes.as_bytes());
    assert_eq!(error.fault, fault, "{changes:?}");
    assert_eq!(error.response.unwrap().status(), 101);
}

#[test]
fn the_request_holds_what_the_rfc_demands_and_nothing_else() {
    let handshake = new("ws://chat.example:9000/room?a=b", &ClientOptions::default());
    let key = format!("Sec-WebSocket-Key: {}", key(&handshake));
    let expected = [
        "GET /room?a=b HTTP/1.1",
        "Host: chat.example:9000",
        "Upgrade: websocket",
        "Connection: Upgrade",
        &key,
        "Sec-WebSocket-Version: 13",
        "",
        "",
    ];
    assert_eq!(lines(&handshake), expected);
}

#[test]
fn the_key_is_16_random_bytes_new_for_each_connection() {
    let keys: HashSet<String> = (0..100)
        .map(|_| key(&new("ws://a/", &ClientOptions::default())))
        .collect();
    assert_eq!(keys.len(), 100);
    for key in keys {
        assert_eq!(
            base64::engine::general_purpose::STANDARD
                .decode(key)
                .unwrap()
                .len(),
            16
        );
    }
}

#[test]
fn host_has_the_port_only_if_it_is_not_the_schemes_own() {
    for (url, host) in [
        ("ws://a/", "Host: a"),
        ("ws://a:80/", "Host: a"),
        ("wss://a:443/", "Host: a"),
        ("wss://a:80/", "Host: a:80"),
        ("ws://[::1]:8080/", "Host: [::1]:8080"),
        ("ws://[::1]/", "Host: [::1]"),
    ] {
        assert_eq!(
            lines(&new(url, &ClientOptions::default()))[1],
            host,
            "{url}"
        );
    }
}

#[test]
fn extra_headers_are_sent_but_none_may_replace_one_of_the_handshake() {
    let with = |name: &'static str| {
        let mut options = ClientOptions::default();
        options
            .headers
            .append(HeaderName::from_static(name), HeaderValue::from_static("x"));
        options
    };
    assert!(lines(&new("ws://a/", &with("authorization"))).contains(&"authorization: x"));
    for name in [
        "host",
        "upgrade",
        "connection",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-protocol",
        "sec-websocket-extensions",
        "content-length",
        "transfer-encoding",
    ] {
        let error = ClientHandshake::new(&"ws://a/".parse().unwrap(), &with(name)).unwrap_err();
        assert!(
            matches!(error, HandshakeError::Header(ref told) if told == name),
            "{error}"
        );
    }
}

#[test]
fn offered_subprotocols_are_tokens_and_each_stands_once() {
    let handshake = new("ws://a/", &offering(&["b", "a"]));
    assert!(lines(&handshake).contains(&"Sec-WebSocket-Protocol: b, a"));
    for bad in [
        &["a", "a"][..],
        &["a b"],
        &[""],
        &["a\r\nX: y"],
        &["a,b"],
        &["채팅"],
    ] {
        let error = ClientHandshake::new(&"ws://a/".parse().unwrap(), &offering(bad)).unwrap_err();
        assert!(matches!(error, HandshakeError::Subprotocol(_)), "{error}");
    }
}

#[test]
fn a_good_answer_opens_and_later_bytes_are_handed_over() {
    let mut handshake = new("ws://a/", &ClientOptions::default());
    let bytes = answer(&handshake, &[("Set-Cookie", "a=b")]) + "frame";
    let accepted = accepted(&mut handshake, &bytes);
    assert_eq!(accepted.response.status(), 101);
    assert_eq!(accepted.response.headers()["set-cookie"], "a=b");
    assert_eq!(accepted.subprotocol, None);
    assert_eq!(&accepted.leftover[..], b"frame");
}

#[test]
fn names_and_tokens_of_the_answer_may_be_in_any_case() {
    let mut handshake = new("ws://a/", &ClientOptions::default());
    let bytes = answer(
        &handshake,
        &[
            ("UPGRADE", "WebSocket"),
            ("connection", "keep-alive, upgrade"),
        ],
    );
    accepted(&mut handshake, &bytes);
}

#[test]
fn a_101_without_upgrade_websocket_fails() {
    fails(&[("Upgrade", "")], AnswerFault::Upgrade);
    fails(&[("Upgrade", "h2c")], AnswerFault::Upgrade);
}

#[test]
fn a_101_without_connection_upgrade_fails() {
    fails(&[("Connection", "")], AnswerFault::Connection);
    fails(&[("Connection", "keep-alive")], AnswerFault::Connection);
}

#[test]
fn a_101_whose_accept_does_not_follow_from_the_key_fails() {
    fails(&[("Sec-WebSocket-Accept", "")], AnswerFault::Accept);
    fails(
        &[("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")],
        AnswerFault::Accept,
    );
    let mut handshake = new("ws://a/", &ClientOptions::default());
    let accept = accept_key(&key(&handshake));
    let twice = answer(
        &handshake,
        &[
            ("Sec-WebSocket-Accept", &accept),
            ("Sec-WebSocket-Accept", &accept),
        ],
    );
    assert_eq!(
        failed(&mut handshake, twice.as_bytes()).fault,
        AnswerFault::Accept
    );
}

#[test]
fn an_accept_key_in_another_case_fails() {
    let mut handshake = new("ws://a/", &ClientOptions::default());
    let accept = accept_key(&key(&handshake));
    let swapped: String = accept
        .chars()
        .map(|c| {
            if c.is_ascii_uppercase() {
                c.to_ascii_lowercase()
            } else {
                c.to_ascii_uppercase()
            }
        })
        .collect();
    let bytes = answer(&handshake, &[("Sec-WebSocket-Accept", &swapped)]);
    assert_eq!(
        failed(&mut handshake, bytes.as_bytes()).fault,
        AnswerFault::Accept
    );
}

#[test]
fn a_subprotocol_that_was_not_offered_fails() {
    fails(&[("Sec-WebSocket-Protocol", "c")], AnswerFault::Subprotocol);
    fails(&[("Sec-WebSocket-Protocol", "A")], AnswerFault::Subprotocol);
    fails(
        &[("Sec-WebSocket-Protocol", "a, b")],
        AnswerFault::Subprotocol,
    );
    fails(
        &[
            ("Sec-WebSocket-Protocol", "a"),
            ("Sec-WebSocket-Protocol", "a"),
        ],
        AnswerFault::Subprotocol,
    );
    let mut handshake = new("ws://a/", &offering(&["a", "b"]));
    let bytes = answer(&handshake, &[("Sec-WebSocket-Protocol", "b")]);
    assert_eq!(
        accepted(&mut handshake, &bytes).subprotocol.as_deref(),
        Some("b")
    );
}

#[test]
fn an_extension_that_was_not_offered_fails() {
    fails(
        &[("Sec-WebSocket-Extensions", "permessage-deflate")],
        AnswerFault::Extension,
    );
}

#[test]
fn a_refusal_keeps_status_headers_and_the_first_1024_bytes_of_its_body() {
    let body = "가나다라마바사아자차".repeat(100);
    let kept = &body.as_bytes()[..REFUSAL_BODY_BYTES_MAX];
    let chunked: String = body
        .as_bytes()
        .chunks(30)
        .fold(String::new(), |all, chunk| {
            all + &format!(
                "{:x};name=value\r\n{}\r\n",
                chunk.len(),
                std::str::from_utf8(chunk).unwrap()
            )
        })
        + "0\r\n\r\n";
    for (framing, sent) in [
        (format!("Content-Length: {}", body.len()), body.clone()),
        ("Connection: close".to_owned(), body.clone()),
        ("Transfer-Encoding: chunked".to_owned(), chunked),
    ] {
        let mut handshake = new("ws://a/", &ClientOptions::default());
        let answer = format!(
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\n{framing}\r\n\r\n{sent}"
        );
        let error = failed(&mut handshake, answer.as_bytes());
        assert_eq!(
            error.to_string(),
            "the server refused the WebSocket (401 Unauthorized)"
        );
        let response = error.response.unwrap();
        assert_eq!(error.fault, AnswerFault::Refused);
        assert_eq!(
            (
                response.status().as_u16(),
                &response.headers()["www-authenticate"]
            ),
            (401, &"Bearer".parse().unwrap())
        );
        assert_eq!(response.body().as_ref(), kept, "{framing}");
    }
}

#[test]
fn a_short_refusal_is_complete_when_its_framing_says_so() {
    for (answer, body) in [
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope",
            "nope",
        ),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", ""),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n2\r\npe\r\n0\r\n\r\n",
            "nope",
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        (
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\n\r\n",
            "",
        ),
    ] {
        let mut handshake = new("ws://a/", &ClientOptions::default());
        let verdict = answer
            .bytes()
            .map(|byte| handshake.receive(&[byte]))
            .find_map(|answered| match answered {
                Answered::Pending => None,
                Answered::Accept(_) => panic!("accepted: {answer}"),
                Answered::Fail(error) => error.response,
            });
        assert_eq!(verdict.unwrap().body(), body, "{answer}");
    }
}

#[test]
fn a_refusal_that_breaks_off_is_told_as_far_as_it_came() {
    for (answer, body) in [
        ("HTTP/1.1 502 Bad Gateway\r\n\r\nno body le", "no body le"),
        (
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 99\r\n\r\nhalf",
            "half",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
            "half",
        ),
    ] {
        let mut handshake = new("ws://a/", &ClientOptions::default());
        assert!(
            matches!(handshake.receive(answer.as_bytes()), Answered::Pending),
            "{answer}"
        );
        assert!(handshake.is_refused());
        let error = handshake.handle_end();
        assert_eq!(
            (error.fault, error.response.unwrap().body().as_ref()),
            (AnswerFault::Refused, body.as_bytes())
        );
    }
}

#[test]
fn a_redirect_is_a_refusal_that_says_where_to() {
    let mut handshake = new("ws://a/", &ClientOptions::default());
    let answer =
        "HTTP/1.1 301 Moved Permanently\r\nLocation: wss://b/\r\nContent-Length: 0\r\n\r\n";
    let error = failed(&mut handshake, answer.as_bytes());
    assert_eq!(error.response.unwrap().headers()["location"], "wss://b/");
}

#[test]
fn informational_answers_are_skipped_up_to_a_bound() {
    let early = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let mut handshake = new("ws://a/", &ClientOptions::default());
    let bytes = early.repeat(INFORMATIONAL_RESPONSES_MAX) + &answer(&handshake, &[]);
    accepted(&mut handshake, &bytes);
    let mut handshake = new("ws://a/", &ClientOptions::default());
    let error = failed(
        &mut handshake,
        early.repeat(INFORMATIONAL_RESPONSES_MAX + 1).as_bytes(),
    );
    assert_eq!(error.fault, AnswerFault::TooManyInformational);
}

#[test]
fn what_is_not_http_1_1_fails() {
    for bytes in [
        "\u{15}\u{3}\u{1}",
        "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 101 x\n",
        "HTTP/1.1 1 x\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
    ] {
        let mut handshake = new("ws://a/", &ClientOptions::default());
        assert_eq!(
            failed(&mut handshake, bytes.as_bytes()).fault,
            AnswerFault::Malformed,
            "{bytes}"
        );
    }
    let mut handshake = new("ws://a/", &ClientOptions::default());
    let bytes = answer_with("HTTP/1.0 101 Switching Protocols", &handshake, &[]);
    assert_eq!(
        failed(&mut handshake, bytes.as_bytes()).fault,
        AnswerFault::Malformed
    );
}

#[test]
fn an_answer_without_end_is_given_up() {
    let mut handshake = new("ws://a/", &ClientOptions::default());
    let endless = "HTTP/1.1 101 ".to_owned() + &"x".repeat(RESPONSE_HEAD_BYTES_MAX);
    assert_eq!(
        failed(&mut handshake, endless.as_bytes()).fault,
        AnswerFault::HeadTooLarge
    );
    let mut handshake = new("ws://a/", &ClientOptions::default());
    let bytes = answer(&handshake, &vec![("X", "y"); HEADERS_MAX]);
    assert_eq!(
        failed(&mut handshake, bytes.as_bytes()).fault,
        AnswerFault::TooManyHeaders
    );
}

#[test]
fn a_stream_that_ends_early_is_told() {
    let handshake = new("ws://a/", &ClientOptions::default());
    assert_eq!(handshake.handle_end().fault, AnswerFault::Truncated);
    let mut handshake = new("ws://a/", &ClientOptions::default());
    assert!(matches!(
        handshake.receive(b"HTTP/1.1 10"),
        Answered::Pending
    ));
    assert_eq!(handshake.handle_end().fault, AnswerFault::Truncated);
}
