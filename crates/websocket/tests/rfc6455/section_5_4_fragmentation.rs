//! Messages of several frames (RFC 6455, section 5.4).

use bytes::Bytes;
use suda_websocket::{Config, Event, Message, MessageKind, PreparedMessage, SendError, Violation};

use crate::pair::*;
use crate::violating::breaks_protocol;

both_roles! {
    fn a_continuation_of_nothing_fails(role) {
        for first in [CONTINUATION, FIN | CONTINUATION] {
            breaks_protocol(role, &frame_to(role, first, b"x"), Violation::UnexpectedContinuation);
        }
    }

    fn a_new_message_inside_another_fails(role) {
        for op in [TEXT, BINARY] {
            let bytes = [frame_to(role, TEXT, b"un"), frame_to(role, FIN | op, b"x")].concat();
            breaks_protocol(role, &bytes, Violation::ExpectedContinuation);
        }
    }

    fn fragments_are_joined_and_may_be_empty_or_cut_inside_a_character(role) {
        let mut connection = connection(role, Config::default());
        let text = "수다";
        connection.receive(&frame_to(role, TEXT, &text.as_bytes()[..2]));
        connection.receive(&frame_to(role, CONTINUATION, b""));
        assert_eq!(connection.poll_event(), None);
        connection.receive(&frame_to(role, FIN | CONTINUATION, &text.as_bytes()[2..]));
        assert_eq!(events(&mut connection), [Event::Message(Message::text(text))]);
    }

    fn control_frames_may_stand_between_fragments(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, TEXT, b"a"));
        connection.receive(&frame_to(role, FIN | PING, b"1"));
        connection.receive(&frame_to(role, FIN | PONG, b"2"));
        connection.receive(&frame_to(role, FIN | CONTINUATION, b"b"));
        let expected = [
            Event::Ping(Bytes::from_static(b"1")),
            Event::Pong(Bytes::from_static(b"2")),
            Event::Message(Message::text("ab")),
        ];
        assert_eq!(events(&mut connection), expected);
    }

    fn a_message_in_parts_is_one_message(role) {
        let mut connection = connection(role, Config::default());
        connection.begin_message(MessageKind::Text).unwrap();
        assert_eq!(connection.send(Message::text("no")), Err(SendError::MessageOpen));
        connection.send_part(&"수".as_bytes()[..1], false).unwrap();
        connection.ping(b"between").unwrap();
        connection.send_part(&"수".as_bytes()[1..], true).unwrap();
        connection.send(Message::text("yes")).unwrap();
        let firsts: Vec<_> = sent(&mut connection).into_iter().map(|frame| frame.first).collect();
        assert_eq!(firsts, [FIN | PING, TEXT, FIN | CONTINUATION, FIN | TEXT]);
    }

    fn a_long_message_is_cut_into_frames(role) {
        let mut connection = connection(role, Config::default().frame_bytes_max(10));
        connection.send(Message::text("x".repeat(25))).unwrap();
        let frames: Vec<_> = sent(&mut connection).into_iter().map(|frame| (frame.first, frame.payload.len())).collect();
        assert_eq!(frames, [(TEXT, 10), (CONTINUATION, 10), (FIN | CONTINUATION, 5)]);
    }
}

#[test]
fn everything_arrives_in_order_over_a_link_of_any_width() {
    for link_bytes in [1, 2, 3, 7, 100, 4096, usize::MAX] {
        let mut pair = Pair::new(Config::default().frame_bytes_max(5000));
        pair.link_bytes = link_bytes;
        let messages: Vec<_> = [0, 1, 3, 200, 4095, 4097, 6000, 2]
            .into_iter()
            .map(|len| Message::binary((0..len).map(|byte| byte as u8).collect::<Vec<_>>()))
            .collect();
        for message in &messages {
            pair.client.send(message.clone()).unwrap();
            pair.server.send(message.clone()).unwrap();
            pair.server
                .try_send_prepared(&PreparedMessage::new(message.clone()))
                .unwrap();
        }
        let (at_client, at_server) = pair.run();
        let expected: Vec<_> = messages.iter().cloned().map(Event::Message).collect();
        assert_eq!(at_server, expected);
        let twice: Vec<_> = expected
            .iter()
            .flat_map(|event| [event.clone(), event.clone()])
            .collect();
        assert_eq!(at_client, twice);
    }
}
