//! The blocking driver, over sockets of std and no runtime.
#![allow(clippy::unwrap_used)]

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::Duration,
};

use suda_websocket::{
    CloseCode, Compression, Config, Message, MessageKind, Parts, PreparedMessage, Role, SendError,
    Violation,
    blocking::{self, Conn, Error, OpenError},
    handshake::{ClientOptions, Policy, Refusal},
};

/// Long enough for any machine: a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    for stream in [&accepted, &connected] {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    (accepted, connected)
}

/// Opens a connection by both sides' handshakes and echoes on the server's side.
fn echo(compression: Option<Compression>, config: Config) -> (Conn<TcpStream>, JoinHandle<Error>) {
    let (accepted, connected) = tcp_pair();
    let policy = Policy {
        subprotocols: vec!["echo".into()],
        compression,
        ..Policy::default()
    };
    let serving_config = config.clone();
    let serving = thread::spawn(move || {
        let (mut conn, request) = blocking::accept(accepted, policy, serving_config).unwrap();
        assert_eq!(request.uri().path(), "/room");
        loop {
            match conn.read_message() {
                Ok(message) => conn.write_message(message).unwrap(),
                Err(error) => return error,
            }
        }
    });
    let options = ClientOptions {
        subprotocols: vec!["echo".into()],
        compression,
        ..ClientOptions::default()
    };
    let target = "ws://127.0.0.1/room".parse().unwrap();
    let (conn, response) = blocking::client(connected, &target, &options, config).unwrap();
    assert_eq!(response.status(), 101);
    assert_eq!(conn.subprotocol(), Some("echo"));
    (conn, serving)
}

/// A server's connection and the raw socket of its client.
fn raw(config: Config) -> (Conn<TcpStream>, TcpStream) {
    let (accepted, connected) = tcp_pair();
    let conn = Conn::from_parts(accepted, Parts::new(Role::Server, config));
    (conn, connected)
}

#[test]
fn without_a_runtime_messages_are_echoed_and_the_connection_is_closed() {
    for compression in [
        None,
        Some(Compression::default()),
        Some(Compression::default().context_takeover(true)),
    ] {
        let (mut client, serving) = echo(compression, Config::default());
        let sent = [
            Message::text("수다"),
            Message::text("수다 ".repeat(1000)),
            Message::binary(vec![7; 300_000]),
            Message::binary(Vec::new()),
        ];
        for message in &sent {
            client.write_message(message.clone()).unwrap();
            client.ping(b"and now?").unwrap();
        }
        client
            .write_prepared(&PreparedMessage::text("last"))
            .unwrap();
        for message in &sent {
            assert_eq!(&client.read_message().unwrap(), message);
        }
        assert_eq!(client.read_message().unwrap(), Message::text("last"));

        let close = client.close(CloseCode(4000), "bye").unwrap();
        assert_eq!(close.code, CloseCode(4000));
        assert!(matches!(client.read_message(), Err(Error::Closed(_))));
        assert!(matches!(client.write_message("x"), Err(Error::Closed(_))));
        let Error::Closed(close) = serving.join().unwrap() else {
            panic!("not closed")
        };
        assert_eq!((close.code, &*close.reason), (CloseCode(4000), "bye"));
    }
}

#[test]
fn without_a_runtime_messages_are_streamed_both_ways() {
    for compression in [None, Some(Compression::default())] {
        let (mut client, serving) = echo(compression, Config::default());
        let content: Vec<u8> = (0..200_000u32).map(|byte| (byte >> 4) as u8).collect();
        let mut message = client.next_writer(MessageKind::Binary).unwrap();
        for piece in content.chunks(777) {
            message.write_all(piece).unwrap();
        }
        message.finish().unwrap();
        client.write_message("skipped").unwrap();
        client.write_message("read").unwrap();

        let mut read = Vec::new();
        let mut message = client.next_reader().unwrap();
        assert_eq!(message.kind(), MessageKind::Binary);
        message.read_to_end(&mut read).unwrap();
        assert!(read == content);
        client.next_reader().unwrap();
        assert_eq!(client.read_message().unwrap(), Message::text("read"));
        client.close(CloseCode::NORMAL, "").unwrap();
        serving.join().unwrap();
    }
}

#[test]
fn without_a_runtime_fragments_are_joined_and_pings_answered_between_them() {
    let (mut server, mut peer) = raw(Config::default());
    // "su", a ping "hi", "da", each under the mask 0.
    peer.write_all(b"\x01\x82\0\0\0\0su\x89\x82\0\0\0\0hi\x80\x82\0\0\0\0da")
        .unwrap();
    assert_eq!(server.read_message().unwrap(), Message::text("suda"));
    server.flush().unwrap();
    let mut pong = [0; 4];
    peer.read_exact(&mut pong).unwrap();
    assert_eq!(&pong, b"\x8a\x02hi");
}

#[test]
fn without_a_runtime_a_violation_is_answered_and_told_again_and_again() {
    let (mut server, mut peer) = raw(Config::default().read_limit(100));
    peer.write_all(b"\x82\xff\0\0\0\0\0\x01\0\0\0\0\0\0")
        .unwrap();
    for _ in 0..2 {
        assert!(matches!(
            server.read_message(),
            Err(Error::Protocol(Violation::TooLong))
        ));
    }
    let mut close = [0; 4];
    peer.read_exact(&mut close).unwrap();
    assert_eq!(close, [0x88, 2, 0x03, 0xf1]);
}

#[test]
fn without_a_runtime_a_read_that_times_out_loses_nothing() {
    let (mut server, mut peer) = raw(Config::default());
    peer.write_all(b"\x81\x84\0\0\0\0ha").unwrap();
    server
        .get_ref()
        .set_read_timeout(Some(Duration::from_millis(1)))
        .unwrap();
    assert!(matches!(server.read_message(), Err(Error::Io(_))));
    peer.write_all(b"lf").unwrap();
    server.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(server.read_message().unwrap(), Message::text("half"));
}

#[test]
fn without_a_runtime_an_unfinished_message_closes_with_1011() {
    let (mut server, mut peer) = raw(Config::default());
    let mut message = server.next_writer(MessageKind::Text).unwrap();
    message.write_all(b"half").unwrap();
    drop(message);
    assert!(matches!(
        server.write_message("x"),
        Err(Error::Send(SendError::Closing))
    ));
    server.flush().unwrap();
    let mut close = [0; 4];
    peer.read_exact(&mut close).unwrap();
    assert_eq!((close[0], &close[2..]), (0x88, &[0x03, 0xf3][..]));
}

#[test]
fn without_a_runtime_a_refused_client_is_told_and_so_is_the_server() {
    let (accepted, mut connected) = tcp_pair();
    connected
        .write_all(b"POST / HTTP/1.1\r\nHost: suda.example\r\n\r\n")
        .unwrap();
    let refused = blocking::accept(accepted, Policy::default(), Config::default());
    assert!(matches!(refused, Err(OpenError::Refused(Refusal::Method))));
    let mut answer = String::new();
    connected.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");

    let (mut accepted, connected) = tcp_pair();
    let serving = thread::spawn(move || {
        assert_ne!(accepted.read(&mut [0; 1024]).unwrap(), 0);
        let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
        accepted.write_all(answer).unwrap();
    });
    let target = "ws://127.0.0.1/".parse().unwrap();
    let options = ClientOptions::default();
    let failed = blocking::client(connected, &target, &options, Config::default());
    let Err(OpenError::Answer(error)) = failed else {
        panic!("{failed:?}")
    };
    assert_eq!(error.response.unwrap().status(), 403);
    serving.join().unwrap();
}

/// A stream that reads what a function gives, and takes no more than `room` bytes.
struct Scripted<F> {
    read: F,
    room: usize,
    taken: Vec<u8>,
}

impl<F: FnMut() -> io::Result<Vec<u8>>> Read for Scripted<F> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = (self.read)()?;
        out[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

impl<F> Write for Scripted<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room);
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.room -= taken;
        self.taken.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn without_a_runtime_a_message_whose_end_the_stream_does_not_take_is_ended_nevertheless() {
    let stream = Scripted {
        read: || Ok(Vec::new()),
        room: 1,
        taken: Vec::new(),
    };
    let config = Config::default().high_water_bytes(1);
    let mut server = Conn::from_parts(stream, Parts::new(Role::Server, config));
    let mut message = server.next_writer(MessageKind::Text).unwrap();
    message.write_all(b"whole").unwrap();
    assert!(matches!(message.finish(), Err(Error::Io(_))));
    assert!(!server.core_mut().is_closing());
    assert!(matches!(server.write_message("next"), Err(Error::Io(_))));
    let unsent = server.core_mut().transmit().collect::<Vec<_>>().concat();
    assert_eq!(unsent, b"\x05whole\x81\x04next");
    assert_eq!(server.get_ref().taken, b"\x81");
}

#[test]
fn without_a_runtime_a_peer_that_only_pings_does_not_keep_close_waiting() {
    let mut pings = 0;
    let stream = Scripted {
        read: || {
            pings += 1;
            // In the end it leaves, so that the test does.
            Ok(if pings < 1_000_000 {
                b"\x89\x80\0\0\0\0".to_vec()
            } else {
                Vec::new()
            })
        },
        room: usize::MAX,
        taken: Vec::new(),
    };
    let config = Config::default().close_timeout(Duration::from_millis(1));
    let mut server = Conn::from_parts(stream, Parts::new(Role::Server, config));
    let Err(Error::Io(error)) = server.close(CloseCode::NORMAL, "") else {
        panic!("not given up")
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

#[test]
fn without_a_runtime_an_interrupted_read_is_repeated() {
    let mut reads = vec![
        Ok(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            .to_vec()),
        Err(io::ErrorKind::Interrupted.into()),
    ];
    let stream = Scripted {
        read: || reads.pop().unwrap(),
        room: usize::MAX,
        taken: Vec::new(),
    };
    blocking::accept(stream, Policy::default(), Config::default())
        .map(drop)
        .unwrap();

    let mut reads = vec![
        Ok(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno".to_vec()),
        Err(io::ErrorKind::Interrupted.into()),
    ];
    let stream = Scripted {
        read: || reads.pop().unwrap(),
        room: usize::MAX,
        taken: Vec::new(),
    };
    let target = "ws://127.0.0.1/".parse().unwrap();
    let opened = blocking::client(
        stream,
        &target,
        &ClientOptions::default(),
        Config::default(),
    );
    assert!(matches!(opened, Err(OpenError::Answer(_))));
}
