//! Compressed messages as parts: as they arrive, and never much at once.

use suda_websocket::{Config, Connection, Event, MessageKind, Role};

use crate::{deflating, keeping, pair::*, receiving::RSV1, sample, zlib::Encoder};

/// All parts until there are none: their bytes, the longest of them, and whether the message ended.
fn parts(connection: &mut Connection) -> (Vec<u8>, usize, bool) {
    let (mut data, mut longest, mut ended) = (Vec::new(), 0, false);
    while let Some(event) = connection.poll_part() {
        let Event::Part(part) = event else {
            panic!("{event:?}")
        };
        assert_eq!(part.kind, MessageKind::Binary);
        longest = longest.max(part.data.len());
        data.extend_from_slice(&part.data);
        ended = part.fin;
    }
    (data, longest, ended)
}

both_roles! {
    fn parts_come_as_the_peer_flushes_them(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        let mut peer = Encoder::new(15);
        connection.receive(&frame_to(role, RSV1 | BINARY, &peer.flushed(b"one")));
        assert_eq!(parts(&mut connection), (b"one".to_vec(), 3, false));
        connection.receive(&frame_to(role, CONTINUATION, &peer.flushed(b"two")));
        assert_eq!(parts(&mut connection), (b"two".to_vec(), 3, false));
        connection.receive(&frame_to(role, FIN | CONTINUATION, &peer.message(b"end")));
        assert_eq!(parts(&mut connection), (b"end".to_vec(), 3, true));
    }

    fn the_first_part_comes_with_the_first_header(role) {
        let mut connection = deflating(role, Config::default(), keeping());
        connection.receive(&header_to(role, FIN | RSV1 | BINARY, 100));
        assert_eq!(parts(&mut connection), (vec![], 0, false));
    }

    fn fragments_count_by_what_they_inflate_to(role) {
        let mut connection = deflating(role, Config::default().fragments_max(3), keeping());
        let mut peer = Encoder::new(15);
        let piece = [7; 1024];
        connection.receive(&frame_to(role, RSV1 | BINARY, &peer.flushed(&piece)));
        for _ in 0..100 {
            let compressed = peer.flushed(&piece);
            assert!(compressed.len() < 100);
            connection.receive(&frame_to(role, CONTINUATION, &compressed));
        }
        connection.receive(&frame_to(role, FIN | CONTINUATION, &peer.message(&piece)));
        assert_eq!(parts(&mut connection), (piece.repeat(102), 1024, true));
    }

    fn a_small_frame_that_inflates_to_much_comes_in_chunks(role) {
        let zeros = vec![0; 900_000];
        let mut connection = deflating(role, Config::default(), keeping());
        connection.receive(&frame_to(role, FIN | RSV1 | BINARY, &Encoder::new(15).message(&zeros)));
        let (data, longest, ended) = parts(&mut connection);
        assert!(data == zeros && ended);
        assert!(longest <= 16 << 10, "{longest}");
    }

    fn what_was_gathered_for_a_whole_message_is_the_first_part(role) {
        let payload = sample(60_000);
        let compressed = Encoder::new(15).message(&payload);
        for cut in [0, 1, compressed.len() / 2, compressed.len() - 1] {
            let frame = frame_to(role, FIN | RSV1 | BINARY, &compressed);
            let mut connection = deflating(role, Config::default(), keeping());
            connection.receive(&frame[..frame.len() - compressed.len() + cut]);
            assert_eq!(connection.poll_event(), None);
            connection.receive(&frame[frame.len() - compressed.len() + cut..]);
            let (data, _, ended) = parts(&mut connection);
            assert!(data == payload && ended, "cut at {cut}");
        }
    }

    fn compressed_bytes_are_not_kept_while_a_long_frame_arrives(role) {
        let config = Config::default().read_limit(usize::MAX);
        let mut connection = deflating(role, config, keeping());
        connection.receive(&header_to(role, FIN | RSV1 | BINARY, 1 << 40));
        let mut peer = Encoder::new(15);
        let piece = sample(50_000);
        let mut read = 0;
        let mut sent = 0;
        for _ in 0..200 {
            let flushed = peer.flushed(&piece);
            let masked = match role {
                Role::Client => flushed,
                // The mask goes on where the last piece ended.
                Role::Server => {
                    let key = [0x37, 0xfa, 0x21, 0x3d];
                    flushed.iter().enumerate().map(|(at, byte)| byte ^ key[(sent + at) % 4]).collect()
                }
            };
            sent += masked.len();
            connection.receive(&masked);
            let (data, _, ended) = parts(&mut connection);
            assert!(!ended && connection.input().is_empty());
            read += data.len();
        }
        assert_eq!(read, 200 * piece.len());
    }

    fn messages_that_just_fill_a_chunk_are_read_both_ways(role) {
        for len in [16_383, 16_384, 16_385, 32_767, 32_768, 49_152] {
            let payload = vec![b'x'; len];
            let mut connection = deflating(role, Config::default(), keeping());
            let mut peer = Encoder::new(15);
            connection.receive(&frame_to(role, FIN | RSV1 | BINARY, &peer.message(&payload)));
            let (data, _, ended) = parts(&mut connection);
            assert!(data == payload && ended, "{len} in parts");
            connection.receive(&frame_to(role, FIN | RSV1 | BINARY, &peer.message(&payload)));
            assert_eq!(events(&mut connection), [Event::Message(suda_websocket::Message::binary(payload))]);
        }
    }
}
