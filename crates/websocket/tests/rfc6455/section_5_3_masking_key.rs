//! The masking key (RFC 6455, section 5.3).

use suda_websocket::{Config, Message, PreparedMessage, Role};

use crate::pair::*;

/// The key of a short frame.
fn key_of(bytes: &[u8]) -> [u8; 4] {
    bytes[2..6].try_into().unwrap()
}

#[test]
fn each_frame_has_a_key_of_its_own_also_the_pieces_of_one_message_and_a_prepared_one() {
    let mut client = connection(Role::Client, Config::default().frame_bytes_max(10));
    let prepared = PreparedMessage::text("0123456789");
    let mut keys = Vec::new();
    for _ in 0..50 {
        client.send(Message::text("01234567890123456789")).unwrap();
        client.try_send_prepared(&prepared).unwrap();
        let bytes = drain(&mut client);
        keys.extend(bytes.chunks(16).map(key_of));
    }
    assert_eq!(keys.len(), 150);
    let distinct: std::collections::HashSet<_> = keys.iter().collect();
    // Two of 150 random keys are the same once in 380,000 runs; three are never.
    assert!(
        distinct.len() >= 149,
        "{} of {}",
        distinct.len(),
        keys.len()
    );
}

#[test]
fn every_bit_of_a_key_is_as_often_set_as_not() {
    const KEYS: usize = 4000;
    let mut client = connection(Role::Client, Config::default());
    let mut set = [0; 32];
    for _ in 0..KEYS {
        client.ping(b"").unwrap();
        let key = u32::from_be_bytes(key_of(&drain(&mut client)));
        for (bit, count) in set.iter_mut().enumerate() {
            *count += key >> bit & 1;
        }
    }
    // Eight standard deviations either way.
    for (bit, count) in set.into_iter().enumerate() {
        assert!(
            (1747..=2253).contains(&count),
            "bit {bit}: {count} of {KEYS}"
        );
    }
}

#[test]
fn the_server_takes_any_key_off_payloads_of_any_length() {
    for key in [[0; 4], [0xff; 4], [1, 2, 3, 4], [0x80, 0, 0x7f, 0xff]] {
        for len in (0..70).chain([125, 126, 127, 1000, 65_535, 65_536, 70_001]) {
            let payload: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
            let mut frame = header_to(Role::Server, FIN | BINARY, len as u64);
            let header_len = frame.len();
            frame[header_len - 4..].copy_from_slice(&key);
            frame.extend(
                payload
                    .iter()
                    .zip(key.iter().cycle())
                    .map(|(byte, key)| byte ^ key),
            );
            let mut server = connection(Role::Server, Config::default());
            server.receive(&frame);
            let expected = suda_websocket::Event::Message(Message::binary(payload));
            assert_eq!(events(&mut server), [expected], "{key:?} {len}");
        }
    }
}
