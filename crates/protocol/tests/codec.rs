//! Reading is total and forgiving where the schema says so: bad bytes get one clear error, unknown fields none.

use proptest::prelude::*;
use suda_protocol::{Codec, DecodeError, ErrorCode, limits, v1};
use v1::command::Request;

fn json(text: &str) -> Result<v1::Command, DecodeError> {
    Codec::Json.decode_command(text.as_bytes())
}

#[test]
fn subprotocol_names_choose_the_codec() {
    for codec in Codec::ALL {
        assert_eq!(Codec::from_subprotocol(codec.subprotocol()), Some(codec));
    }
    assert_eq!(Codec::from_subprotocol("suda.v2.proto"), None);
    assert!(Codec::Json.is_text() && !Codec::Proto.is_text());
}

#[test]
fn json_names_are_read_in_camel_and_snake_case() {
    let camel = json(r#"{"id":"2","createRoom":{"clientId":"c","name":"n"}}"#).unwrap();
    let snake = json(r#"{"id":"2","create_room":{"client_id":"c","name":"n"}}"#).unwrap();
    assert_eq!(camel, snake);
}

#[test]
fn json_numbers_of_64_bits_are_read_bare_and_quoted_and_written_quoted() {
    let bare = json(r#"{"id":7,"messages":{"room":"r","beforeSeq":9}}"#).unwrap();
    let quoted = json(r#"{"id":"7","messages":{"room":"r","beforeSeq":"9"}}"#).unwrap();
    assert_eq!(bare, quoted);
    let written = String::from_utf8(Codec::Json.encode_command(&bare).to_vec()).unwrap();
    assert!(
        written.contains(r#""id":"7""#) && written.contains(r#""beforeSeq":"9""#),
        "{written}"
    );
}

#[test]
fn unknown_fields_are_ignored_in_both_encodings() {
    let known = json(r#"{"id":"1","close":{"room":"r"}}"#).unwrap();
    let extended =
        json(r#"{"id":"1","mood":{"deep":[1,{}]},"close":{"room":"r","softly":true}}"#).unwrap();
    assert_eq!(known, extended);
    let mut proto = Codec::Proto.encode_command(&known).to_vec();
    proto.extend_from_slice(&[0xF8, 0x07, 0x05]); // field 127, varint 5
    assert_eq!(Codec::Proto.decode_command(&proto).unwrap(), known);
}

#[test]
fn an_unknown_push_is_read_as_nothing() {
    let message = Codec::Json
        .decode_server_message(br#"{"push":{"typing":{"room":"r"}}}"#)
        .unwrap();
    assert!(matches!(
        message.kind,
        Some(v1::server_message::Kind::Push(v1::Push { event: None }))
    ));
    let message = Codec::Json
        .decode_server_message(br#"{"weather":"fine"}"#)
        .unwrap();
    assert_eq!(message.kind, None);
}

#[test]
fn malformed_json_names_line_and_column() {
    let error = json("{\n \"id\": \"1\",\n \"post\": }").unwrap_err();
    assert!(
        matches!(error, DecodeError::Json { line: 3, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("line 3 column"), "{error}");
    assert_eq!(error.code(), ErrorCode::Malformed);
}

#[test]
fn a_wrong_type_is_answered_under_the_commands_id() {
    for id in ["17", "\"17\""] {
        let error = json(&format!(r#"{{"id":{id},"post":{{"room":5}}}}"#)).unwrap_err();
        assert_eq!(error.command_id(), 17, "{error}");
    }
}

#[test]
fn two_requests_in_one_command_are_refused() {
    let error = json(r#"{"id":"1","ping":{},"close":{"room":"r"}}"#).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Malformed);
}

#[test]
fn a_command_needs_an_id_and_a_request() {
    assert_eq!(json(r#"{"ping":{}}"#), Err(DecodeError::NoId));
    assert_eq!(json(r#"{"id":"0","ping":{}}"#), Err(DecodeError::NoId));
    assert_eq!(
        json(r#"{"id":"4","dance":{}}"#),
        Err(DecodeError::NoRequest { id: 4 })
    );
    assert_eq!(
        DecodeError::NoRequest { id: 4 }.code(),
        ErrorCode::UnknownCommand
    );
    assert_eq!(Codec::Proto.decode_command(&[]), Err(DecodeError::NoId));
    let garbage = Codec::Proto.decode_command(&[0xFF; 40]).unwrap_err();
    assert!(matches!(garbage, DecodeError::Proto { .. }) && garbage.code() == ErrorCode::Malformed);
}

#[test]
fn a_command_over_the_limit_is_not_looked_at() {
    let text = "a".repeat(limits::COMMAND_BYTES_MAX);
    let command = v1::Command {
        id: 1,
        request: Some(Request::Post(v1::Post {
            text,
            ..Default::default()
        })),
    };
    for codec in Codec::ALL {
        let error = codec
            .decode_command(&codec.encode_command(&command))
            .unwrap_err();
        assert!(matches!(error, DecodeError::TooLarge { .. }), "{error:?}");
    }
}

#[test]
fn the_longest_text_fits_a_command() {
    let text = "\"".repeat(limits::TEXT_BYTES_MAX);
    let command = v1::Command {
        id: 1,
        request: Some(Request::Post(v1::Post {
            text,
            ..Default::default()
        })),
    };
    for codec in Codec::ALL {
        assert_eq!(
            codec
                .decode_command(&codec.encode_command(&command))
                .as_ref(),
            Ok(&command)
        );
    }
}

#[test]
fn deep_nesting_is_harmless() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = limits::COMMAND_BYTES_MAX / 8;
        let deep = format!("{}0{}", open.repeat(depth), close.repeat(depth));
        assert!(json(&deep).is_err());
        // Within a field that nobody knows it is skipped, however deep.
        let skipped = json(&format!(r#"{{"id":"1","ping":{{}},"x":{deep}}}"#));
        assert!(skipped.is_ok() || matches!(skipped, Err(DecodeError::Json { .. })));
    }
    // Groups nested in an unknown field of Protobuf.
    assert!(Codec::Proto.decode_command(&[0xFB; 60_000]).is_err());
}

#[test]
fn an_error_number_without_a_name_is_written_as_unspecified_in_json() {
    use v1::{Reply, reply::Result as Answer, server_message::Kind};
    let error = v1::Error {
        code: 9_999,
        ..v1::Error::of(ErrorCode::Busy)
    };
    let message = v1::ServerMessage {
        kind: Some(Kind::Reply(Reply {
            id: 3,
            result: Some(Answer::Error(error)),
        })),
    };
    let read = Codec::Json
        .decode_server_message(&Codec::Json.encode_server_message(&message))
        .unwrap();
    let Some(Kind::Reply(Reply {
        id: 3,
        result: Some(Answer::Error(error)),
    })) = read.kind
    else {
        panic!("{read:?}")
    };
    assert_eq!(
        (error.code(), error.retryable),
        (ErrorCode::Unspecified, true)
    );
}

#[test]
fn no_debug_output_shows_a_token() {
    let command = json(r#"{"id":"1","connect":{"token":"geheim"}}"#).unwrap();
    assert!(!format!("{command:?}").contains("geheim"));
}

fn request() -> impl Strategy<Value = Request> {
    let text = ".{0,40}";
    prop_oneof![
        (text, text, text, any::<u64>()).prop_map(|(client_id, room, text, reply_to)| {
            Request::Post(v1::Post {
                client_id,
                room,
                text,
                reply_to,
            })
        }),
        (text, proptest::option::of((any::<u64>(), text))).prop_map(
            |(room, cursor)| Request::Open(v1::Open {
                room,
                cursor: cursor.map(|(seq, id)| v1::Cursor { seq, id })
            })
        ),
        (any::<bool>(), text)
            .prop_map(|(mine, after_name)| Request::ListRooms(v1::ListRooms { mine, after_name })),
        (text, any::<u64>(), any::<u32>()).prop_map(|(room, before_seq, count_max)| {
            Request::Messages(v1::Messages {
                room,
                before_seq,
                count_max,
            })
        }),
    ]
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for codec in Codec::ALL {
            let _ = codec.decode_command(&bytes);
            let _ = codec.decode_server_message(&bytes);
        }
    }

    #[test]
    fn arbitrary_json_like_text_never_panics(text in r#"(\{|\}|\[|\]|"id"|"post"|"push"|"reply"|:|,|1|"x"|null|true|\\u12| ){0,60}"#) {
        let _ = Codec::Json.decode_command(text.as_bytes());
        let _ = Codec::Json.decode_server_message(text.as_bytes());
    }

    #[test]
    fn commands_survive_both_encodings(id in 1u64.., request in request()) {
        let command = v1::Command { id, request: Some(request) };
        for codec in Codec::ALL {
            let decoded = codec.decode_command(&codec.encode_command(&command));
            prop_assert_eq!(decoded.as_ref(), Ok(&command));
        }
    }
}
