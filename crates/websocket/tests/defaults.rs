//! What holds where nobody has said otherwise: the numbers, that they are those of the README's table, and that they are kept.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use suda_websocket::handshake::{ClientOptions, HeadLimits, Policy, Refusal};
use suda_websocket::{
    COMPRESSION_LEVEL_DEFAULT, Compression, Config, Conn, Connection, DIAL_TIMEOUT_DEFAULT,
    DialError, Dialer, Error, Message, Parts, Role, TAKEOVER_LEVEL_DEFAULT,
    UPGRADE_TIMEOUT_DEFAULT, UpgradeError, Upgrader, Violation,
};
use tokio::io::{AsyncWriteExt as _, duplex};
use tokio::time::Instant;

/// The bit of a frame's first byte that says: compressed.
const RSV1: u8 = 0x40;

const README: &str = include_str!("../README.md");

#[test]
fn the_defaults_are_what_the_readme_says() {
    let config = Config::default();
    assert_eq!(config.read_limit, 1024 * 1024);
    assert_eq!(config.fragments_max, 131_072);
    assert_eq!(config.frame_bytes_max, 1024 * 1024);
    assert_eq!(config.high_water_bytes, 64 * 1024);
    assert_eq!(config.outbox_bytes_max, 4 * 1024 * 1024);
    assert_eq!(config.close_timeout, Duration::from_secs(5));
    assert_eq!(config.heartbeat, None);

    let compression = Compression::default();
    assert_eq!((compression.level, compression.memory_level), (None, 8));
    assert_eq!((COMPRESSION_LEVEL_DEFAULT, TAKEOVER_LEVEL_DEFAULT), (6, 7));
    assert_eq!(compression.bytes_min, 128);
    assert_eq!(compression.history_bits, 14);
    let takeover = compression.context_takeover(true);
    assert_eq!(takeover.context_takeover(false), compression);
    assert!(compression.server_no_context_takeover && compression.client_no_context_takeover);
    assert_eq!(compression.server_max_window_bits, 15);
    assert_eq!(compression.client_max_window_bits, 15);

    assert_eq!(UPGRADE_TIMEOUT_DEFAULT, Duration::from_secs(10));
    assert_eq!(DIAL_TIMEOUT_DEFAULT, Duration::from_secs(45));
    let limits = |bytes_max, lines_max| HeadLimits {
        bytes_max,
        lines_max,
    };
    assert_eq!(Policy::default().limits, limits(16 * 1024, 100));
    assert_eq!(ClientOptions::default().limits, limits(64 * 1024, 100));
    assert_eq!(Policy::default().compression, None);
    assert_eq!(ClientOptions::default().compression, None);

    for row in [
        "| opening handshake, server, on a raw stream | 10 s, 16 KiB, 100 header lines |",
        "| opening handshake, client | 45 s, 64 KiB, 100 header lines |",
        "| longest message read | 1 MiB; ",
        "| compression | off; where both sides want it: level 6, from 128 bytes on |",
        "| frames of one message | 131 072, ",
        "| unsent bytes above which a write waits | 64 KiB |",
        "| unsent bytes above which `try_send_prepared` refuses | 4 MiB |",
        "| closing | waits 5 s for the peer |",
        "| a peer that says nothing | is waited for |",
    ] {
        assert!(README.contains(row), "{row}");
    }
}

#[tokio::test]
async fn one_byte_over_a_mebibyte_is_too_long_unless_it_is_allowed() {
    for (bytes, fits) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        let (ours, theirs) = duplex(4 << 20);
        let mut server = Conn::from_parts(ours, Parts::new(Role::Server, Config::default()));
        let mut client = Conn::from_parts(theirs, Parts::new(Role::Client, Config::default()));
        let message = Message::binary(vec![7; bytes]);
        client.write_message(message.clone()).await.unwrap();
        client.flush().await.unwrap();
        match server.read_message().await {
            Ok(read) => assert!(fits && read == message, "{bytes}"),
            Err(Error::Protocol(Violation::TooLong)) => assert!(!fits, "{bytes}"),
            Err(error) => panic!("{bytes}: {error}"),
        }
    }
}

#[test]
fn from_128_bytes_on_messages_are_compressed_where_both_sides_want_it() {
    for (bytes, compressed) in [(127, false), (128, true)] {
        let parts =
            Parts::new(Role::Server, Config::default()).compression(Some(Compression::default()));
        let mut connection = Connection::new(parts);
        connection.send(Message::binary(vec![7; bytes])).unwrap();
        let frame = connection.transmit().collect::<Vec<_>>().concat();
        assert_eq!(frame[0] & RSV1 != 0, compressed, "{bytes}");
        assert_eq!(frame.len() < bytes, compressed, "{bytes}");
    }
}

/// In simulated time.
#[tokio::test(start_paused = true)]
async fn a_silent_client_has_ten_seconds_and_a_silent_server_forty_five() {
    let began = Instant::now();
    let (_client, server) = duplex(4096);
    let upgraded = Upgrader::new().upgrade(server).await;
    assert!(matches!(
        upgraded.unwrap_err(),
        UpgradeError::Refused(Refusal::Timeout)
    ));
    // The client neither reads the refusal nor closes, and has two seconds for that.
    assert_eq!(began.elapsed().as_secs(), 10 + 2);

    let began = Instant::now();
    let (client, _server) = duplex(4096);
    let dialled = Dialer::new().client(client, "ws://a/").await;
    assert!(matches!(dialled.unwrap_err(), DialError::Timeout(_)));
    assert_eq!(began.elapsed().as_secs(), 45);
}

/// A request with that many header lines, five of them its own, in that many bytes.
fn request(lines: usize, bytes: usize) -> String {
    let mut head = String::from(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n",
    );
    head += &"X:\r\n".repeat(lines - 6);
    head += "Y: ";
    let end = "\r\n\r\n";
    head += &"y".repeat(bytes - head.len() - end.len());
    head + end
}

#[tokio::test]
async fn a_request_head_has_16_kib_and_100_lines() {
    for (lines, bytes, refused) in [
        (100, 16 << 10, None),
        (101, 16 << 10, Some(Refusal::TooManyHeaders)),
        (100, (16 << 10) + 1, Some(Refusal::HeadTooLarge)),
    ] {
        let (mut client, server) = duplex(1 << 20);
        let head = request(lines, bytes);
        client.write_all(head.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let told = match Upgrader::new().upgrade(server).await {
            Ok(_) => None,
            Err(UpgradeError::Refused(refusal)) => Some(refusal),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(told, refused, "{lines} lines, {bytes} bytes");
    }
}
