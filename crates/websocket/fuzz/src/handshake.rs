//! Opening handshakes with any peer: the verdict does not depend on how bytes are cut, and what is accepted is right by another parser.

use std::sync::Arc;

use suda_websocket::{
    Compression,
    handshake::{
        Answered, ClientHandshake, ClientOptions, Judged, Policy, ServerHandshake, Target,
        accept_key,
    },
};

use super::input::{Input, pieces};

const REQUEST: [&str; 9] = [
    "GET /room HTTP/1.1",
    "Host: chat.example",
    "Upgrade: websocket",
    "Connection: keep-alive, Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Protocol: chat.v1, chat.v2",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "Origin: https://chat.example",
];
const ANSWER: [&str; 6] = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Accept: $",
    "Sec-WebSocket-Protocol: chat.v2",
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover",
];
/// A `$` behind this stands for the key that the client waits for, which nobody can guess. (Elsewhere its random letters might mean something.)
const ACCEPT: &[u8] = b"Sec-WebSocket-Accept: ";
const SUBPROTOCOLS: [&str; 2] = ["chat.v2", "chat.v1"];

/// The lines, unless the input says otherwise: left out, doubled, cut, or replaced by what it holds.
pub(super) fn head(input: &mut Input<'_>, lines: &[&str]) -> Vec<u8> {
    if input.byte() == 0xff {
        return input.rest().to_vec();
    }
    let mut head = Vec::new();
    for line in lines {
        let line = line.as_bytes();
        let name_len = line.iter().position(|byte| *byte == b':');
        let choice = input.byte();
        let len = usize::from(choice & 15);
        match choice >> 4 {
            8 => continue,
            9 => head.extend([line, b"\r\n", line].concat()),
            10 => {
                let kept = name_len.map_or(4, |len| len + 2).min(line.len());
                head.extend([&line[..kept], input.take(len)].concat());
            }
            11 => head.extend(input.take(len)),
            12 => head.extend([line, input.take(len)].concat()),
            13 => head.extend([input.take(len), b"\r\n", line].concat()),
            14 => head.extend(&line[..line.len().saturating_sub(len)]),
            15 => head.extend([line, &b",x"[..len & 2], b"\n"].concat()),
            _ => head.extend(line),
        }
        head.extend(b"\r\n");
    }
    head.extend(b"\r\n");
    head.extend(input.rest());
    head
}

pub fn handshake_server(data: &[u8]) {
    let mut input = Input::new(data);
    let how = input.byte();
    let cuts = input.take(2);
    let bytes = head(&mut input, &REQUEST);

    let policy = Policy {
        subprotocols: SUBPROTOCOLS.map(str::to_owned).into(),
        compression: (how & 1 != 0).then(Compression::default),
        ..Policy::default()
    };
    // The lines of a head and a map of them get the same verdict.
    let by_map = policy.clone();
    let policy = Policy {
        refusal_response: Some(Arc::new(move |refusal, request| {
            if let Some(request) = request {
                assert_eq!(by_map.judge(request).err(), Some(refusal));
            }
            refusal.response()
        })),
        ..policy
    };
    let whole = judge(&policy, &[&bytes]);
    let cut = judge(&policy, &pieces(&bytes, cuts));
    assert_eq!(whole, cut);
}

/// What a handshake comes to: bytes to send, and what was left for the connection.
#[derive(Debug, PartialEq)]
enum Outcome {
    Open { head: String, left: Vec<u8> },
    Refused(String),
    Pending,
}

fn judge(policy: &Policy, pieces: &[&[u8]]) -> Outcome {
    let mut handshake = ServerHandshake::new(policy.clone());
    for (number, piece) in pieces.iter().enumerate() {
        match handshake.receive(piece) {
            Judged::Pending => {}
            Judged::Accept(accept) => {
                let sent: usize = pieces[..=number].iter().map(|piece| piece.len()).sum();
                let all = pieces.concat();
                let left_len = accept.leftover.len() + all.len() - sent;
                let (request, left) = all.split_at(all.len() - left_len);
                assert!(left.starts_with(&accept.leftover));
                check_accepted(request, &accept.response, accept.subprotocol.as_deref());
                let agreement = policy.judge(accept.request.as_parts());
                let agreement = agreement.expect("what is accepted by its lines");
                assert_eq!(agreement.subprotocol, accept.subprotocol);
                assert_eq!(agreement.compression, accept.compression);
                return Outcome::Open {
                    head: text(&accept.response),
                    left: left.to_vec(),
                };
            }
            Judged::Reject(reject) => {
                check_refusal(&reject.response, reject.status.as_u16());
                assert!(
                    matches!(handshake.receive(b"more"), Judged::Reject(again) if again.reason == reject.reason)
                );
                return Outcome::Refused(text(&reject.response));
            }
        }
    }
    Outcome::Pending
}

/// RFC 6455, section 4.2, by another parser.
fn check_accepted(request: &[u8], response: &[u8], subprotocol: Option<&str>) {
    let mut fields = [httparse::EMPTY_HEADER; 200];
    let mut parsed = httparse::Request::new(&mut fields);
    let status = parsed.parse(request).expect("a request that was accepted");
    assert_eq!(status, httparse::Status::Complete(request.len()));
    assert_eq!((parsed.method, parsed.version), (Some("GET"), Some(1)));
    let all = |name: &str| -> Vec<String> {
        let fields = parsed.headers.iter();
        let fields = fields.filter(|field| field.name.eq_ignore_ascii_case(name));
        fields.map(|field| text(field.value)).collect()
    };
    let has = |name, token: &str| {
        let lines = all(name).join(",");
        lines
            .split(',')
            .any(|item| item.trim().eq_ignore_ascii_case(token))
    };
    assert!(has("upgrade", "websocket") && has("connection", "upgrade"));
    assert_eq!(all("sec-websocket-version"), ["13"]);
    assert_eq!(all("host").len(), 1);
    let key = all("sec-websocket-key");
    assert_eq!((key.len(), key[0].len()), (1, 24));

    let mut fields = [httparse::EMPTY_HEADER; 20];
    let mut parsed = httparse::Response::new(&mut fields);
    let status = parsed.parse(response).expect("our own answer");
    assert_eq!(status, httparse::Status::Complete(response.len()));
    assert_eq!(parsed.code, Some(101));
    let value = |name: &str| {
        let mut fields = parsed.headers.iter();
        let field = fields.find(|field| field.name.eq_ignore_ascii_case(name));
        field.map(|field| text(field.value))
    };
    assert_eq!(value("sec-websocket-accept"), Some(accept_key(&key[0])));
    assert_eq!(value("sec-websocket-protocol").as_deref(), subprotocol);
    if let Some(name) = subprotocol {
        assert!(SUBPROTOCOLS.contains(&name));
        assert!(all("sec-websocket-protocol").join(",").contains(name));
    }
}

fn check_refusal(response: &[u8], status: u16) {
    let mut fields = [httparse::EMPTY_HEADER; 20];
    let mut parsed = httparse::Response::new(&mut fields);
    let Ok(httparse::Status::Complete(head_len)) = parsed.parse(response) else {
        panic!("our own refusal is no HTTP: {}", text(response));
    };
    assert_eq!(parsed.code, Some(status));
    assert!((400..600).contains(&status));
    let length = parsed
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("content-length"))
        .map(|field| text(field.value));
    assert_eq!(length, Some((response.len() - head_len).to_string()));
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn handshake_client(data: &[u8]) {
    let mut input = Input::new(data);
    let how = input.byte();
    let cuts = input.take(2);
    let bytes = head(&mut input, &ANSWER);

    let options = ClientOptions {
        subprotocols: SUBPROTOCOLS.map(str::to_owned).into(),
        compression: (how & 1 != 0).then(Compression::default),
        ..ClientOptions::default()
    };
    let whole = answer(&options, &bytes, &[]);
    let cut = answer(&options, &bytes, cuts);
    assert_eq!(whole, cut);
}

fn answer(options: &ClientOptions, template: &[u8], cuts: &[u8]) -> Outcome {
    let target: Target = "ws://chat.example/room".parse().expect("a URL");
    let mut handshake = ClientHandshake::new(&target, options).expect("options that are right");
    let request = text(handshake.request());
    let key = request
        .split("Sec-WebSocket-Key: ")
        .nth(1)
        .and_then(|rest| rest.get(..24))
        .expect("a key");
    let accept = accept_key(key);
    let mut bytes = Vec::new();
    for byte in template {
        if *byte == b'$' && bytes.ends_with(ACCEPT) {
            bytes.extend(accept.as_bytes());
        } else {
            bytes.push(*byte);
        }
    }
    let pieces = pieces(&bytes, cuts);
    for (number, piece) in pieces.iter().enumerate() {
        match handshake.receive(piece) {
            Answered::Pending => {}
            Answered::Accept(answer) => {
                let read: usize = pieces[..=number].iter().map(|piece| piece.len()).sum();
                let left_len = answer.leftover.len() + bytes.len() - read;
                let (head, left) = bytes.split_at(bytes.len() - left_len);
                assert_eq!(answer.response.status(), 101);
                assert!(text(head).contains(&accept), "an answer to our key");
                if let Some(name) = &answer.subprotocol {
                    assert!(options.subprotocols.contains(name));
                }
                assert!(answer.compression.is_none() || options.compression.is_some());
                return Outcome::Open {
                    head: format!("{:?} {:?}", answer.subprotocol, answer.compression),
                    left: text(left).replace(&accept, "$").into_bytes(),
                };
            }
            Answered::Fail(error) => return Outcome::Refused(error.to_string()),
        }
    }
    Outcome::Refused(format!("at the end: {}", handshake.handle_end()))
}
