//! What holds for all bytes: no panic, bounded memory, and a verdict that depends on the bytes and not on how they were cut.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use proptest::prelude::*;
use suda_websocket::handshake::{
    Answered, ClientHandshake, ClientOptions, Judged, Policy, REQUEST_HEAD_BYTES_MAX,
    ServerHandshake, accept_key,
};

const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: a.example\r\nOrigin: http://a.example\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Protocol: b, a\r\n\r\nframe";

/// Feeds the pieces until there is a verdict; what is left then counts as leftover.
fn server(pieces: &[&[u8]]) -> String {
    let by_map = Policy {
        subprotocols: vec!["a".into()],
        ..Policy::default()
    };
    let same = by_map.clone();
    let policy = Policy {
        // What is refused by the lines of its head is refused by a map of them, for the same reason.
        refusal_response: Some(Arc::new(move |refusal, request| {
            if let Some(request) = request {
                assert_eq!(by_map.judge(request).unwrap_err(), refusal);
            }
            refusal.response()
        })),
        ..same
    };
    let mut handshake = ServerHandshake::new(policy.clone());
    for (n, piece) in pieces.iter().enumerate() {
        match handshake.receive(piece) {
            Judged::Pending => {}
            Judged::Accept(accept) => {
                let leftover = [&accept.leftover[..], &pieces[n + 1..].concat()].concat();
                let agreement = policy.judge(accept.request.as_parts()).unwrap();
                assert_eq!(agreement.subprotocol, accept.subprotocol);
                return format!(
                    "{:?} {:?} {leftover:?}",
                    accept.response, accept.subprotocol
                );
            }
            Judged::Reject(reject) => return format!("{reject:?}"),
        }
    }
    "pending".to_owned()
}

fn client(handshake: &mut ClientHandshake, pieces: &[&[u8]]) -> String {
    for (n, piece) in pieces.iter().enumerate() {
        match handshake.receive(piece) {
            Answered::Pending => {}
            Answered::Accept(answer) => {
                let leftover = [&answer.leftover[..], &pieces[n + 1..].concat()].concat();
                return format!(
                    "{:?} {:?} {leftover:?}",
                    answer.response, answer.subprotocol
                );
            }
            Answered::Fail(error) => return format!("{error:?}"),
        }
    }
    "pending".to_owned()
}

fn cut(bytes: &[u8], at: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut places: Vec<usize> = at
        .iter()
        .map(|index| index.index(bytes.len() + 1))
        .collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|ends| bytes[ends[0]..ends[1]].to_vec())
        .collect()
}

fn slices(pieces: &[Vec<u8>]) -> Vec<&[u8]> {
    pieces.iter().map(Vec::as_slice).collect()
}

/// A request with some bytes changed, put in or taken out: near enough to HTTP to reach every check.
fn nearly_http(from: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    let change = (
        any::<prop::sample::Index>(),
        prop::option::of(any::<u8>()),
        any::<bool>(),
    );
    prop::collection::vec(change, 0..6).prop_map(move |changes| {
        let mut bytes = from.to_vec();
        for (index, byte, replace) in changes {
            let at = index.index(bytes.len());
            if replace {
                bytes.remove(at);
            }
            if let Some(byte) = byte {
                bytes.insert(at, byte);
            }
        }
        bytes
    })
}

#[test]
fn a_request_split_at_any_byte_gets_the_same_verdict() {
    let whole = server(&[REQUEST]);
    assert!(
        whole.contains("101 Switching Protocols") && whole.contains("Some(\"a\")"),
        "{whole}"
    );
    for at in 0..=REQUEST.len() {
        assert_eq!(
            server(&[&REQUEST[..at], &REQUEST[at..]]),
            whole,
            "split at {at}"
        );
    }
    let bytewise: Vec<&[u8]> = REQUEST.chunks(1).collect();
    assert_eq!(server(&bytewise), whole);
}

#[test]
fn an_answer_split_at_any_byte_gets_the_same_verdict() {
    let new =
        || ClientHandshake::new(&"ws://a/".parse().unwrap(), &ClientOptions::default()).unwrap();
    let answer = |handshake: &ClientHandshake| {
        let request = std::str::from_utf8(handshake.request()).unwrap().to_owned();
        let key = request
            .lines()
            .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
            .unwrap()
            .to_owned();
        let accept = accept_key(&key);
        format!(
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\nframe"
        )
    };
    let length = answer(&new()).len();
    for at in 0..=length {
        let mut handshake = new();
        let bytes = answer(&handshake).into_bytes();
        let verdict = client(&mut handshake, &[&bytes[..at], &bytes[at..]]);
        assert!(verdict.contains("101"), "split at {at}: {verdict}");
        assert!(
            verdict.ends_with(&format!("{:?}", b"frame")),
            "split at {at}: {verdict}"
        );
    }
}

#[test]
fn a_server_fed_without_end_has_decided_long_before() {
    let mut handshake = ServerHandshake::new(Policy::default());
    let mut fed = 0;
    while matches!(handshake.receive(&[b'a'; 100]), Judged::Pending) {
        fed += 100;
        assert!(
            fed <= REQUEST_HEAD_BYTES_MAX,
            "still reading after {fed} bytes"
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
        server(&[&bytes]);
        let mut handshake = ClientHandshake::new(&"ws://a/".parse().unwrap(), &ClientOptions::default()).unwrap();
        client(&mut handshake, &[&bytes]);
        handshake.handle_end();
    }

    #[test]
    fn a_damaged_request_gets_one_verdict_however_it_is_cut(
        bytes in nearly_http(REQUEST),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let pieces = cut(&bytes, &at);
        prop_assert_eq!(server(&slices(&pieces)), server(&[&bytes]));
    }

    #[test]
    fn a_damaged_answer_gets_one_verdict_however_it_is_cut(
        bytes in nearly_http(
            b"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        ),
        at in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let pieces = cut(&bytes, &at);
        let new = || ClientHandshake::new(&"ws://a/".parse().unwrap(), &ClientOptions::default()).unwrap();
        prop_assert_eq!(client(&mut new(), &slices(&pieces)), client(&mut new(), &[&bytes]));
    }

    #[test]
    fn any_text_is_a_url_or_an_error(text in "\\PC*", path in "ws://[a-z:@\\[\\]/?#%0-9]{0,40}") {
        for url in [text, path] {
            if let Ok(target) = url.parse::<suda_websocket::handshake::Target>() {
                let again: suda_websocket::handshake::Target = target.to_string().parse().unwrap();
                prop_assert_eq!(again, target);
            }
        }
    }
}
