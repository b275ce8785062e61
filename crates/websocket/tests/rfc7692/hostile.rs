//! Compressed messages that are meant to do harm: one close frame with the right code, and bounded memory.

use suda_websocket::{Config, Connection, Event, Violation};

use crate::{
    deflating, forgetting, keeping, noise, pair::*, receiving::RSV1, sample, zlib::Encoder,
};

fn fails(connection: &mut Connection, violation: Violation) {
    let last = std::iter::from_fn(|| connection.poll_part()).last();
    assert_eq!(last, Some(Event::Failed(violation)));
    let close = sent(connection).pop().unwrap();
    assert_eq!(
        (close.first, &close.payload[..2]),
        (FIN | CLOSE, &violation.close_code().0.to_be_bytes()[..])
    );
}

both_roles! {
    fn a_bomb_fails_with_1009_while_it_is_inflated(role) {
        let mut peer = Encoder::new(15);
        // 64 MiB in 64 KiB.
        let bomb = peer.message(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000);
        for op in [TEXT, BINARY] {
            let mut connection = deflating(role, Config::default(), keeping());
            connection.receive(&frame_to(role, FIN | RSV1 | op, &bomb));
            assert_eq!(connection.poll_event(), Some(Event::Failed(Violation::TooLong)));
            assert_eq!(sent(&mut connection)[0].payload[..2], 1009u16.to_be_bytes());
        }
    }

    fn a_bomb_fails_in_parts_and_in_fragments_too(role) {
        let bomb = Encoder::new(15).message(&vec![0; 8 << 20]);
        let mut connection = deflating(role, Config::default(), keeping());
        for (index, piece) in bomb.chunks(10).enumerate() {
            connection.receive(&frame_to(role, if index == 0 { RSV1 | BINARY } else { CONTINUATION }, piece));
        }
        let mut read = 0;
        let end = loop {
            match connection.poll_part().unwrap() {
                Event::Part(part) => read += part.data.len(),
                end => break end,
            }
        };
        assert_eq!(end, Event::Failed(Violation::TooLong));
        assert!(read <= 1 << 20, "{read}");
    }

    fn the_limit_counts_inflated_bytes_to_the_byte(role) {
        for (limit, good) in [(20_000, true), (19_999, false)] {
            let mut connection = deflating(role, Config::default().read_limit(limit), forgetting());
            connection.receive(&frame_to(role, FIN | RSV1 | BINARY, &Encoder::new(15).message(&sample(20_000))));
            let is_message = matches!(connection.poll_event(), Some(Event::Message(_)));
            assert_eq!(is_message, good);
        }
    }

    fn a_message_that_compression_made_longer_is_still_within_the_limit(role) {
        let noise = noise(1000);
        let compressed = Encoder::new(15).message(&noise);
        assert!(compressed.len() > noise.len());
        let mut connection = deflating(role, Config::default().read_limit(1000), forgetting());
        connection.receive(&frame_to(role, FIN | RSV1 | BINARY, &compressed));
        assert!(matches!(connection.poll_event(), Some(Event::Message(_))));
    }

    fn a_compressed_length_beyond_reason_fails_with_1009_by_its_header(role) {
        let mut connection = deflating(role, Config::default().read_limit(1000), forgetting());
        connection.receive(&header_to(role, FIN | RSV1 | BINARY, (1 << 63) - 1));
        fails(&mut connection, Violation::TooLong);
    }

    fn endless_empty_blocks_fail_with_1009(role) {
        let mut connection = deflating(role, Config::default().read_limit(1000), forgetting());
        let empty = [0x00, 0x00, 0x00, 0xff, 0xff].repeat(20);
        connection.receive(&frame_to(role, RSV1 | BINARY, &empty));
        for _ in 0..200 {
            connection.receive(&frame_to(role, CONTINUATION, &empty));
        }
        fails(&mut connection, Violation::TooLong);
    }

    fn truncated_blocks_fail_with_1007(role) {
        let payload = Encoder::new(15).message(&sample(3000));
        for compression in [forgetting(), keeping()] {
            for cut in [1, 2, 10, payload.len() / 2, payload.len() - 2, payload.len() - 1] {
                let mut connection = deflating(role, Config::default(), compression);
                connection.receive(&frame_to(role, FIN | RSV1 | BINARY, &payload[..cut]));
                fails(&mut connection, Violation::BadCompression);
            }
        }
        assert_eq!(Violation::BadCompression.close_code().0, 1007);
    }

    fn blocks_that_are_none_fail_with_1007(role) {
        for bad in [
            // Block type 3.
            &[0x06, 0x00][..],
            // A stored block whose lengths do not match.
            &[0x00, 0x05, 0x00, 0x00, 0x00, b'H', b'e'],
            // A distance that reaches back before the beginning.
            &[0xf2, 0x00, 0x11, 0x00, 0x00],
            &[0xff; 40],
            // The tail itself: the message ends behind it, not before.
            &[0x00, 0x00, 0xff, 0xff],
        ] {
            let mut connection = deflating(role, Config::default(), keeping());
            connection.receive(&frame_to(role, FIN | RSV1 | BINARY, bad));
            fails(&mut connection, Violation::BadCompression);
        }
    }

    fn a_skipped_message_is_still_bounded(role) {
        let bomb = Encoder::new(15).message(&vec![0; 8 << 20]);
        let mut connection = deflating(role, Config::default(), keeping());
        connection.receive(&frame_to(role, FIN | RSV1 | BINARY, &bomb));
        assert!(matches!(connection.poll_part(), Some(Event::Part(_))));
        connection.skip_message();
        assert_eq!(connection.poll_event(), Some(Event::Failed(Violation::TooLong)));
    }

    fn an_unread_length_reserves_nothing(role) {
        let mut connection = deflating(role, Config::default().read_limit(usize::MAX), keeping());
        connection.receive(&header_to(role, FIN | RSV1 | BINARY, 1 << 40));
        assert_eq!(connection.poll_event(), None);
        assert!(connection.input().capacity() < 4096);
    }
}
