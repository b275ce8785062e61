//! How bytes are cut on their way changes nothing, and no bytes do harm.

use proptest::prelude::*;
use suda_websocket::{Config, Connection, Event, Role};

use crate::pair::*;

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

/// Mostly right frames, so that the machine is taken deep, and some that are not.
fn stream(role: Role) -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        ".{0,40}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..300),
        (1000u16..1015, "[a-z]{0,5}")
            .prop_map(|(code, reason)| close_payload(code, reason.as_bytes())),
    ];
    let first = prop_oneof![
        8 => prop::sample::select(vec![TEXT, FIN | TEXT, FIN | BINARY, BINARY, CONTINUATION, FIN | CONTINUATION]),
        4 => prop::sample::select(vec![FIN | PING, FIN | PONG]),
        1 => Just(FIN | CLOSE),
        1 => any::<u8>(),
    ];
    prop::collection::vec((first, payload), 0..12).prop_map(move |frames| {
        let mut open = false;
        let mut bytes = Vec::new();
        for (mut first, payload) in frames {
            // Keep most sequences of fragments legal.
            if matches!(first & 0xf, TEXT | BINARY | CONTINUATION) && first & 0x70 == 0 {
                first = if open {
                    first & FIN
                } else if first & 0xf == 0 {
                    first | BINARY
                } else {
                    first
                };
                open = first & FIN == 0;
            }
            bytes.extend(frame_to(role, first, &payload));
        }
        bytes
    })
}

/// All that the connection says and sends.
fn outcome(connection: &mut Connection, pieces: &[&[u8]]) -> (Vec<Event>, Vec<Sent>) {
    let mut seen = Vec::new();
    let mut out = Vec::new();
    for piece in pieces {
        connection.receive(piece);
        while let Some(event) = connection.poll_event() {
            seen.push(event);
            out.extend(drain(connection));
        }
    }
    connection.receive_eof();
    seen.extend(events(connection));
    out.extend(drain(connection));
    (seen, frames(&out))
}

fn pieces<'a>(mut bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for cut in cuts.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at((*cut).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

proptest! {
    #[test]
    fn any_cutting_gives_the_same_events_and_answers(
        (role, bytes) in role().prop_flat_map(|role| (Just(role), stream(role))),
        cuts in prop::collection::vec(1usize..60, 1..20),
    ) {
        let config = Config::default().read_limit(500).fragments_max(6);
        let whole = outcome(&mut connection(role, config.clone()), &[&bytes]);
        let cut = outcome(&mut connection(role, config), &pieces(&bytes, &cuts));
        prop_assert_eq!(whole, cut);
    }

    #[test]
    fn parts_joined_are_the_messages(
        (role, bytes) in role().prop_flat_map(|role| (Just(role), stream(role))),
        cuts in prop::collection::vec(1usize..60, 1..20),
    ) {
        let config = Config::default();
        let (whole, _) = outcome(&mut connection(role, config.clone()), &[&bytes]);
        let messages: Vec<_> = whole.iter().filter_map(|event| match event {
            Event::Message(message) => Some((message.kind(), message.as_bytes().to_vec())),
            _ => None,
        }).collect();

        let mut connection = connection(role, config);
        let mut joined = Vec::new();
        let mut current = Vec::new();
        for piece in pieces(&bytes, &cuts) {
            connection.receive(piece);
            while let Some(event) = connection.poll_part() {
                if let Event::Part(part) = event {
                    current.extend_from_slice(&part.data);
                    if part.fin {
                        joined.push((part.kind, std::mem::take(&mut current)));
                    }
                }
            }
        }
        prop_assert_eq!(joined, messages);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_end_at_most_once(
        role in role(),
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        cuts in prop::collection::vec(1usize..100, 1..10),
        by_parts: bool,
    ) {
        let mut connection = connection(role, Config::default());
        let mut ended = false;
        let mut input = pieces(&bytes, &cuts).into_iter();
        loop {
            match input.next() {
                Some(piece) => connection.receive(piece),
                None => connection.receive_eof(),
            }
            while let Some(event) = if by_parts { connection.poll_part() } else { connection.poll_event() } {
                prop_assert!(!ended, "nothing follows the end");
                ended = matches!(event, Event::Closed(_) | Event::Failed(_));
            }
            if input.len() == 0 {
                break;
            }
        }
        connection.receive_eof();
        let last = events(&mut connection);
        prop_assert_eq!(last.len(), usize::from(!ended));
    }
}
