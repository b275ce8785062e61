//! Compression through the tokio driver, from the handshake on.

use suda_websocket::{Compression, Config, Conn, Dialer, Message, MessageKind, Upgrader};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use crate::{forgetting, keeping, sample};

async fn open(dialer: Dialer, upgrader: Upgrader) -> (Conn<DuplexStream>, Conn<DuplexStream>) {
    let (ours, theirs) = duplex(1 << 16);
    let (client, server) = tokio::join!(
        dialer.client(ours, "ws://a.example/"),
        upgrader.upgrade(theirs)
    );
    (client.unwrap().0, server.unwrap().0)
}

#[tokio::test]
async fn compression_is_off_unless_both_sides_want_it() {
    let on = Compression::default;
    for (dialer, upgrader, agreed) in [
        (Dialer::new(), Upgrader::new(), false),
        (Dialer::new().compression(on()), Upgrader::new(), false),
        (Dialer::new(), Upgrader::new().compression(on()), false),
        (
            Dialer::new().compression(on()),
            Upgrader::new().compression(on()),
            true,
        ),
    ] {
        let (mut client, mut server) = open(dialer, upgrader).await;
        assert_eq!(client.compression().is_some(), agreed);
        assert_eq!(server.compression().is_some(), agreed);
        client
            .write_message(Message::text("수다".repeat(100)))
            .await
            .unwrap();
        client.flush().await.unwrap();
        assert_eq!(
            server.read_message().await.unwrap(),
            Message::text("수다".repeat(100))
        );
    }
}

#[tokio::test]
async fn both_sides_agree_on_the_strictest_of_their_wishes() {
    let dialer = Dialer::new().compression(
        keeping()
            .client_max_window_bits(11)
            .server_max_window_bits(12),
    );
    let upgrader = Upgrader::new().compression(
        keeping()
            .client_no_context_takeover(true)
            .server_max_window_bits(10),
    );
    let (client, server) = open(dialer, upgrader).await;
    let (client, server) = (client.compression().unwrap(), server.compression().unwrap());
    assert_eq!(client, server);
    assert!(client.client_no_context_takeover && !client.server_no_context_takeover);
    assert_eq!(
        (client.client_max_window_bits, client.server_max_window_bits),
        (11, 10)
    );
}

#[tokio::test]
async fn messages_are_echoed_with_the_switch_and_level_changing() {
    for compression in [forgetting(), keeping()] {
        let dialer = Dialer::new().compression(compression);
        let upgrader = Upgrader::new().compression(compression);
        let (mut client, mut server) = open(dialer, upgrader).await;
        let echo = tokio::spawn(async move {
            while let Ok(message) = server.read_message().await {
                if server.write_message(message).await.is_err() {
                    break;
                }
            }
        });
        for round in 0..20u8 {
            client.set_compression(round % 5 != 4);
            client.set_compression_level(round % 10);
            let message = Message::binary(sample(usize::from(round) * 4000));
            client.write_message(message.clone()).await.unwrap();
            assert_eq!(client.read_message().await.unwrap(), message);
        }
        client
            .close(suda_websocket::CloseCode::NORMAL, "")
            .await
            .unwrap();
        echo.await.unwrap();
    }
}

#[tokio::test]
async fn a_long_message_is_streamed_both_ways_compressed() {
    const PIECES: usize = 300;
    let config = Config::default().read_limit(usize::MAX);
    let dialer = Dialer::new().compression(keeping()).config(config.clone());
    let upgrader = Upgrader::new().compression(keeping()).config(config);
    let (mut client, mut server) = open(dialer, upgrader).await;
    let piece = sample(100_000);
    let writing = async {
        let mut writer = client.next_writer(MessageKind::Binary).unwrap();
        for _ in 0..PIECES {
            writer.write_all(&piece).await.unwrap();
        }
        writer.finish().await.unwrap();
        client.flush().await.unwrap();
    };
    let reading = async {
        let mut reader = server.next_reader().await.unwrap();
        let mut read = vec![0; piece.len()];
        for _ in 0..PIECES {
            reader.read_exact(&mut read).await.unwrap();
            assert!(read == piece);
        }
        assert_eq!(reader.read(&mut read).await.unwrap(), 0);
    };
    tokio::join!(writing, reading);
}

#[tokio::test]
async fn a_flushed_part_of_an_unfinished_message_can_be_read() {
    let (mut client, mut server) = open(
        Dialer::new().compression(forgetting()),
        Upgrader::new().compression(forgetting()),
    )
    .await;
    let mut writer = client.next_writer(MessageKind::Text).unwrap();
    let mut reader = None;
    for text in ["수", "다"] {
        writer.write_all(text.as_bytes()).await.unwrap();
        writer.flush().await.unwrap();
        let mut read = [0; 3];
        if reader.is_none() {
            reader = Some(server.next_reader().await.unwrap());
        }
        reader
            .as_mut()
            .unwrap()
            .read_exact(&mut read)
            .await
            .unwrap();
        assert_eq!(read, text.as_bytes());
    }
}
