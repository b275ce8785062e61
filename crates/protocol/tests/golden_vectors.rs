//! The vectors in `vectors/` say what each message's JSON and Protobuf are. They were made with another implementation
//! (buf), and other languages' tests read them too.

#![allow(clippy::unwrap_used)]

use serde::Deserialize;
use suda_protocol::{Codec, v1};

#[derive(Deserialize)]
struct Vector {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    json: serde_json::Value,
    hex: String,
}

fn read(file: &str) -> Vec<Vector> {
    let path = format!("{}/vectors/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let vectors: Vec<Vector> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(vectors.len() > 10, "{file} is nearly empty");
    vectors
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// The JSON with every object's keys sorted, as `serde_json::Value` compares them.
fn value(json: &[u8]) -> serde_json::Value {
    serde_json::from_slice(json).unwrap()
}

#[test]
fn commands_have_the_bytes_and_the_json_of_the_vectors() {
    for vector in read("commands") {
        assert_eq!(vector.kind, "suda.v1.Command", "{}", vector.name);
        let json = vector.json.to_string();
        let from_json = Codec::Json.decode_command(json.as_bytes()).unwrap();
        let from_proto = Codec::Proto.decode_command(&bytes(&vector.hex)).unwrap();
        assert_eq!(from_json, from_proto, "{}", vector.name);
        assert_eq!(
            Codec::Proto.encode_command(&from_json),
            bytes(&vector.hex),
            "{}",
            vector.name
        );
        assert_eq!(
            value(&Codec::Json.encode_command(&from_proto)),
            vector.json,
            "{}",
            vector.name
        );
    }
}

#[test]
fn server_messages_have_the_bytes_and_the_json_of_the_vectors() {
    for vector in read("server_messages") {
        assert_eq!(vector.kind, "suda.v1.ServerMessage", "{}", vector.name);
        let json = vector.json.to_string();
        let from_json = Codec::Json.decode_server_message(json.as_bytes()).unwrap();
        let from_proto = Codec::Proto
            .decode_server_message(&bytes(&vector.hex))
            .unwrap();
        assert_eq!(from_json, from_proto, "{}", vector.name);
        assert_eq!(
            Codec::Proto.encode_server_message(&from_json),
            bytes(&vector.hex),
            "{}",
            vector.name
        );
        assert_eq!(
            value(&Codec::Json.encode_server_message(&from_proto)),
            vector.json,
            "{}",
            vector.name
        );
    }
}

#[test]
fn an_entry_encoded_for_all_is_the_same_as_its_push_encoded_alone() {
    use v1::{push::Event, server_message::Kind};
    let mut entries = 0;
    for vector in read("server_messages") {
        let message = Codec::Proto
            .decode_server_message(&bytes(&vector.hex))
            .unwrap();
        let Some(Kind::Push(v1::Push {
            event: Some(Event::Entry(entry)),
        })) = &message.kind
        else {
            continue;
        };
        entries += 1;
        for codec in Codec::ALL {
            assert_eq!(
                codec.encode_entry_push(entry),
                codec.encode_server_message(&message),
                "{}",
                vector.name
            );
        }
    }
    assert!(entries > 0);
}
