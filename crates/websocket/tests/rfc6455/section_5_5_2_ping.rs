//! Pings and pongs (RFC 6455, sections 5.5.2 and 5.5.3).

use bytes::Bytes;
use suda_websocket::{CloseCode, Config, Event, Message, PENDING_PONGS_MAX, Role};

use crate::pair::*;

both_roles! {
    fn a_ping_is_answered_with_its_payload(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | PING, b"once"));
        assert_eq!(events(&mut connection), [Event::Ping(Bytes::from_static(b"once"))]);
        let frames = sent(&mut connection);
        assert_eq!(frames, [Sent { first: FIN | PONG, masked: role == Role::Client, payload: b"once".to_vec() }]);
    }

    fn an_unasked_pong_is_not_answered(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | PONG, b"x"));
        assert_eq!(events(&mut connection).len(), 1);
        assert_eq!(connection.buffered(), 0);
    }

    fn a_flood_of_pings_is_answered_by_the_newest_few_in_order(role) {
        let mut connection = connection(role, Config::default());
        for number in 0..1000u16 {
            connection.receive(&frame_to(role, FIN | PING, &number.to_be_bytes()));
            assert!(connection.poll_event().is_some());
        }
        let pongs: Vec<_> = sent(&mut connection).into_iter().map(|frame| frame.payload).collect();
        let newest: Vec<_> = (1000 - PENDING_PONGS_MAX as u16..1000).map(|number| number.to_be_bytes().to_vec()).collect();
        assert_eq!(pongs, newest);
    }

    fn a_ping_is_answered_while_our_close_frame_still_waits(role) {
        for begun in [0, 3] {
            let mut connection = connection(role, Config::default());
            connection.send(Message::text("before")).unwrap();
            let mut bytes = connection.transmit().next().unwrap()[..begun].to_vec();
            connection.advance(begun);
            connection.close(CloseCode::NORMAL, "").unwrap();
            connection.receive(&frame_to(role, FIN | PING, b"alive?"));
            events(&mut connection);
            bytes.extend(drain(&mut connection));
            let mut firsts: Vec<_> = frames(&bytes).into_iter().map(|frame| frame.first).collect();
            assert_eq!(firsts.pop(), Some(FIN | CLOSE));
            firsts.sort_unstable();
            assert_eq!(firsts, [FIN | TEXT, FIN | PONG]);
        }
    }

    fn a_ping_behind_a_close_frame_is_not_answered(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | CLOSE, &close_payload(1000, b"")));
        connection.receive(&frame_to(role, FIN | PING, b"late"));
        events(&mut connection);
        let firsts: Vec<_> = sent(&mut connection).into_iter().map(|frame| frame.first).collect();
        assert_eq!(firsts, [FIN | CLOSE]);
    }
}
