//! What is received (RFC 7692, sections 6 and 7.2.2), made by zlib and by hand.

use suda_websocket::{Config, Event, Message, Violation};

use crate::{deflating, forgetting, keeping, pair::*, sample, zlib::Encoder};

pub(crate) const RSV1: u8 = 0x40;

both_roles! {
    fn section_6_rsv1_without_negotiation_fails_with_1002(role) {
        let mut connection = connection(role, Config::default());
        connection.receive(&frame_to(role, FIN | RSV1 | TEXT, &Encoder::new(15).message(b"hi")));
        assert_eq!(connection.poll_event(), Some(Event::Failed(Violation::ReservedBits)));
        assert_eq!(Violation::ReservedBits.close_code().0, 1002);
    }

    fn section_6_1_rsv1_on_a_continuation_fails_with_1002(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        connection.receive(&frame_to(role, RSV1 | TEXT, &[0]));
        connection.receive(&frame_to(role, FIN | RSV1 | CONTINUATION, &[0]));
        assert_eq!(connection.poll_event(), Some(Event::Failed(Violation::ReservedBits)));
    }

    fn section_6_1_rsv1_on_a_control_frame_fails_with_1002(role) {
        for op in [PING, PONG, CLOSE] {
            let mut connection = deflating(role, Config::default(), keeping());
            connection.receive(&frame_to(role, FIN | RSV1 | op, b""));
            assert_eq!(connection.poll_event(), Some(Event::Failed(Violation::ReservedBits)));
        }
    }

    fn the_other_reserved_bits_still_fail(role) {
        for bits in [0x10, 0x20, 0x30, RSV1 | 0x10, RSV1 | 0x20] {
            let mut connection = deflating(role, Config::default(), keeping());
            connection.receive(&frame_to(role, FIN | bits | TEXT, &[0]));
            assert_eq!(connection.poll_event(), Some(Event::Failed(Violation::ReservedBits)));
        }
    }

    fn section_6_2_messages_without_rsv1_are_as_they_are(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        let mut peer = Encoder::new(15);
        for _ in 0..3 {
            connection.receive(&frame_to(role, FIN | RSV1 | TEXT, &peer.message("수다".as_bytes())));
            connection.receive(&frame_to(role, FIN | TEXT, b"plain"));
            assert_eq!(events(&mut connection), [Message::text("수다"), Message::text("plain")].map(Event::Message));
        }
    }

    fn section_7_2_3_1_the_example_of_one_frame_is_read(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        connection.receive(&frame_to(role, FIN | RSV1 | TEXT, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]));
        assert_eq!(events(&mut connection), [Event::Message(Message::text("Hello"))]);
    }

    fn section_7_2_3_1_the_example_of_two_frames_is_read(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        connection.receive(&frame_to(role, RSV1 | TEXT, &[0xf2, 0x48, 0xcd]));
        connection.receive(&frame_to(role, FIN | CONTINUATION, &[0xc9, 0xc9, 0x07, 0x00]));
        assert_eq!(events(&mut connection), [Event::Message(Message::text("Hello"))]);
    }

    fn section_7_2_3_2_the_example_that_refers_to_the_message_before_is_read(role) {
        let bytes = [
            frame_to(role, FIN | RSV1 | TEXT, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]),
            frame_to(role, FIN | RSV1 | TEXT, &[0xf2, 0x00, 0x11, 0x00, 0x00]),
        ].concat();
        let mut connection = deflating(role, Config::default(), keeping());
        connection.receive(&bytes);
        let hello = || Event::Message(Message::text("Hello"));
        assert_eq!(events(&mut connection), [hello(), hello()]);

        let mut forgetful = deflating(role, Config::default(), forgetting());
        forgetful.receive(&bytes);
        assert_eq!(events(&mut forgetful), [hello(), Event::Failed(Violation::BadCompression)]);
    }

    fn section_7_2_3_3_the_example_of_a_block_without_compression_is_read(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        connection.receive(&frame_to(role, FIN | RSV1 | TEXT, &stored));
        assert_eq!(events(&mut connection), [Event::Message(Message::text("Hello"))]);
    }

    fn section_7_2_3_4_the_example_of_a_block_with_bfinal_is_read(role) {
        let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        for compression in [keeping(), forgetting()] {
            let mut connection = deflating(role, Config::default(), compression);
            for _ in 0..3 {
                connection.receive(&frame_to(role, FIN | RSV1 | TEXT, &last));
                // Some peers leave the empty block behind the last one out.
                connection.receive(&frame_to(role, FIN | RSV1 | TEXT, &last[..7]));
                connection.receive(&frame_to(role, FIN | RSV1 | TEXT, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]));
            }
            assert_eq!(events(&mut connection), vec![Event::Message(Message::text("Hello")); 9]);
        }
    }

    fn section_7_2_3_4_blocks_with_bfinal_of_an_encoder_are_read(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        let mut peer = Encoder::new(15);
        let payload = sample(70_000);
        for _ in 0..3 {
            connection.receive(&frame_to(role, FIN | RSV1 | BINARY, &peer.final_message(&payload)));
            connection.receive(&frame_to(role, FIN | RSV1 | BINARY, &peer.message(&payload)));
            let expected = Event::Message(Message::binary(payload.clone()));
            assert_eq!(events(&mut connection), [expected.clone(), expected]);
            peer = Encoder::new(15);
        }
    }

    fn section_7_2_3_4_a_last_block_that_the_tail_ends_is_followed_by_the_next_message(role) {
        // A stored block, and of an empty last one what is left without its last four bytes.
        let payload = [0, 2, 0, 0xfd, 0xff, b'h', b'i', 1];
        for compression in [keeping(), forgetting()] {
            let mut connection = deflating(role, Config::default(), compression);
            for _ in 0..3 {
                connection.receive(&frame_to(role, FIN | RSV1 | TEXT, &payload));
                assert_eq!(events(&mut connection), [Event::Message(Message::text("hi"))]);
            }
        }
    }

    fn section_7_2_3_5_the_example_of_two_blocks_is_read(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        let two = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        connection.receive(&frame_to(role, FIN | RSV1 | TEXT, &two));
        assert_eq!(events(&mut connection), [Event::Message(Message::text("Hello"))]);
    }

    fn section_7_2_3_6_empty_messages_are_read(role) {
        for compression in [keeping(), forgetting()] {
            let mut connection = deflating(role, Config::default(), compression);
            for _ in 0..3 {
                connection.receive(&frame_to(role, FIN | RSV1 | TEXT, &[0]));
                // Some peers send no byte at all.
                connection.receive(&frame_to(role, FIN | RSV1 | TEXT, &[]));
                connection.receive(&frame_to(role, RSV1 | TEXT, &[]));
                connection.receive(&frame_to(role, CONTINUATION, &[]));
                connection.receive(&frame_to(role, FIN | CONTINUATION, &[0]));
            }
            assert_eq!(events(&mut connection), vec![Event::Message(Message::text("")); 9]);
        }
    }

    fn every_window_is_read_with_and_without_takeover(role) {
        let payload = sample(100_000);
        for bits in 9..=15 {
            for keeps in [false, true] {
                let compression = forgetting().context_takeover(keeps).server_max_window_bits(bits).client_max_window_bits(bits);
                let mut connection = deflating(role, Config::default(), compression);
                let mut peer = Encoder::new(bits);
                for _ in 0..3 {
                    if !keeps {
                        peer = Encoder::new(bits);
                    }
                    connection.receive(&frame_to(role, FIN | RSV1 | BINARY, &peer.message(&payload)));
                    assert_eq!(events(&mut connection), [Event::Message(Message::binary(payload.clone()))]);
                }
            }
        }
    }

    fn control_frames_come_between_the_frames_of_a_compressed_message(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        let payload = Encoder::new(15).message(&sample(1000));
        connection.receive(&frame_to(role, RSV1 | BINARY, &payload[..100]));
        connection.receive(&frame_to(role, FIN | PING, b"now"));
        connection.receive(&frame_to(role, FIN | CONTINUATION, &payload[100..]));
        assert_eq!(events(&mut connection), [Event::Ping(b"now"[..].into()), Event::Message(Message::binary(sample(1000)))]);
        assert_eq!(sent(&mut connection)[0].first, FIN | PONG);
    }

    fn utf8_is_checked_on_the_inflated_text_and_fails_at_once(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        let flushed = Encoder::new(15).flushed(b"ok \xff");
        let mut bytes = header_to(role, RSV1 | TEXT, 1 << 19);
        let frame = frame_to(role, RSV1 | TEXT, &flushed);
        bytes.extend(&frame[frame.len() - flushed.len()..]);
        connection.receive(&bytes);
        assert_eq!(connection.poll_event(), Some(Event::Failed(Violation::InvalidUtf8)));
    }

    fn text_may_be_cut_anywhere_but_must_end_with_a_character(role) {
        let text = "수다 떨다 🦀".repeat(3000);
        let payload = Encoder::new(15).message(text.as_bytes());
        let mut connection = deflating(role, Config::default(), keeping());
        let last = payload.len() - 1;
        for (index, byte) in payload.iter().enumerate() {
            let first = if index == 0 { RSV1 | TEXT } else { CONTINUATION };
            let fin = if index == last { FIN } else { 0 };
            connection.receive(&frame_to(role, fin | first, &[*byte]));
        }
        assert_eq!(events(&mut connection), [Event::Message(Message::text(text.as_str()))]);

        let cut = &text.as_bytes()[..text.len() - 1];
        let mut connection = deflating(role, Config::default(), keeping());
        connection.receive(&frame_to(role, FIN | RSV1 | TEXT, &Encoder::new(15).message(cut)));
        assert_eq!(connection.poll_event(), Some(Event::Failed(Violation::InvalidUtf8)));
    }

    fn a_skipped_message_still_feeds_the_context(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        let mut peer = Encoder::new(15);
        let first = peer.message(&sample(90_000));
        let second = peer.message(&sample(90_000));
        assert!(second.len() < first.len());
        connection.receive(&frame_to(role, FIN | RSV1 | BINARY, &first));
        assert!(matches!(connection.poll_part(), Some(Event::Part(_))));
        connection.skip_message();
        connection.receive(&frame_to(role, FIN | RSV1 | BINARY, &second));
        assert_eq!(events(&mut connection), [Event::Message(Message::binary(sample(90_000)))]);
    }
}
