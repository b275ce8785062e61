//! What is sent (RFC 7692, sections 6 and 7.2.1), read by zlib.

use suda_websocket::{
    COMPRESSION_LEVEL_DEFAULT, Compression, Config, Connection, Event, Message, MessageKind,
    PreparedMessage, Role, SendError, TAKEOVER_LEVEL_DEFAULT,
};

use crate::{deflating, forgetting, keeping, noise, pair::*, sample, zlib::Decoder};

const RSV1: u8 = 0x40;

both_roles! {
    fn section_6_1_rsv1_marks_only_the_first_frame_of_a_compressed_message(role) {
        let config = Config::default().frame_bytes_max(100);
        let mut connection = deflating(role, config, forgetting());
        let payload = sample(3000);
        connection.send(Message::binary(payload.clone())).unwrap();
        connection.ping(b"between").unwrap();
        let frames = sent(&mut connection);
        assert!(frames.len() > 5);
        let (control, data): (Vec<_>, Vec<_>) = frames.into_iter().partition(|frame| frame.first == FIN | PING);
        assert_eq!(control.len(), 1, "a control frame is never compressed");
        for (index, frame) in data.iter().enumerate() {
            let fin = if index == data.len() - 1 { FIN } else { 0 };
            let lead = if index == 0 { RSV1 | BINARY } else { CONTINUATION };
            assert_eq!(frame.first, fin | lead);
        }
        let whole = data.into_iter().flat_map(|frame| frame.payload).collect::<Vec<_>>();
        assert_eq!(Decoder::new(15).message(&whole), payload);
    }

    fn section_7_2_1_the_tail_is_left_out_at_every_level_and_window(role) {
        let payload = sample(70_000);
        for level in 0..=9 {
            for bits in 9..=15 {
                let compression = forgetting().level(level).server_max_window_bits(bits).client_max_window_bits(bits);
                let mut connection = deflating(role, Config::default(), compression);
                connection.send(Message::binary(payload.clone())).unwrap();
                let frames = sent(&mut connection);
                assert!(!frames[0].payload.ends_with(&[0, 0, 0xff, 0xff]));
                assert_eq!(Decoder::new(bits).message(&frames[0].payload), payload, "level {level}, window {bits}");
            }
        }
    }

    fn messages_that_just_fill_the_workspace_are_whole(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        let mut peer = Decoder::new(15);
        let mut longest = 0;
        for len in (16_340..16_400).chain(32_720..32_780) {
            let payload = noise(len);
            // Fresh each time, so that there is nothing to refer to.
            let mut alone = deflating(role, Config::default(), forgetting());
            alone.send(Message::binary(payload.clone())).unwrap();
            let frame = sent(&mut alone).remove(0);
            longest = longest.max(frame.payload.len());
            assert!(Decoder::new(15).message(&frame.payload) == payload, "{len} bytes");
            connection.send(Message::binary(payload.clone())).unwrap();
            assert!(peer.message(&sent(&mut connection)[0].payload) == payload, "{len} bytes");
        }
        assert!(longest > 32 << 10, "past the first and the second size of the workspace");
    }

    fn every_memory_level_compresses(role) {
        let payload = sample(70_000);
        for memory_level in 1..=9 {
            let mut connection = deflating(role, Config::default(), forgetting().memory_level(memory_level));
            connection.send(Message::binary(payload.clone())).unwrap();
            assert_eq!(Decoder::new(15).message(&sent(&mut connection)[0].payload), payload);
        }
    }

    fn section_7_2_3_6_an_empty_message_is_one_zero_byte(role) {
        for compression in [forgetting(), keeping()] {
            let mut connection = deflating(role, Config::default(), compression);
            for _ in 0..3 {
                connection.send(Message::text("")).unwrap();
                let frames = sent(&mut connection);
                assert_eq!((frames[0].first, &frames[0].payload[..]), (FIN | RSV1 | TEXT, &[0][..]));
            }
        }
    }

    fn section_7_1_1_without_takeover_each_message_stands_alone(role) {
        let mut connection = deflating(role, Config::default(), forgetting());
        let payload = sample(5000);
        for _ in 0..3 {
            connection.send(Message::binary(payload.clone())).unwrap();
            assert_eq!(Decoder::new(15).message(&sent(&mut connection)[0].payload), payload);
        }
    }

    fn section_7_2_3_2_with_takeover_a_repeated_message_gets_short(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        let mut peer = Decoder::new(15);
        let payload = sample(5000);
        let lens: Vec<_> = (0..3).map(|_| {
            connection.send(Message::binary(payload.clone())).unwrap();
            let frames = sent(&mut connection);
            assert_eq!(peer.message(&frames[0].payload), payload);
            frames[0].payload.len()
        }).collect();
        assert!(lens[1] < lens[0] / 10 && lens[2] < lens[0] / 10, "{lens:?}");
    }

    fn section_7_2_1_a_context_taken_over_refers_no_further_back_than_its_history(role) {
        for bits in 9..=15 {
            let mut connection = deflating(role, Config::default(), keeping().history_bits(bits));
            // With no more than that, though the window agreed on is of 15 bits.
            let mut peer = Decoder::new(bits);
            let payload = sample((1 << bits) / 2);
            let lens: Vec<_> = (0..3).map(|_| {
                connection.send(Message::binary(payload.clone())).unwrap();
                let frames = sent(&mut connection);
                assert_eq!(peer.message(&frames[0].payload), payload, "{bits}");
                frames[0].payload.len()
            }).collect();
            assert!(bits == 9 || lens[2] < lens[0] / 4, "{bits}: {lens:?}");
        }
    }

    fn short_messages_and_those_switched_off_go_as_they_are(role) {
        let mut connection = deflating(role, Config::default(), keeping().bytes_min(10));
        let mut peer = Decoder::new(15);
        let long = "a long text that is worth it";
        for (text, on, compressed) in [("nine byte", true, false), ("ten bytes.", true, true), (long, false, false), (long, true, true)] {
            connection.set_compression(on);
            connection.send(Message::text(text)).unwrap();
            let frame = sent(&mut connection).remove(0);
            assert_eq!(frame.first & RSV1 != 0, compressed, "{text}");
            let payload = if compressed { peer.message(&frame.payload) } else { frame.payload };
            assert_eq!(payload, text.as_bytes());
        }
    }

    fn the_level_can_change_between_messages(role) {
        for compression in [forgetting(), keeping()] {
            let mut connection = deflating(role, Config::default(), compression);
            let mut peer = Decoder::new(15);
            let payload = sample(20_000);
            for level in [6, 9, 1, 0, 5, 2, 0, 9, 200] {
                connection.set_compression_level(level);
                connection.send(Message::binary(payload.clone())).unwrap();
                assert_eq!(peer.message(&sent(&mut connection)[0].payload), payload, "level {level}");
            }
        }
    }

    fn a_client_window_of_8_leaves_messages_uncompressed(role) {
        let mut connection = {
            let mut compression = forgetting();
            compression.client_max_window_bits = 8;
            deflating(role, Config::default(), compression)
        };
        connection.send(Message::text("안녕")).unwrap();
        let compressed = sent(&mut connection)[0].first & RSV1 != 0;
        assert_eq!(compressed, role == Role::Server);
    }

    fn parts_are_compressed_as_they_go_and_can_be_read_as_they_come(role) {
        for compression in [forgetting(), keeping()] {
            let mut connection = deflating(role, Config::default(), compression);
            let mut peer = flate2::Decompress::new(false);
            for _ in 0..2 {
                let pieces = [&sample(3000)[..], b"", "안녕".as_bytes(), b""];
                connection.begin_message(MessageKind::Binary).unwrap();
                let mut read = Vec::with_capacity(1 << 16);
                for (index, piece) in pieces.iter().enumerate() {
                    connection.send_part(piece, index == 3).unwrap();
                    let frames = sent(&mut connection);
                    for frame in &frames {
                        peer.decompress_vec(&frame.payload, &mut read, flate2::FlushDecompress::Sync).unwrap();
                    }
                    assert_eq!(frames[0].first & RSV1 != 0, index == 0);
                    assert_eq!(read, pieces[..=index].concat(), "all that was sent can be read");
                    assert_eq!(frames.last().unwrap().first & FIN != 0, index == 3);
                }
                peer.decompress_vec(&crate::zlib::TAIL, &mut read, flate2::FlushDecompress::Sync).unwrap();
                assert_eq!(read, pieces.concat());
            }
        }
    }

    fn a_message_of_no_parts_but_its_end_is_empty(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        for _ in 0..2 {
            connection.begin_message(MessageKind::Text).unwrap();
            connection.send_part(b"", true).unwrap();
            assert_eq!(sent(&mut connection)[0].payload, [0]);
        }
    }

    fn text_sent_in_parts_is_still_checked(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        connection.begin_message(MessageKind::Text).unwrap();
        connection.send_part(b"\xec", false).unwrap();
        assert_eq!(connection.send_part(b"x", false), Err(SendError::InvalidUtf8));
    }

    fn a_level_set_while_a_message_is_sent_waits_for_the_next(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        let mut peer = Decoder::new(15);
        let payload = sample(9000);
        connection.begin_message(MessageKind::Binary).unwrap();
        connection.send_part(&payload[..5000], false).unwrap();
        connection.set_compression_level(0);
        connection.set_compression(false);
        connection.send_part(&payload[5000..], true).unwrap();
        let whole = sent(&mut connection).into_iter().flat_map(|frame| frame.payload).collect::<Vec<_>>();
        assert_eq!(peer.message(&whole), payload);
    }

    fn a_prepared_message_is_compressed_for_each_kind_of_connection(role) {
        let payload = sample(9000);
        let prepared = PreparedMessage::binary(payload.clone());
        for compression in [
            forgetting(),
            forgetting().level(1),
            forgetting().server_max_window_bits(9).client_max_window_bits(9),
            keeping(),
            forgetting().bytes_min(10_000),
        ] {
            for frame_bytes_max in [usize::MAX, 1000] {
                let config = Config::default().frame_bytes_max(frame_bytes_max);
                let mut connection = deflating(role, config, compression);
                let mut peer = Decoder::new(15);
                for _ in 0..2 {
                    connection.try_send_prepared(&prepared).unwrap();
                    let frames = sent(&mut connection);
                    let compressed = frames[0].first & RSV1 != 0;
                    assert_eq!(compressed, compression.bytes_min == 0);
                    let whole = frames.into_iter().flat_map(|frame| frame.payload).collect::<Vec<_>>();
                    let whole = if compressed { peer.message(&whole) } else { whole };
                    assert_eq!(whole, payload);
                }
            }
        }
    }

    fn a_level_that_was_set_stays_whatever_becomes_of_the_context(role) {
        let payload = sample(9000);
        let first_sent = |compression: Compression| {
            let mut connection = deflating(role, Config::default(), compression);
            connection.send(Message::binary(payload.clone())).unwrap();
            sent(&mut connection).remove(0).payload
        };
        let (own, other) = (TAKEOVER_LEVEL_DEFAULT, COMPRESSION_LEVEL_DEFAULT);
        let chosen = [other, own].map(|level| first_sent(keeping().level(level)));
        assert_ne!(chosen[0], chosen[1], "the levels can be told from one another");
        assert_eq!(first_sent(keeping()), chosen[1]);
        assert_eq!(first_sent(forgetting().level(other).context_takeover(true)), chosen[0]);

        let chosen = [other, own].map(|level| first_sent(forgetting().level(level)));
        assert_ne!(chosen[0], chosen[1]);
        assert_eq!(first_sent(forgetting()), chosen[0]);
        assert_eq!(first_sent(keeping().level(own).context_takeover(false)), chosen[1]);
    }

    fn compression_tells_what_was_agreed_on(role) {
        assert_eq!(connection(role, Config::default()).compression(), None);
        assert_eq!(deflating(role, Config::default(), keeping()).compression(), Some(&keeping()));
    }
}

#[test]
fn connections_without_takeover_share_a_prepared_messages_compressed_bytes() {
    let prepared = PreparedMessage::binary(sample(50_000));
    let queued = |compression: Compression| {
        let mut connection = deflating(Role::Server, Config::default(), compression);
        connection.try_send_prepared(&prepared.clone()).unwrap();
        connection
    };
    let share = |one: Compression, other: Compression| {
        let (one, other) = (queued(one), queued(other));
        let place = |connection: &Connection| connection.transmit().next().unwrap().as_ptr();
        place(&one) == place(&other)
    };
    assert!(share(forgetting(), forgetting().bytes_min(7)));
    assert!(share(forgetting().level(1), forgetting().level(1)));
    assert!(!share(forgetting(), forgetting().level(1)));
    assert!(!share(forgetting(), forgetting().server_max_window_bits(9)));
    assert!(!share(keeping(), keeping()));
}

#[test]
fn what_one_side_compresses_the_other_reads() {
    let mut pair = Pair::new(Config::default());
    for compression in [
        forgetting(),
        keeping(),
        keeping()
            .server_max_window_bits(9)
            .client_max_window_bits(10),
    ] {
        pair.client = deflating(Role::Client, Config::default(), compression);
        pair.server = deflating(Role::Server, Config::default(), compression);
        pair.link_bytes = 7;
        for text in ["수다", "", "수다 수다 수다"] {
            pair.client.send(Message::text(text)).unwrap();
            pair.server.send(Message::text(text)).unwrap();
            let expected = vec![Event::Message(Message::text(text))];
            assert_eq!(pair.run(), (expected.clone(), expected));
        }
    }
}
