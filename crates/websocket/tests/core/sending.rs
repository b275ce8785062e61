//! What is sent, and that it arrives over a link of any width.

use suda_websocket::{Config, Event, Message, MessageKind, PreparedMessage, Role, SendError};

use crate::pair::*;

both_roles! {
    fn a_client_masks_with_fresh_keys_and_a_server_does_not(role) {
        let mut connection = connection(role, Config::default());
        let mut seen = std::collections::HashSet::new();
        for _ in 0..100 {
            connection.send(Message::text("the same each time")).unwrap();
            let bytes = drain(&mut connection);
            assert_eq!(frames(&bytes)[0].masked, role == Role::Client);
            seen.insert(bytes);
        }
        assert_eq!(seen.len(), if role == Role::Client { 100 } else { 1 });
    }

    fn a_short_message_is_one_frame_and_lengths_are_minimal(role) {
        for (len, header_len) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10), (1 << 20, 10)] {
            let mut connection = connection(role, Config::default());
            connection.send(Message::binary(vec![0; len])).unwrap();
            let bytes = drain(&mut connection);
            let mask_len = if role == Role::Client { 4 } else { 0 };
            assert_eq!(bytes.len(), header_len + mask_len + len);
            assert_eq!(frames(&bytes)[0].first, FIN | BINARY);
        }
    }

    fn a_long_message_is_cut_into_frames(role) {
        let mut connection = connection(role, Config::default().frame_bytes_max(10));
        connection.send(Message::text("x".repeat(25))).unwrap();
        let frames: Vec<_> = sent(&mut connection).into_iter().map(|frame| (frame.first, frame.payload.len())).collect();
        assert_eq!(frames, [(TEXT, 10), (CONTINUATION, 10), (FIN | CONTINUATION, 5)]);
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

    fn text_in_parts_must_be_utf8(role) {
        let mut connection = connection(role, Config::default());
        connection.begin_message(MessageKind::Text).unwrap();
        assert_eq!(connection.send_part(b"\xff", false), Err(SendError::InvalidUtf8));
        assert_eq!(connection.buffered(), 0);
    }

    fn a_prepared_message_is_what_the_message_would_be(role) {
        let mut connection = connection(role, Config::default().frame_bytes_max(50_000));
        for message in [Message::text("수다"), Message::binary(vec![3; 40_000]), Message::binary(vec![4; 120_000])] {
            connection.send(message.clone()).unwrap();
            let plain = sent(&mut connection);
            connection.try_send_prepared(&PreparedMessage::new(message)).unwrap();
            assert_eq!(sent(&mut connection), plain);
        }
    }

    fn a_full_outbox_refuses_prepared_messages(role) {
        let mut connection = connection(role, Config::default().outbox_bytes_max(1000));
        let message = PreparedMessage::binary(vec![0; 600]);
        connection.try_send_prepared(&message).unwrap();
        connection.try_send_prepared(&message).unwrap();
        let before = connection.buffered();
        assert_eq!(connection.try_send_prepared(&message), Err(SendError::Full));
        assert_eq!(connection.buffered(), before);
        drain(&mut connection);
        connection.try_send_prepared(&message).unwrap();
    }
}

#[test]
fn a_server_queues_a_reference_to_a_prepared_message() {
    let message = PreparedMessage::text("to everybody");
    let payload = message.payload().as_ptr_range();
    let mut server = connection(Role::Server, Config::default());
    server.try_send_prepared(&message).unwrap();
    let chunk = server.transmit().next().unwrap().as_ptr_range();
    assert!(chunk.contains(&payload.start));
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
