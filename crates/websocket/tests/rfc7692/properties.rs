//! Round trips of anything in any pieces, and bytes that are nothing.

use proptest::prelude::*;
use suda_websocket::handshake::{
    Answered, ClientHandshake, ClientOptions, Judged, Policy, ServerHandshake, Target,
};
use suda_websocket::{Compression, Config, Event, Message, MessageKind, Part, Role};

use crate::{deflating, pair::*, receiving::RSV1, sample, zlib::Decoder};

fn compressions() -> impl Strategy<Value = Compression> {
    (
        0u8..=9,
        1u8..=9,
        any::<bool>(),
        any::<bool>(),
        9u8..=15,
        9u8..=15,
        0usize..200,
    )
        .prop_map(
            |(level, memory_level, server, client, server_bits, client_bits, bytes_min)| {
                // As different as the rest, but of no connection with it.
                let history_bits = 9 + (bytes_min % 7) as u8;
                Compression::default()
                    .level(level)
                    .memory_level(memory_level)
                    .history_bits(history_bits)
                    .server_no_context_takeover(server)
                    .client_no_context_takeover(client)
                    .server_max_window_bits(server_bits)
                    .client_max_window_bits(client_bits)
                    .bytes_min(bytes_min)
            },
        )
}

fn payloads() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        (0usize..70_000).prop_map(sample),
        (any::<u8>(), 0usize..70_000).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_arrive_as_they_were_sent(
        compression in compressions(),
        payloads in prop::collection::vec(payloads(), 1..5),
        frame_bytes_max in 1usize..70_000,
        link_bytes in prop_oneof![1usize..20, 1000usize..100_000],
        as_parts: bool,
        to_client: bool,
    ) {
        // Frames of a few bytes of a long message would only take time.
        let config = Config::default().frame_bytes_max(frame_bytes_max.max(50));
        let mut client = deflating(Role::Client, config.clone(), compression);
        let mut server = deflating(Role::Server, config, compression);
        let (from, to) = if to_client { (&mut server, &mut client) } else { (&mut client, &mut server) };
        for payload in &payloads {
            if as_parts {
                from.begin_message(MessageKind::Binary).unwrap();
                for piece in payload.chunks(9000) {
                    from.send_part(piece, false).unwrap();
                }
                from.send_part(b"", true).unwrap();
            } else {
                from.send(Message::binary(payload.clone())).unwrap();
            }
        }
        let bytes = drain(from);
        let (mut read, mut message) = (Vec::new(), Vec::new());
        for chunk in bytes.chunks(link_bytes.max(bytes.len() / 2000)) {
            to.receive(chunk);
            if as_parts {
                while let Some(event) = to.poll_part() {
                    let Event::Part(Part { data, fin, .. }) = event else { panic!("{event:?}") };
                    message.extend_from_slice(&data);
                    if fin {
                        read.push(std::mem::take(&mut message));
                    }
                }
            } else {
                for event in events(to) {
                    let Event::Message(message) = event else { panic!("{event:?}") };
                    read.push(message.into_bytes().to_vec());
                }
            }
        }
        prop_assert!(read == payloads);
    }

    #[test]
    fn zlib_reads_what_is_sent(compression in compressions(), payloads in prop::collection::vec(payloads(), 1..4)) {
        for role in [Role::Client, Role::Server] {
            let (bits, forgets) = match role {
                Role::Client => (compression.client_max_window_bits, compression.client_no_context_takeover),
                Role::Server => (compression.server_max_window_bits, compression.server_no_context_takeover),
            };
            let mut connection = deflating(role, Config::default(), compression.bytes_min(0));
            let mut peer = Decoder::new(bits);
            for payload in &payloads {
                connection.send(Message::binary(payload.clone())).unwrap();
                if forgets {
                    peer = Decoder::new(bits);
                }
                prop_assert!(&peer.message(&sent(&mut connection)[0].payload) == payload);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_compressed_bytes_make_it_panic_or_exceed_the_limit(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        damage in prop::collection::vec((0usize..3000, any::<u8>()), 1..4),
        keeps: bool,
        as_text: bool,
    ) {
        const LIMIT: usize = 5000;
        let mut damaged = crate::zlib::Encoder::new(15).message(&sample(4000));
        for (at, byte) in damage {
            let at = at % damaged.len();
            damaged[at] ^= byte;
        }
        let compression = Compression::default().context_takeover(keeps);
        for role in [Role::Client, Role::Server] {
            for payload in [&bytes, &damaged] {
                let mut connection = deflating(role, Config::default().read_limit(LIMIT), compression);
                let op = if as_text { TEXT } else { BINARY };
                for _ in 0..3 {
                    connection.receive(&frame_to(role, FIN | RSV1 | op, payload));
                }
                for event in events(&mut connection) {
                    match event {
                        Event::Message(message) => prop_assert!(message.len() <= LIMIT),
                        Event::Failed(_) => {}
                        other => prop_assert!(false, "{:?}", other),
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn both_sides_agree_on_the_same_whatever_they_want(client in compressions(), server in compressions()) {
        let target: Target = "ws://a.example/".parse().unwrap();
        let options = ClientOptions { compression: Some(client), ..ClientOptions::default() };
        let policy = Policy { compression: Some(server), ..Policy::default() };
        let mut asking = ClientHandshake::new(&target, &options).unwrap();
        let judged = ServerHandshake::new(policy).receive(asking.request());
        let Judged::Accept(accept) = judged else { panic!("refused") };
        let Answered::Accept(answer) = asking.receive(&accept.response) else { panic!("not accepted") };
        let parameters = |agreed: Option<Compression>| {
            let agreed = agreed.unwrap();
            (
                agreed.server_no_context_takeover,
                agreed.client_no_context_takeover,
                agreed.server_max_window_bits,
                agreed.client_max_window_bits,
            )
        };
        prop_assert_eq!(parameters(accept.compression), parameters(answer.compression));
        prop_assert_eq!(
            parameters(answer.compression),
            (
                client.server_no_context_takeover || server.server_no_context_takeover,
                client.client_no_context_takeover || server.client_no_context_takeover,
                client.server_max_window_bits.min(server.server_max_window_bits),
                client.client_max_window_bits.min(server.client_max_window_bits),
            )
        );
    }

    #[test]
    fn any_offer_is_judged(field in "(permessage-deflate|[a-z]{1,3})?([;,= \"\\\\]|(server|client)_(max_window_bits|no_context_takeover)|1[0-9]|[ -~]){0,12}") {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Extensions: {field}\r\n\r\n"
        );
        let policy = Policy { compression: Some(Compression::default()), ..Policy::default() };
        match ServerHandshake::new(policy).receive(request.as_bytes()) {
            Judged::Accept(accept) => {
                if let Some(agreed) = accept.compression {
                    prop_assert!((9..=15).contains(&agreed.server_max_window_bits));
                    prop_assert!((8..=15).contains(&agreed.client_max_window_bits));
                }
            }
            Judged::Reject(reject) => prop_assert_eq!(reject.status, 400),
            Judged::Pending => prop_assert!(false, "the request is complete"),
        }
    }
}
