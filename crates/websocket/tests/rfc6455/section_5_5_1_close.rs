//! The close frame (RFC 6455, section 5.5.1).

use suda_websocket::{CloseCode, Config, Message, Role, SendError, Violation};

use crate::pair::*;
use crate::violating::breaks_protocol;
use crate::violating::closed;

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

    fn nothing_is_sent_after_a_close_frame(role) {
        let mut connection = connection(role, Config::default());
        connection.send(Message::text("before")).unwrap();
        connection.close(CloseCode::GOING_AWAY, "bye").unwrap();
        assert_eq!(connection.send(Message::text("after")), Err(SendError::Closing));
        assert_eq!(connection.ping(b""), Err(SendError::Closing));
        assert_eq!(connection.close(CloseCode::NORMAL, ""), Err(SendError::Closing));
        let mut bytes = drain(&mut connection);
        connection.receive(&frame_to(role, FIN | PING, b"x"));
        events(&mut connection);
        bytes.extend(drain(&mut connection));
        let firsts: Vec<_> = frames(&bytes).into_iter().map(|frame| frame.first).collect();
        assert_eq!(firsts, [FIN | TEXT, FIN | CLOSE]);
    }

    fn nothing_is_sent_after_a_close_frame_that_is_half_sent(role) {
        let mut connection = connection(role, Config::default());
        connection.close(CloseCode::GOING_AWAY, "bye").unwrap();
        let mut bytes = connection.transmit().next().unwrap()[..1].to_vec();
        connection.advance(1);
        connection.receive(&frame_to(role, FIN | PING, b"x"));
        events(&mut connection);
        bytes.extend(drain(&mut connection));
        let firsts: Vec<_> = frames(&bytes).into_iter().map(|frame| frame.first).collect();
        assert_eq!(firsts, [FIN | CLOSE]);
    }

    fn a_close_payload_of_one_byte_fails(role) {
        breaks_protocol(role, &frame_to(role, FIN | CLOSE, &[3]), Violation::BadClose);
    }

    fn a_close_frame_may_come_between_fragments(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, TEXT, b"un"));
        connection.receive(&frame_to(role, FIN | CLOSE, &close_payload(1001, b"")));
        assert_eq!(events(&mut connection), [closed(1001, "")]);
    }
}
