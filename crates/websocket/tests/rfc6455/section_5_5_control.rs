//! Control frames of any kind (RFC 6455, section 5.5).

use bytes::Bytes;
use suda_websocket::{Config, Event, SendError, Violation};

use crate::pair::*;
use crate::violating::breaks_protocol;

both_roles! {
    fn fragmented_control_frames_fail(role) {
        for op in [CLOSE, PING, PONG] {
            breaks_protocol(role, &frame_to(role, op, b""), Violation::FragmentedControl);
        }
    }

    fn control_frames_over_125_bytes_fail(role) {
        for op in [CLOSE, PING, PONG] {
            breaks_protocol(role, &frame_to(role, FIN | op, &[b'x'; 126]), Violation::LongControl);
        }
    }

    fn a_ping_takes_at_most_125_bytes(role) {
        let mut connection = connection(role, Config::default());
        assert_eq!(connection.ping(&[0; 126]), Err(SendError::ControlTooLong));
        assert_eq!(connection.buffered(), 0);
        connection.ping(&[0; 125]).unwrap();
        assert_eq!(sent(&mut connection)[0].payload.len(), 125);
    }

    fn control_frames_of_0_and_of_125_bytes_are_taken(role) {
        for len in [0, 125] {
            let payload = Bytes::from(vec![b'x'; len]);
            let mut connection = connection(role, Config::default());
            connection.receive(&frame_to(role, FIN | PING, &payload));
            connection.receive(&frame_to(role, FIN | PONG, &payload));
            let expected = [Event::Ping(payload.clone()), Event::Pong(payload)];
            assert_eq!(events(&mut connection), expected);
        }
    }
}
