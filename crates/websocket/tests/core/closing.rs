//! The close handshake (RFC 6455, sections 5.5.1 and 7).

use suda_websocket::{CloseCode, CloseError, Config, Event, Message, Role, SendError, Utf8Bytes};

use crate::pair::*;

fn closed(code: u16, reason: &'static str) -> Event {
    Event::Closed(CloseError {
        code: CloseCode(code),
        reason: Utf8Bytes::from_static(reason),
    })
}

both_roles! {
    fn a_close_frame_is_answered_with_its_code(role) {
        for code in [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999] {
            let mut connection = connection(role, Config::default());
            connection.receive(&frame_to(role, FIN | CLOSE, &close_payload(code, "안녕".as_bytes())));
            assert_eq!(events(&mut connection), [closed(code, "안녕")]);
            let frames = sent(&mut connection);
            assert_eq!(frames.len(), 1);
            assert_eq!((frames[0].first, &frames[0].payload[..]), (FIN | CLOSE, &code.to_be_bytes()[..]));
        }
    }

    fn a_close_frame_without_a_code_is_answered_without_one(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | CLOSE, b""));
        assert_eq!(events(&mut connection), [closed(1005, "")]);
        assert_eq!(sent(&mut connection), [Sent { first: FIN | CLOSE, masked: role == Role::Client, payload: vec![] }]);
    }

    fn nothing_is_read_after_a_close_frame(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | CLOSE, &close_payload(1000, b"")));
        connection.receive(&frame_to(role, FIN | TEXT, b"late"));
        connection.receive(&[0xff; 20]);
        connection.receive_eof();
        assert_eq!(events(&mut connection).len(), 1);
        assert_eq!(sent(&mut connection).len(), 1);
    }

    fn nothing_is_sent_after_a_close_frame(role) {
        let mut connection = connection(role, Config::default());
        connection.send(Message::text("before")).unwrap();
        connection.close(CloseCode::GOING_AWAY, "bye").unwrap();
        assert_eq!(connection.send(Message::text("after")), Err(SendError::Closing));
        assert_eq!(connection.ping(b""), Err(SendError::Closing));
        assert_eq!(connection.close(CloseCode::NORMAL, ""), Err(SendError::Closing));
        connection.receive(&frame_to(role, FIN | PING, b"x"));
        events(&mut connection);
        let firsts: Vec<_> = sent(&mut connection).into_iter().map(|frame| frame.first).collect();
        assert_eq!(firsts, [FIN | TEXT, FIN | CLOSE]);
    }

    fn messages_are_read_until_the_peers_close_frame(role) {
        let mut connection = connection(role, Config::default());
        connection.close(CloseCode::NORMAL, "").unwrap();
        connection.receive(&frame_to(role, FIN | TEXT, b"under way"));
        connection.receive(&frame_to(role, FIN | CLOSE, &close_payload(1000, b"")));
        assert_eq!(events(&mut connection), [Event::Message(Message::text("under way")), closed(1000, "")]);
        assert_eq!(sent(&mut connection).len(), 1, "one close frame is enough");
    }

    fn the_end_of_the_stream_without_a_close_frame_is_1006(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | TEXT, b"last"));
        connection.receive(&frame_to(role, FIN | TEXT, b"cut off")[..4]);
        connection.receive_eof();
        assert_eq!(events(&mut connection), [Event::Message(Message::text("last")), closed(1006, "")]);
        assert_eq!(connection.buffered(), 0, "there is nobody to answer");
    }

    fn only_codes_and_reasons_that_may_be_sent_are_taken(role) {
        let mut connection = connection(role, Config::default());
        for code in [0, 999, 1004, 1006, 1015, 2999, 5000] {
            assert_eq!(connection.close(CloseCode(code), ""), Err(SendError::BadCloseCode));
        }
        assert_eq!(connection.close(CloseCode::NORMAL, &"x".repeat(124)), Err(SendError::ReasonTooLong));
        assert_eq!(connection.buffered(), 0);
        connection.close(CloseCode(4000), &"x".repeat(123)).unwrap();
        assert_eq!(sent(&mut connection)[0].payload.len(), 125);
    }

    fn a_close_frame_may_come_between_fragments(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, TEXT, b"un"));
        connection.receive(&frame_to(role, FIN | CLOSE, &close_payload(1001, b"")));
        assert_eq!(events(&mut connection), [closed(1001, "")]);
    }
}

#[test]
fn both_sides_may_close_at_once() {
    let mut pair = Pair::new(Config::default());
    pair.client.close(CloseCode(4001), "client").unwrap();
    pair.server.close(CloseCode(4002), "server").unwrap();
    let (at_client, at_server) = pair.run();
    assert_eq!(at_client, [closed(4002, "server")]);
    assert_eq!(at_server, [closed(4001, "client")]);
}

#[test]
fn the_answer_completes_the_handshake() {
    let mut pair = Pair::new(Config::default());
    pair.link_bytes = 1;
    pair.client.close(CloseCode::NORMAL, "bye").unwrap();
    let (at_client, at_server) = pair.run();
    assert_eq!(at_client, [closed(1000, "")]);
    assert_eq!(at_server, [closed(1000, "bye")]);
}

#[test]
fn control_frames_that_wait_behind_a_begun_frame_still_go_before_the_close_frame() {
    let mut server = connection(Role::Server, Config::default());
    server.send(Message::text("half sent")).unwrap();
    let mut bytes = server.transmit().next().unwrap()[..3].to_vec();
    server.advance(3);
    server.ping(b"waits").unwrap();
    server.close(CloseCode::NORMAL, "").unwrap();
    bytes.extend(drain(&mut server));
    let firsts: Vec<_> = frames(&bytes)
        .into_iter()
        .map(|frame| frame.first)
        .collect();
    assert_eq!(firsts, [FIN | TEXT, FIN | PING, FIN | CLOSE]);
}
