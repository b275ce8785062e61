//! How a frame is laid out (RFC 6455, section 5.2).

use suda_websocket::{CloseCode, Config, Event, Message, Role, Violation};

use crate::pair::*;
use crate::violating::breaks_protocol;

both_roles! {
    fn reserved_bits_fail(role) {
        for bit in [0x10, 0x20, 0x40] {
            for op in [TEXT, BINARY, PING, CLOSE] {
                breaks_protocol(role, &frame_to(role, FIN | bit | op, b""), Violation::ReservedBits);
            }
        }
    }

    fn unknown_opcodes_fail(role) {
        for op in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            breaks_protocol(role, &frame_to(role, FIN | op, b""), Violation::UnknownOpCode(op));
        }
    }

    fn lengths_in_more_bytes_than_needed_fail(role) {
        let masked = if role == Role::Server { 0x80 } else { 0 };
        let sixteen = [&[FIN | BINARY, masked | 126][..], &125u16.to_be_bytes(), &[0; 4]].concat();
        breaks_protocol(role, &sixteen, Violation::BadLength);
        let sixty_four = [&[FIN | BINARY, masked | 127][..], &0xffffu64.to_be_bytes(), &[0; 4]].concat();
        breaks_protocol(role, &sixty_four, Violation::BadLength);
    }

    fn a_length_of_two_to_the_63_fails(role) {
        breaks_protocol(role, &header_to(role, FIN | BINARY, 1 << 63), Violation::BadLength);
    }

    fn what_two_bytes_rule_out_fails_before_the_rest_of_the_header(role) {
        let first_two = &frame_to(role, FIN | 0x40 | TEXT, &[0; 300])[..2];
        breaks_protocol(role, first_two, Violation::ReservedBits);
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

    fn no_frame_that_is_sent_has_a_reserved_bit_without_an_extension(role) {
        let mut connection = connection(role, Config::default().frame_bytes_max(3));
        connection.send(Message::text("in pieces")).unwrap();
        connection.ping(b"").unwrap();
        connection.close(CloseCode::NORMAL, "").unwrap();
        assert!(sent(&mut connection).iter().all(|frame| frame.first & 0x70 == 0));
    }

    fn each_form_of_the_length_is_taken_from_its_first_to_its_last(role) {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            let mut connection = connection(role, Config::default());
            let payload = vec![7; len];
            connection.receive(&frame_to(role, FIN | BINARY, &payload));
            assert_eq!(events(&mut connection), [Event::Message(Message::binary(payload))]);
        }
    }
}
