//! Messages read and written as they come.

use suda_websocket::{Message, MessageKind, Role};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use crate::{conn, in_time, support::RawPeer, support::header};

#[tokio::test]
async fn a_message_of_unknown_length_arrives_as_one() {
    let (ours, theirs) = duplex(1 << 10);
    let (mut server, mut client) = (conn(Role::Server, ours), conn(Role::Client, theirs));
    let content: Vec<u8> = (0..200_000).map(|byte| byte as u8).collect();
    let sent = content.clone();
    let writing = tokio::spawn(async move {
        let mut message = server.next_writer(MessageKind::Binary).unwrap();
        for piece in sent.chunks(777) {
            message.write_all(piece).await.unwrap();
        }
        message.finish().await.unwrap();
        let mut text = server.next_writer(MessageKind::Text).unwrap();
        text.write_all("수".as_bytes()).await.unwrap();
        text.shutdown().await.unwrap();
        drop(text);
        server.write_message("after").await.unwrap();
        server
    });
    assert_eq!(
        in_time(client.read_message()).await.unwrap(),
        Message::binary(content)
    );
    assert_eq!(
        in_time(client.read_message()).await.unwrap(),
        Message::text("수")
    );
    assert_eq!(
        in_time(client.read_message()).await.unwrap(),
        Message::text("after")
    );
    in_time(writing).await.unwrap();
}

#[tokio::test]
async fn a_reader_gives_bytes_before_the_message_is_complete() {
    let (ours, theirs) = duplex(1 << 16);
    let mut server = conn(Role::Server, ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    // 1000 bytes are announced, four of them come: zeros under the mask 1, 2, 3, 4.
    peer.send_raw(&header(Role::Client, 0x82, 1000)).await;
    let mut message = in_time(server.next_reader()).await.unwrap();
    assert_eq!(message.kind(), MessageKind::Binary);
    peer.send_raw(&[0; 4]).await;
    let mut first = [0; 4];
    in_time(message.read_exact(&mut first)).await.unwrap();
    assert_eq!(first, [1, 2, 3, 4]);
    peer.send_raw(&[0; 996]).await;
    let mut rest = Vec::new();
    in_time(message.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest.len(), 996);
}

#[tokio::test]
async fn what_a_reader_left_is_skipped() {
    let (ours, theirs) = duplex(1 << 16);
    let (mut server, mut client) = (conn(Role::Server, ours), conn(Role::Client, theirs));
    for text in ["one", "two", "three", "four"] {
        client.write_message(text).await.unwrap();
    }
    let mut byte = [0; 1];
    in_time(server.next_reader())
        .await
        .unwrap()
        .read_exact(&mut byte)
        .await
        .unwrap();
    assert_eq!(&byte, b"o");
    let mut second = String::new();
    in_time(server.next_reader())
        .await
        .unwrap()
        .read_to_string(&mut second)
        .await
        .unwrap();
    assert_eq!(second, "two");
    in_time(server.next_reader()).await.unwrap();
    assert_eq!(
        in_time(server.read_message()).await.unwrap(),
        Message::text("four")
    );
}

#[tokio::test]
async fn text_that_is_not_utf8_is_not_sent() {
    let (ours, theirs) = duplex(1 << 16);
    let mut server = conn(Role::Server, ours);
    let mut text = server.next_writer(MessageKind::Text).unwrap();
    text.write_all(b"\xff").await.unwrap();
    assert!(text.finish().await.is_err());
    let mut peer = RawPeer::new(theirs, Role::Client);
    assert_eq!(in_time(peer.next_frame()).await.unwrap().0, 0x88);
}
