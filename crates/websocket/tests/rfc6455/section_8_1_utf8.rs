//! Text that is not UTF-8 (RFC 6455, section 8.1).

use suda_websocket::{Config, Event, Message, MessageKind, SendError, Violation};

use crate::pair::*;
use crate::violating::violates;

both_roles! {
    fn a_close_reason_that_is_not_utf8_fails_with_1007(role) {
        let bytes = frame_to(role, FIN | CLOSE, &close_payload(1000, &[0xff]));
        violates(role, Config::default(), &bytes, Violation::InvalidUtf8);
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

    fn text_in_parts_must_be_utf8(role) {
        let mut connection = connection(role, Config::default());
        connection.begin_message(MessageKind::Text).unwrap();
        assert_eq!(connection.send_part(b"\xff", false), Err(SendError::InvalidUtf8));
        assert_eq!(connection.buffered(), 0);
    }

    fn every_way_of_not_being_utf8_fails_in_one_frame_and_cut_anywhere(role) {
        let bad: [&[u8]; 10] = [
            b"\x80",                 // a continuation of nothing
            b"\xc0\xaf",             // two bytes for what takes one
            b"\xe0\x80\xaf",         // three for one
            b"\xf0\x80\x80\xaf",     // four for one
            b"\xed\xa0\x80",         // the first surrogate
            b"\xed\xbf\xbf",         // the last surrogate
            b"\xf4\x90\x80\x80",     // behind the last character
            b"\xf8\x88\x80\x80\x80", // five bytes
            b"\xce\xba\xe1x",        // broken off
            b"\xff",
        ];
        for bad in bad {
            let text = [b"ok ", bad, b" ok"].concat();
            violates(role, Config::default(), &frame_to(role, FIN | TEXT, &text), Violation::InvalidUtf8);
            for cut in 0..=text.len() {
                let bytes = [
                    frame_to(role, TEXT, &text[..cut]),
                    frame_to(role, FIN | CONTINUATION, &text[cut..]),
                ];
                violates(role, Config::default(), &bytes.concat(), Violation::InvalidUtf8);
            }
        }
    }

    fn the_edges_of_utf8_are_text(role) {
        let text = "\0\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{fffe}\u{ffff}\u{10000}\u{10ffff}";
        for cut in 0..=text.len() {
            let mut connection = connection(role, Config::default());
            connection.receive(&frame_to(role, TEXT, &text.as_bytes()[..cut]));
            connection.receive(&frame_to(role, FIN | CONTINUATION, &text.as_bytes()[cut..]));
            assert_eq!(events(&mut connection), [Event::Message(Message::text(text))]);
        }
    }
}
