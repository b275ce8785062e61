//! What is built on reading and writing messages: JSON, joined messages, prepared ones, limits, the stream below.

use serde::{Deserialize, Serialize};
use suda_websocket::{CloseCode, Conn, Error, PreparedMessage, Role, SendError, Violation};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, duplex},
    net::{TcpListener, TcpStream},
};

use crate::{conn, in_time, support::RawPeer};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: f64,
    name: String,
}

#[tokio::test]
async fn values_travel_as_json() {
    let (ours, theirs) = duplex(1 << 10);
    let (mut server, mut client) = (conn(Role::Server, ours), conn(Role::Client, theirs));
    let point = Point {
        x: 1.5,
        name: "수다".into(),
    };
    client.write_json(&point).await.unwrap();
    client.write_json("text").await.unwrap();
    assert_eq!(in_time(server.read_json::<Point>()).await.unwrap(), point);
    assert_eq!(in_time(server.read_json::<String>()).await.unwrap(), "text");
}

#[tokio::test]
async fn a_message_that_is_not_the_value_asked_for_costs_the_message_alone() {
    let (ours, theirs) = duplex(1 << 10);
    let (mut server, mut client) = (conn(Role::Server, ours), conn(Role::Client, theirs));
    client.write_message("{").await.unwrap();
    client.write_message(b"[1, 2]".to_vec()).await.unwrap();
    let error = in_time(server.read_json::<Vec<u8>>()).await.unwrap_err();
    assert!(matches!(error, Error::Json(_)), "{error}");
    assert_eq!(
        in_time(server.read_json::<Vec<u8>>()).await.unwrap(),
        [1, 2]
    );
}

#[tokio::test]
async fn joined_messages_are_one_stream_with_a_terminator_behind_each() {
    let (ours, theirs) = duplex(1 << 10);
    let (mut server, mut client) = (conn(Role::Server, ours), conn(Role::Client, theirs));
    for line in ["one", "", "three"] {
        client.write_message(line).await.unwrap();
    }
    client.send_close(CloseCode::NORMAL, "").unwrap();
    let joined = BufReader::new(server.join_messages("\n"));
    let mut lines = joined.lines();
    for line in ["one", "", "three"] {
        assert_eq!(in_time(lines.next_line()).await.unwrap().unwrap(), line);
    }
    assert_eq!(in_time(lines.next_line()).await.unwrap(), None);
}

#[tokio::test]
async fn joined_messages_tell_of_every_end_but_a_normal_close() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = conn(Role::Server, ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    peer.send(0x81, b"skipped").await;
    peer.send(0x01, b"be").await;
    peer.send(0x80, b"gun").await;
    in_time(server.next_reader()).await.unwrap();
    drop(peer);
    let mut text = Vec::new();
    let mut joined = server.join_messages(".");
    let error = in_time(joined.read_to_end(&mut text)).await.unwrap_err();
    let error = error.into_inner().unwrap().downcast::<Error>().unwrap();
    assert!(error.is_close(&[CloseCode::ABNORMAL_CLOSURE]), "{error}");
    assert_eq!(text, b"begun.");
}

#[tokio::test]
async fn a_prepared_message_is_written_in_order_with_others() {
    let (ours, theirs) = duplex(64);
    let (mut server, mut client) = (conn(Role::Server, ours), conn(Role::Client, theirs));
    let prepared = PreparedMessage::text("prepared ".repeat(1000));
    let writing = tokio::spawn(async move {
        for _ in 0..20 {
            server.write_message("plain").await.unwrap();
            server.write_prepared(&prepared).await.unwrap();
        }
        server.send_close(CloseCode::NORMAL, "").unwrap();
        let closing = server.write_prepared(&prepared).await;
        assert!(matches!(closing, Err(Error::Send(SendError::Closing))));
        server
    });
    for _ in 0..20 {
        let plain = in_time(client.read_message()).await.unwrap();
        assert_eq!(plain.as_text(), Some("plain"));
        let prepared = in_time(client.read_message()).await.unwrap();
        assert_eq!(prepared.len(), 9000);
    }
    in_time(writing).await.unwrap();
}

#[tokio::test]
async fn the_read_limit_can_be_changed() {
    let (ours, theirs) = duplex(1 << 16);
    let (mut server, mut client) = (conn(Role::Server, ours), conn(Role::Client, theirs));
    client.write_message(vec![1; 100]).await.unwrap();
    client.write_message(vec![2; 101]).await.unwrap();
    in_time(server.read_message()).await.unwrap();
    server.set_read_limit(100);
    assert!(matches!(
        in_time(server.read_message()).await,
        Err(Error::Protocol(Violation::TooLong))
    ));
}

#[tokio::test]
async fn a_connection_knows_the_addresses_and_options_of_its_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, connected) = tokio::join!(listener.accept(), TcpStream::connect(address));
    let (accepted, from) = accepted.unwrap();
    let server: Conn<TcpStream> = conn(Role::Server, accepted);
    let client = conn(Role::Client, connected.unwrap());
    assert_eq!(server.local_addr().unwrap(), address);
    assert_eq!(server.peer_addr().unwrap(), from);
    let control = client.control();
    assert_eq!(control.peer_addr().unwrap(), address);
    assert_eq!(control.local_addr().unwrap(), from);

    server
        .with_stream(|socket| socket.set_nodelay(true))
        .unwrap();
    assert!(server.control().with_stream(TcpStream::nodelay).unwrap());
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_sockets_ends_are_known_too() {
    let (ours, _theirs) = tokio::net::UnixStream::pair().unwrap();
    assert!(conn(Role::Server, ours).peer_addr().unwrap().is_unnamed());
}

#[tokio::test]
async fn closes_are_told_apart_by_their_codes() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = conn(Role::Server, ours);
    RawPeer::new(theirs, Role::Client)
        .send(0x88, &1001u16.to_be_bytes())
        .await;
    let error = in_time(server.read_message()).await.unwrap_err();
    let (normal, away) = (CloseCode::NORMAL, CloseCode::GOING_AWAY);
    assert!(error.is_close(&[normal, away]) && !error.is_close(&[normal]));
    assert!(error.is_unexpected_close(&[normal]) && !error.is_unexpected_close(&[normal, away]));
    let no_close = Error::TimedOut;
    assert!(!no_close.is_close(&[normal]) && !no_close.is_unexpected_close(&[normal]));
}

#[test]
fn the_halves_of_a_connection_may_be_sent_to_and_shared_by_threads() {
    fn may_be<T: Send + Sync>() {}
    may_be::<Conn<TcpStream>>();
    may_be::<suda_websocket::Reader<TcpStream>>();
    may_be::<suda_websocket::Writer<TcpStream>>();
    may_be::<suda_websocket::Control<TcpStream>>();
}
