//! A connection that is fed any bytes: how they are cut, and whether messages are taken whole or in parts, changes nothing.

use suda_websocket::{
    CloseCode, Compression, Config, Connection, Event, MessageKind, Parts, Role, Violation,
};

use super::{
    input::{Input, pieces},
    wire::{CLOSE, Frame, PONG, sent},
};

/// Small limits, so that they are reached.
const READ_LIMIT_BYTES: usize = 4096;
const FRAGMENTS_MAX: u32 = 16;

pub fn connection_server(data: &[u8]) {
    connection(Role::Server, data);
}

pub fn connection_client(data: &[u8]) {
    connection(Role::Client, data);
}

fn connection(role: Role, data: &[u8]) {
    let mut input = Input::new(data);
    let how = input.byte();
    let cuts = usize::from(input.byte() & 7);
    let cuts = input.take(cuts).to_vec();
    let bytes = input.rest();

    let connection = || {
        let config = Config::default()
            .read_limit(READ_LIMIT_BYTES)
            .fragments_max(FRAGMENTS_MAX);
        let mut parts = Parts::new(role, config);
        parts.compression =
            (how & 1 != 0).then(|| Compression::default().context_takeover(how & 2 != 0));
        let mut connection = Connection::new(parts);
        if how & 4 != 0 {
            connection.close(CloseCode::GOING_AWAY, "first").unwrap();
        }
        connection
    };
    let run = |pieces: &[&[u8]], poll| {
        let mut outcome = run(connection(), pieces, poll);
        if how & 1 != 0 {
            outcome.forget_which_fault();
        }
        outcome
    };
    let whole = run(&[bytes], Connection::poll_event);
    let cut = run(&pieces(bytes, &cuts), Connection::poll_event);
    assert_eq!(whole, cut);
    let parts = run(&pieces(bytes, &cuts), Connection::poll_part);
    assert_eq!(joined(&whole), joined(&parts));
}

#[derive(Debug, PartialEq)]
struct Outcome {
    events: Vec<Event>,
    sent: Vec<Frame>,
}

impl Outcome {
    /// A compressed message may break several rules. Which is met first depends on how many bytes are inflated at once.
    fn forget_which_fault(&mut self) {
        let Some(Event::Failed(violation)) = self.events.last_mut() else {
            return;
        };
        if matches!(
            violation,
            Violation::InvalidUtf8 | Violation::TooLong | Violation::BadCompression
        ) {
            *violation = Violation::BadCompression;
            if let Some(close) = self.sent.last_mut().filter(|last| last.op() == CLOSE) {
                close.payload.clear();
            }
        }
    }
}

fn run(
    mut connection: Connection,
    pieces: &[&[u8]],
    poll: fn(&mut Connection) -> Option<Event>,
) -> Outcome {
    let mut outcome = Outcome {
        events: Vec::new(),
        sent: Vec::new(),
    };
    let mut closing = false;
    for piece in pieces.iter().map(Some).chain([None]) {
        match piece {
            Some(piece) => connection.receive(piece),
            None => connection.receive_eof(),
        }
        while let Some(event) = poll(&mut connection) {
            assert!(!is_final(&outcome.events), "nothing follows the end");
            outcome.events.push(event);
            outcome.sent.extend(sent(&mut connection));
            assert_eq!(is_final(&outcome.events), connection.is_ended());
        }
        // Nothing was set aside for what was only announced.
        assert!(connection.input().capacity() <= 2 * connection.input().len() + 8 * 1024);
    }
    outcome.sent.extend(sent(&mut connection));
    assert!(is_final(&outcome.events), "the end of the stream is an end");
    let closes = outcome.sent.iter().filter(|frame| frame.op() == CLOSE);
    assert!(closes.count() <= 1);
    for frame in &outcome.sent {
        assert!(matches!(frame.op(), CLOSE | PONG));
        assert!(
            frame.op() == CLOSE || !closing,
            "nothing follows a close frame"
        );
        closing |= frame.op() == CLOSE;
    }
    outcome
}

fn is_final(events: &[Event]) -> bool {
    matches!(events.last(), Some(Event::Closed(_) | Event::Failed(_)))
}

/// The messages that came whole, and the end.
fn joined(outcome: &Outcome) -> (Vec<(MessageKind, Vec<u8>)>, Option<&Event>) {
    let mut messages = Vec::new();
    let mut open = Vec::new();
    for event in &outcome.events {
        match event {
            Event::Message(message) => messages.push((message.kind(), message.as_bytes().to_vec())),
            Event::Part(part) => {
                open.extend_from_slice(&part.data);
                if part.fin {
                    messages.push((part.kind, std::mem::take(&mut open)));
                }
            }
            _ => {}
        }
    }
    (messages, outcome.events.last())
}
