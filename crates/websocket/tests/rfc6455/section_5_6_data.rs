//! Text and binary (RFC 6455, sections 5.6 and 6).

use suda_websocket::{Config, Event, Message, MessageKind};

use crate::pair::*;

both_roles! {
    fn a_binary_message_may_hold_any_bytes(role) {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | BINARY, &bytes));
        assert_eq!(events(&mut connection), [Event::Message(Message::binary(bytes))]);
    }

    fn the_kind_is_that_of_the_first_frame(role) {
        for (op, kind) in [(TEXT, MessageKind::Text), (BINARY, MessageKind::Binary)] {
            let mut connection = connection(role, Config::default());
            connection.receive(&frame_to(role, op, b"a"));
            connection.receive(&frame_to(role, CONTINUATION, b"b"));
            connection.receive(&frame_to(role, FIN | CONTINUATION, b"c"));
            let Some(Event::Message(message)) = connection.poll_event() else {
                panic!("no message")
            };
            assert_eq!((message.kind(), message.as_bytes()), (kind, &b"abc"[..]));
        }
    }

    fn what_is_sent_says_what_it_is_in_its_first_frame_only(role) {
        let mut connection = connection(role, Config::default().frame_bytes_max(2));
        connection.send(Message::text("text")).unwrap();
        connection.send(Message::binary(b"data".to_vec())).unwrap();
        let firsts: Vec<_> = sent(&mut connection).into_iter().map(|frame| frame.first).collect();
        assert_eq!(firsts, [TEXT, FIN | CONTINUATION, BINARY, FIN | CONTINUATION]);
    }
}
