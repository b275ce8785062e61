//! Pings and pongs (RFC 6455, sections 5.5.2 and 5.5.3).

use bytes::Bytes;
use suda_websocket::{
    CONTROL_FRAMES_MAX, Config, Event, Message, PENDING_PONGS_MAX, Role, SendError,
};

use crate::pair::*;

both_roles! {
    fn a_ping_is_answered_with_its_payload(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | PING, b"once"));
        assert_eq!(events(&mut connection), [Event::Ping(Bytes::from_static(b"once"))]);
        let frames = sent(&mut connection);
        assert_eq!(frames, [Sent { first: FIN | PONG, masked: role == Role::Client, payload: b"once".to_vec() }]);
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

    fn a_pong_that_is_half_sent_is_not_replaced(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | PING, b"first"));
        connection.poll_event();
        let mut bytes = connection.transmit().next().unwrap()[..3].to_vec();
        connection.advance(3);
        for _ in 0..100 {
            connection.receive(&frame_to(role, FIN | PING, b"later"));
            connection.poll_event();
        }
        bytes.extend(drain(&mut connection));
        let pongs = frames(&bytes);
        assert_eq!(pongs[0].payload, b"first");
        assert_eq!(pongs.len(), PENDING_PONGS_MAX);
    }

    fn a_ping_takes_at_most_125_bytes(role) {
        let mut connection = connection(role, Config::default());
        assert_eq!(connection.ping(&[0; 126]), Err(SendError::ControlTooLong));
        assert_eq!(connection.buffered(), 0);
        connection.ping(&[0; 125]).unwrap();
        assert_eq!(sent(&mut connection)[0].payload.len(), 125);
    }

    fn waiting_pings_are_bounded(role) {
        let mut connection = connection(role, Config::default());
        let taken = std::iter::repeat_with(|| connection.ping(b"")).take_while(|queued| queued.is_ok()).count();
        assert!((CONTROL_FRAMES_MAX..=CONTROL_FRAMES_MAX + PENDING_PONGS_MAX).contains(&taken));
        assert_eq!(connection.ping(b""), Err(SendError::ControlQueueFull));
    }

    fn a_control_frame_waits_for_one_piece_of_a_long_message_only(role) {
        let mut connection = connection(role, Config::default().frame_bytes_max(1000));
        connection.send(Message::binary(vec![1; 200_000])).unwrap();
        // The first piece is on its way.
        let mut bytes = connection.transmit().next().unwrap()[..1].to_vec();
        connection.advance(1);
        connection.ping(b"now").unwrap();
        bytes.extend(drain(&mut connection));
        let frames = frames(&bytes);
        let position = frames.iter().position(|frame| frame.first == FIN | PING).unwrap();
        let waited: usize = frames[..position].iter().map(|frame| frame.payload.len()).sum();
        assert!(waited <= 64 << 10, "{waited} bytes went first");
        assert!(position + 1 < frames.len());
    }
}
