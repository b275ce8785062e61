//! Offers that a client makes, and answers as it judges them (RFC 7692, sections 5 and 7.1).

use suda_websocket::Compression;
use suda_websocket::handshake::{
    AnswerFault, Answered, ClientHandshake, ClientOptions, Target, accept_key,
};

/// The offer, and what the client makes of `answer`.
fn shake(
    compression: Option<Compression>,
    answer: &str,
) -> (Option<String>, Result<Option<Compression>, AnswerFault>) {
    let target: Target = "ws://a.example/".parse().unwrap();
    let options = ClientOptions {
        compression,
        ..ClientOptions::default()
    };
    let mut handshake = ClientHandshake::new(&target, &options).unwrap();
    let request = String::from_utf8(handshake.request().to_vec()).unwrap();
    let field = |wanted: &str| {
        request.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
        })
    };
    let accept = accept_key(&field("sec-websocket-key").unwrap());
    let line = if answer.is_empty() {
        String::new()
    } else {
        format!("Sec-WebSocket-Extensions: {answer}\r\n")
    };
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{line}\r\n"
    );
    let agreed = match handshake.receive(response.as_bytes()) {
        Answered::Accept(answer) => Ok(answer.compression),
        Answered::Fail(error) => Err(error.fault),
        Answered::Pending => panic!("the answer is complete"),
    };
    (field("sec-websocket-extensions"), agreed)
}

fn takeover() -> Compression {
    Compression::default().context_takeover(true)
}

#[track_caller]
fn fails(ours: Compression, answer: &str) {
    assert_eq!(
        shake(Some(ours), answer).1,
        Err(AnswerFault::Compression),
        "{answer}"
    );
}

#[track_caller]
fn agreed(ours: Compression, answer: &str) -> Compression {
    shake(Some(ours), answer).1.unwrap().unwrap()
}

#[test]
fn section_5_without_compression_nothing_is_offered_and_an_answer_fails() {
    assert_eq!(shake(None, ""), (None, Ok(None)));
    assert_eq!(
        shake(None, "permessage-deflate").1,
        Err(AnswerFault::Extension)
    );
}

#[test]
fn section_5_1_the_offer_says_what_is_wanted() {
    let offer = |ours| shake(Some(ours), "").0.unwrap();
    assert_eq!(
        offer(takeover()),
        "permessage-deflate; client_max_window_bits"
    );
    assert_eq!(
        offer(Compression::default()),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"
    );
    assert_eq!(
        offer(
            takeover()
                .server_max_window_bits(10)
                .client_max_window_bits(9)
        ),
        "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9"
    );
}

#[test]
fn section_5_a_server_may_decline_by_silence() {
    assert_eq!(shake(Some(takeover()), "").1, Ok(None));
}

#[test]
fn section_5_an_extension_that_was_not_offered_fails() {
    for answer in [
        "x-other",
        "permessage-deflate, x-other",
        "permessage-deflate, permessage-deflate",
        "a b",
    ] {
        assert_eq!(
            shake(Some(takeover()), answer).1,
            Err(AnswerFault::Extension),
            "{answer}"
        );
    }
}

#[test]
fn section_7_1_unknown_duplicate_and_invalid_parameters_fail() {
    for parameters in [
        "unknown",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover=1",
        "server_max_window_bits",
        "server_max_window_bits=16",
        "server_max_window_bits=7",
        "server_max_window_bits=09",
        "client_max_window_bits=0",
        "client_max_window_bits=10; client_max_window_bits=10",
    ] {
        fails(takeover(), &format!("permessage-deflate; {parameters}"));
    }
}

#[test]
fn section_7_1_1_1_a_server_that_does_not_confirm_no_takeover_fails() {
    fails(
        takeover().server_no_context_takeover(true),
        "permessage-deflate",
    );
    let answer = "permessage-deflate; server_no_context_takeover";
    assert!(agreed(takeover().server_no_context_takeover(true), answer).server_no_context_takeover);
}

#[test]
fn section_7_1_1_2_a_client_obeys_no_takeover_and_keeps_to_its_own() {
    let answer = "permessage-deflate; client_no_context_takeover";
    assert!(agreed(takeover(), answer).client_no_context_takeover);
    let ours = takeover().client_no_context_takeover(true);
    assert!(agreed(ours, "permessage-deflate").client_no_context_takeover);
}

#[test]
fn section_7_1_2_1_a_server_window_must_be_confirmed_and_not_larger() {
    let ours = takeover().server_max_window_bits(11);
    fails(ours, "permessage-deflate");
    fails(ours, "permessage-deflate; server_max_window_bits=12");
    for bits in 8..=11 {
        let answer = format!("permessage-deflate; server_max_window_bits={bits}");
        assert_eq!(agreed(ours, &answer).server_max_window_bits, bits);
    }
    let unasked = agreed(takeover(), "permessage-deflate; server_max_window_bits=10");
    assert_eq!(unasked.server_max_window_bits, 10);
}

#[test]
fn section_7_1_2_2_a_client_window_has_a_value_and_is_not_larger_than_offered() {
    fails(takeover(), "permessage-deflate; client_max_window_bits");
    let ours = takeover().client_max_window_bits(12);
    fails(ours, "permessage-deflate; client_max_window_bits=13");
    assert_eq!(
        agreed(ours, "permessage-deflate").client_max_window_bits,
        12
    );
    assert_eq!(
        agreed(ours, "permessage-deflate; client_max_window_bits=10").client_max_window_bits,
        10
    );
}
