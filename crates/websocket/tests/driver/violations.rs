//! A peer that breaks the rules is told so on the wire, and then the stream ends.

use suda_websocket::{Config, Conn, Error, Parts, Role, Violation};
use tokio::io::duplex;

use crate::{
    in_time,
    support::{RawPeer, frame, header},
};

/// Sends `bytes` to a server with a read limit of 1000 bytes; it is to close with `code` while the peer still could send.
async fn is_closed_with(bytes: &[u8], violation: Violation, code: u16) {
    let (ours, theirs) = duplex(1 << 16);
    let config = Config::default().read_limit(1000);
    let mut server = Conn::from_parts(ours, Parts::new(Role::Server, config));
    let serving = tokio::spawn(async move {
        let error = server.read_message().await.unwrap_err();
        let again = server.read_message().await.unwrap_err();
        assert!(
            matches!((&error, &again), (Error::Protocol(first), Error::Protocol(second)) if first == second)
        );
        assert!(server.write_message("x").await.is_err());
        error
    });
    let mut peer = RawPeer::new(theirs, Role::Client);
    peer.send_raw(bytes).await;
    let (first, payload) = in_time(peer.next_frame()).await.unwrap();
    assert_eq!((first, payload), (0x88, code.to_be_bytes().to_vec()));
    assert!(
        in_time(peer.next_frame()).await.is_none(),
        "one close frame, then the end"
    );
    assert!(
        matches!(in_time(serving).await.unwrap(), Error::Protocol(found) if found == violation)
    );
}

#[tokio::test]
async fn an_unmasked_frame_closes_with_1002() {
    is_closed_with(&frame(Role::Server, 0x81, b"hi"), Violation::Unmasked, 1002).await;
}

#[tokio::test]
async fn invalid_utf8_closes_with_1007_before_the_message_ends() {
    // The frame announces 500 bytes; only three come.
    let mut bytes = header(Role::Client, 0x81, 500);
    let start = frame(Role::Client, 0x81, b"ab\xff");
    bytes.extend(&start[start.len() - 3..]);
    is_closed_with(&bytes, Violation::InvalidUtf8, 1007).await;
}

#[tokio::test]
async fn over_the_read_limit_closes_with_1009_before_it_is_read() {
    is_closed_with(&header(Role::Client, 0x82, 1001), Violation::TooLong, 1009).await;
}

#[tokio::test]
async fn the_close_frame_arrives_though_the_peer_goes_on_sending() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut server = crate::conn(Role::Server, stream);
        server.read_message().await.unwrap_err();
        // Dropped here, with much of what the peer sends unread.
    });
    let mut peer = RawPeer::new(
        tokio::net::TcpStream::connect(address).await.unwrap(),
        Role::Client,
    );
    peer.send_raw(&header(Role::Client, 0x82, 1 << 30)).await;
    for _ in 0..50 {
        peer.send_raw(&[0; 1 << 16]).await;
    }
    in_time(serving).await.unwrap();
    let (first, payload) = in_time(peer.next_frame()).await.unwrap();
    assert_eq!((first, payload), (0x88, 1009u16.to_be_bytes().to_vec()));
}
