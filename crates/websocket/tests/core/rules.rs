//! What the peer may not do (RFC 6455, sections 5 and 8): one close frame with the right code, one final event.

use suda_websocket::{Config, Event, Role, Violation};

use crate::pair::*;

/// Feeds `bytes` and expects the violation, exactly one close frame, and silence after it.
fn violates(role: Role, config: Config, bytes: &[u8], violation: Violation) {
    let mut connection = connection(role, config);
    connection.receive(bytes);
    assert_eq!(
        connection.poll_event(),
        Some(Event::Failed(violation)),
        "{bytes:x?}"
    );
    assert_eq!(connection.poll_event(), None);

    connection.receive(&frame_to(role, FIN | TEXT, b"too late"));
    connection.receive_eof();
    assert_eq!(connection.poll_event(), None, "what follows is ignored");
    assert!(connection.is_closing() && connection.is_ended());

    let code = violation.close_code().0;
    let frames = sent(&mut connection);
    assert_eq!(frames.len(), 1);
    assert_eq!(
        (frames[0].first, &frames[0].payload[..2]),
        (FIN | CLOSE, &code.to_be_bytes()[..])
    );
    assert_eq!(frames[0].masked, role == Role::Client);
}

fn breaks_protocol(role: Role, bytes: &[u8], violation: Violation) {
    assert_eq!(violation.close_code().0, 1002);
    violates(role, Config::default(), bytes, violation);
}

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

    fn a_wrong_mask_bit_fails(role) {
        let (other, violation) = match role {
            Role::Server => (Role::Client, Violation::Unmasked),
            Role::Client => (Role::Server, Violation::Masked),
        };
        breaks_protocol(role, &frame_to(other, FIN | TEXT, b"hi"), violation);
    }

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

    fn a_close_payload_of_one_byte_fails(role) {
        breaks_protocol(role, &frame_to(role, FIN | CLOSE, &[3]), Violation::BadClose);
    }

    fn close_codes_that_must_not_be_sent_fail(role) {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
            breaks_protocol(role, &frame_to(role, FIN | CLOSE, &close_payload(code, b"")), Violation::BadClose);
        }
    }

    fn a_close_reason_that_is_not_utf8_fails_with_1007(role) {
        let bytes = frame_to(role, FIN | CLOSE, &close_payload(1000, &[0xff]));
        violates(role, Config::default(), &bytes, Violation::InvalidUtf8);
    }

    fn what_two_bytes_rule_out_fails_before_the_rest_of_the_header(role) {
        let first_two = &frame_to(role, FIN | 0x40 | TEXT, &[0; 300])[..2];
        breaks_protocol(role, first_two, Violation::ReservedBits);
    }

    fn text_that_is_not_utf8_fails_with_1007_before_the_frame_ends(role) {
        // A frame of a megabyte, of which the third byte is wrong and no more has arrived.
        let mut bytes = header_to(role, FIN | TEXT, 1 << 20);
        let payload = frame_to(role, FIN | TEXT, b"ok\xff");
        bytes.extend(&payload[payload.len() - 3..]);
        violates(role, Config::default(), &bytes, Violation::InvalidUtf8);
    }

    fn text_that_is_not_utf8_fails_before_the_message_ends(role) {
        let bytes = [frame_to(role, TEXT, "수".as_bytes()), frame_to(role, CONTINUATION, b"\xed\xa0")].concat();
        violates(role, Config::default(), &bytes, Violation::InvalidUtf8);
    }

    fn text_that_ends_inside_a_character_fails(role) {
        violates(role, Config::default(), &frame_to(role, FIN | TEXT, b"\xec\x88"), Violation::InvalidUtf8);
        let bytes = [frame_to(role, TEXT, b"\xec\x88"), frame_to(role, FIN | CONTINUATION, b"")].concat();
        violates(role, Config::default(), &bytes, Violation::InvalidUtf8);
    }

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
}
