//! Limits that a peer cannot exceed (RFC 6455, section 10.4).

use suda_websocket::{CONTROL_FRAMES_MAX, Config, Event, SendError, Violation};

use crate::pair::*;
use crate::violating::violates;

both_roles! {
    fn a_frame_over_the_read_limit_fails_with_1009_before_its_payload(role) {
        let config = Config::default().read_limit(1000);
        violates(role, config.clone(), &header_to(role, FIN | BINARY, 1001), Violation::TooLong);
        violates(role, config, &header_to(role, FIN | BINARY, (1 << 63) - 1), Violation::TooLong);
    }

    fn fragments_count_together_towards_the_read_limit(role) {
        let bytes = [frame_to(role, BINARY, &[0; 600]), header_to(role, CONTINUATION, 401)].concat();
        violates(role, Config::default().read_limit(1000), &bytes, Violation::TooLong);
    }

    fn too_many_fragments_fail_with_1009(role) {
        let mut bytes = frame_to(role, TEXT, b"");
        for _ in 0..3 {
            bytes.extend(frame_to(role, CONTINUATION, b""));
        }
        violates(role, Config::default().fragments_max(3), &bytes, Violation::TooManyFragments);
    }

    fn fragments_of_a_good_size_are_bounded_by_the_read_limit_alone(role) {
        let mut connection = connection(role, Config::default().fragments_max(3));
        connection.receive(&frame_to(role, BINARY, &[0; 1024]));
        for _ in 0..500 {
            connection.receive(&frame_to(role, CONTINUATION, &[0; 1024]));
            assert_eq!(connection.poll_event(), None);
        }
        // Three more, whatever they hold.
        for fin in [0, 0, FIN] {
            connection.receive(&frame_to(role, fin | CONTINUATION, b""));
        }
        let Some(Event::Message(message)) = connection.poll_event() else {
            panic!("no message")
        };
        assert_eq!(message.len(), 501 * 1024);
    }

    fn an_unread_length_reserves_nothing(role) {
        let mut connection = connection(role, Config::default().read_limit(usize::MAX));
        connection.receive(&header_to(role, FIN | BINARY, 1 << 40));
        assert_eq!(connection.poll_event(), None);
        assert!(connection.input().capacity() < 4096);
        assert_eq!(connection.missing_bytes(), 1 << 40);
    }

    fn waiting_pings_are_bounded(role) {
        let mut connection = connection(role, Config::default());
        let taken = std::iter::repeat_with(|| connection.ping(b"")).take_while(|queued| queued.is_ok()).count();
        assert_eq!(taken, CONTROL_FRAMES_MAX);
        assert_eq!(connection.ping(b""), Err(SendError::ControlQueueFull));
    }
}
