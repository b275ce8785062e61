//! Offers as the server judges them (RFC 7692, sections 5 and 7.1).

use suda_websocket::Compression;
use suda_websocket::handshake::{Accept, Judged, Policy, Refusal, ServerHandshake};

fn judge(compression: Option<Compression>, fields: &[&str]) -> Judged {
    let policy = Policy {
        compression,
        ..Policy::default()
    };
    let lines: String = fields
        .iter()
        .map(|field| format!("Sec-WebSocket-Extensions: {field}\r\n"))
        .collect();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{lines}\r\n"
    );
    ServerHandshake::new(policy).receive(request.as_bytes())
}

fn accept(compression: Option<Compression>, fields: &[&str]) -> (Accept, Option<String>) {
    let Judged::Accept(accept) = judge(compression, fields) else {
        panic!("not accepted: {fields:?}")
    };
    let response = String::from_utf8(accept.response.to_vec()).unwrap();
    let answer = response.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("sec-websocket-extensions")
            .then(|| value.to_owned())
    });
    (*accept, answer)
}

/// The answer to an offer, of a server that would keep every context.
fn answer(field: &str) -> Option<String> {
    let (accept, answer) = accept(
        Some(Compression::default().context_takeover(true)),
        &[field],
    );
    assert_eq!(accept.compression.is_some(), answer.is_some());
    answer
}

#[track_caller]
fn declined(field: &str) {
    assert_eq!(answer(field), None, "{field}");
}

#[track_caller]
fn answered(field: &str, expected: &str) {
    assert_eq!(answer(field).as_deref(), Some(expected), "{field}");
}

#[test]
fn section_5_without_compression_of_its_own_a_server_accepts_no_offer() {
    let (accept, answer) = accept(None, &["permessage-deflate"]);
    assert_eq!((accept.compression, answer), (None, None));
}

#[test]
fn section_5_a_server_answers_only_what_was_offered() {
    let (accept, answer) = accept(Some(Compression::default()), &[]);
    assert_eq!((accept.compression, answer), (None, None));
    declined("permessage-bzip2, x-webkit-deflate-frame");
}

#[test]
fn section_5_the_first_acceptable_offer_is_chosen() {
    answered(
        "x-other, permessage-deflate; unknown, permessage-deflate; server_max_window_bits=10, permessage-deflate",
        "permessage-deflate; server_max_window_bits=10",
    );
    let (_, answer) = accept(
        Some(Compression::default().context_takeover(true)),
        &[
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate",
        ],
    );
    assert_eq!(answer.as_deref(), Some("permessage-deflate"));
}

#[test]
fn section_7_1_an_unknown_parameter_declines_the_offer() {
    declined("permessage-deflate; window_bits=10");
    declined("permessage-deflate; Server_no_context_takeover");
}

#[test]
fn section_7_1_a_parameter_that_stands_twice_declines_the_offer() {
    for parameter in [
        "server_no_context_takeover",
        "client_no_context_takeover",
        "server_max_window_bits=10",
        "client_max_window_bits",
        "client_max_window_bits=10",
    ] {
        declined(&format!("permessage-deflate; {parameter}; {parameter}"));
    }
    declined("permessage-deflate; client_max_window_bits; client_max_window_bits=10");
}

#[test]
fn section_7_1_1_a_takeover_parameter_with_a_value_declines_the_offer() {
    declined("permessage-deflate; server_no_context_takeover=1");
    declined("permessage-deflate; client_no_context_takeover=true");
}

#[test]
fn section_7_1_2_window_bits_are_8_to_15_without_leading_zeros() {
    for value in [
        "0",
        "7",
        "16",
        "08",
        "010",
        "+9",
        "-9",
        "9.0",
        "x",
        "256",
        "99999999999999999999",
    ] {
        declined(&format!(
            "permessage-deflate; server_max_window_bits={value}"
        ));
        declined(&format!(
            "permessage-deflate; client_max_window_bits={value}"
        ));
    }
    declined("permessage-deflate; server_max_window_bits");
    for bits in 9..=15 {
        answered(
            &format!("permessage-deflate; server_max_window_bits={bits}"),
            &format!("permessage-deflate; server_max_window_bits={bits}"),
        );
    }
    answered(
        "permessage-deflate; server_max_window_bits=\"12\"",
        "permessage-deflate; server_max_window_bits=12",
    );
}

#[test]
fn section_7_1_1_1_server_no_context_takeover_is_confirmed_when_asked_for() {
    answered(
        "permessage-deflate; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover",
    );
}

#[test]
fn section_7_1_1_2_client_no_context_takeover_is_confirmed_when_announced() {
    answered(
        "permessage-deflate; client_no_context_takeover",
        "permessage-deflate; client_no_context_takeover",
    );
}

#[test]
fn section_7_1_1_a_server_may_forbid_takeover_unasked() {
    let (accept, answer) = accept(Some(Compression::default()), &["permessage-deflate"]);
    assert_eq!(
        answer.as_deref(),
        Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
    );
    let agreed = accept.compression.unwrap();
    assert!(agreed.server_no_context_takeover && agreed.client_no_context_takeover);
}

#[test]
fn section_7_1_2_1_a_server_window_of_8_is_declined_since_the_encoder_has_none() {
    declined("permessage-deflate; server_max_window_bits=8");
}

#[test]
fn section_7_1_2_1_the_server_window_is_the_smaller_of_both_wishes() {
    let ours = Compression::default()
        .context_takeover(true)
        .server_max_window_bits(11);
    for (offer, bits) in [
        ("; server_max_window_bits=10", 10),
        ("; server_max_window_bits=12", 11),
        ("", 11),
    ] {
        let (accept, answer) = accept(Some(ours), &[&format!("permessage-deflate{offer}")]);
        assert_eq!(
            answer.unwrap(),
            format!("permessage-deflate; server_max_window_bits={bits}")
        );
        assert_eq!(accept.compression.unwrap().server_max_window_bits, bits);
    }
}

#[test]
fn section_7_1_2_2_a_client_that_did_not_offer_a_window_is_not_told_one() {
    let ours = Compression::default()
        .context_takeover(true)
        .client_max_window_bits(10);
    let (accept, answer) = accept(Some(ours), &["permessage-deflate"]);
    assert_eq!(answer.unwrap(), "permessage-deflate");
    assert_eq!(accept.compression.unwrap().client_max_window_bits, 15);
}

#[test]
fn section_7_1_2_2_the_client_window_is_the_smaller_of_both_wishes() {
    let ours = Compression::default()
        .context_takeover(true)
        .client_max_window_bits(10);
    for (offer, bits) in [("", 10), ("=8", 8), ("=9", 9), ("=15", 10)] {
        let field = format!("permessage-deflate; client_max_window_bits{offer}");
        let (accept, answer) = accept(Some(ours), &[&field]);
        assert_eq!(
            answer.unwrap(),
            format!("permessage-deflate; client_max_window_bits={bits}")
        );
        assert_eq!(accept.compression.unwrap().client_max_window_bits, bits);
    }
}

#[test]
fn what_browsers_and_libraries_offer_is_accepted() {
    for offer in [
        // Chromium, Firefox, ws, websockets
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate",
        "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
        // gorilla
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    ] {
        assert!(answer(offer).is_some(), "{offer}");
    }
}

#[test]
fn rfc_6455_section_9_1_a_malformed_field_is_refused_with_400() {
    for compression in [None, Some(Compression::default())] {
        for field in [
            "permessage-deflate;",
            "permessage-deflate; =1",
            "a b",
            "a; b=\"",
            ";",
        ] {
            let Judged::Reject(reject) = judge(compression, &[field]) else {
                panic!("not refused: {field}")
            };
            assert_eq!(
                (reject.reason, reject.status.as_u16()),
                (Refusal::Extensions, 400)
            );
        }
    }
}
