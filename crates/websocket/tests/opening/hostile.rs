//! Peers that mean harm, in one table for each role: what each is answered with, or how it ends. Time is the test's own, so whatever would wait
//! for ever shows; how many bytes a peer got rid of shows what we can have kept of them.

use std::time::Duration;

use suda_websocket::handshake::{
    AnswerFault, REQUEST_HEAD_BYTES_MAX, RESPONSE_HEAD_BYTES_MAX, Refusal,
};
use suda_websocket::{DialError, Dialer, UpgradeError, Upgrader};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::net::TcpStream;

use crate::servers::{Way, serve};

/// What the peer does after its first bytes.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// Says nothing more and stays.
    Stay,
    /// Ends its side.
    Leave,
    /// Sends this again and again.
    Repeat(&'static [u8]),
    /// Sends this a byte every second, again and again.
    Drip(&'static [u8]),
}

/// Bytes that a pipe holds without anybody reading them.
const PIPE_BYTES: usize = 1024;

/// A repeating peer gives up here: nobody stopped it.
const FLOOD_BYTES_MAX: usize = 4 << 20;

/// Longer than all deadlines together.
const FOR_EVER: Duration = Duration::from_secs(600);

/// Plays the peer until the other side closes; gives how many bytes it got rid of, and what it was answered.
async fn play(stream: DuplexStream, first: &[u8], then: Then) -> (usize, String) {
    let (mut read, mut write) = tokio::io::split(stream);
    let (closed, mut is_closed) = tokio::sync::oneshot::channel::<()>();
    let listening = async move {
        let mut answer = Vec::new();
        let _ = read.read_to_end(&mut answer).await;
        drop(closed);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let sending = async {
        let mut sent = 0;
        if write.write_all(first).await.is_ok() {
            sent += first.len();
        }
        match then {
            Then::Stay => {}
            Then::Leave => write.shutdown().await.unwrap(),
            Then::Repeat(bytes) => {
                while sent < FLOOD_BYTES_MAX && write.write_all(bytes).await.is_ok() {
                    sent += bytes.len();
                }
            }
            Then::Drip(bytes) => {
                for byte in bytes.iter().cycle() {
                    let pause = tokio::time::sleep(Duration::from_secs(1));
                    tokio::select! {
                        () = pause => {}
                        _ = &mut is_closed => break,
                    }
                    if write.write_all(&[*byte]).await.is_err() {
                        break;
                    }
                    sent += 1;
                }
            }
        }
        sent
    };
    tokio::join!(sending, listening)
}

const GOOD: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

fn good_with(lines: &str) -> Vec<u8> {
    format!("{GOOD}{lines}\r\n").into_bytes()
}

/// The beginning of what a TLS client says first.
const TLS_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x5a\x13";

#[tokio::test(start_paused = true)]
async fn every_hostile_client_is_answered_or_ended_within_bounds() {
    use Then::{Drip, Leave, Repeat, Stay};
    let table: Vec<(&str, Vec<u8>, Then, Option<Refusal>)> = vec![
        ("nothing", b"".into(), Stay, Some(Refusal::Timeout)),
        ("nothing, and gone", b"".into(), Leave, None),
        ("half a request, and gone", GOOD.into(), Leave, None),
        ("half a request", GOOD.into(), Stay, Some(Refusal::Timeout)),
        (
            "a byte a second",
            b"GET / HTTP/1.1\r\n".into(),
            Drip(b"X: y\r\n"),
            Some(Refusal::Timeout),
        ),
        (
            "TLS on a plain port",
            TLS_HELLO.into(),
            Stay,
            Some(Refusal::Malformed),
        ),
        (
            "TLS on a plain port, and more",
            TLS_HELLO.into(),
            Repeat(&[0xaa; 512]),
            Some(Refusal::Malformed),
        ),
        (
            "HTTP/2 on an HTTP/1.1 port",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
            Stay,
            Some(Refusal::Malformed),
        ),
        (
            "SSH",
            b"SSH-2.0-x\r\n".into(),
            Repeat(b"x"),
            Some(Refusal::HeadTooLarge),
        ),
        (
            "no request line",
            b"\r\n\r\n".into(),
            Stay,
            Some(Refusal::Malformed),
        ),
        (
            "one word",
            b"GET\r\n\r\n".into(),
            Stay,
            Some(Refusal::Malformed),
        ),
        (
            "no version",
            b"GET /chat\r\nHost: a\r\n\r\n".into(),
            Stay,
            Some(Refusal::Malformed),
        ),
        (
            "four words",
            b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n".into(),
            Stay,
            Some(Refusal::Malformed),
        ),
        (
            "HTTP/0.9",
            b"GET / HTTP/0.9\r\nHost: a\r\n\r\n".into(),
            Stay,
            Some(Refusal::Malformed),
        ),
        (
            "HTTP/1.0",
            b"GET / HTTP/1.0\r\nHost: a\r\n\r\n".into(),
            Stay,
            Some(Refusal::HttpVersion),
        ),
        (
            "a NUL in a header",
            good_with("X: \0\r\n"),
            Stay,
            Some(Refusal::Malformed),
        ),
        (
            "a CR alone",
            good_with("X: a\rb\r\n"),
            Stay,
            Some(Refusal::Malformed),
        ),
        (
            "a folded header",
            good_with("X: a\r\n b\r\n"),
            Stay,
            Some(Refusal::Malformed),
        ),
        (
            "a space before the colon",
            good_with("Content-Length : 5\r\n"),
            Stay,
            Some(Refusal::Malformed),
        ),
        (
            "bare LF after the request line",
            b"GET /chat HTTP/1.1\n".into(),
            Stay,
            Some(Refusal::BareLf),
        ),
        (
            "bare LF among headers",
            good_with("X: y\n"),
            Stay,
            Some(Refusal::BareLf),
        ),
        (
            "an empty line that is bare LF",
            [GOOD.as_bytes(), b"\n"].concat(),
            Stay,
            Some(Refusal::BareLf),
        ),
        (
            "two Host",
            good_with("Host: b\r\n"),
            Stay,
            Some(Refusal::Host),
        ),
        (
            "two keys",
            good_with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
            Stay,
            Some(Refusal::Key),
        ),
        (
            "two versions",
            good_with("Sec-WebSocket-Version: 13\r\n"),
            Stay,
            Some(Refusal::DuplicateVersion),
        ),
        (
            "two origins",
            good_with("Origin: http://a\r\nOrigin: http://a\r\n"),
            Stay,
            Some(Refusal::Origin),
        ),
        (
            "a body by length",
            [good_with("Content-Length: 5\r\n"), b"hello".into()].concat(),
            Stay,
            Some(Refusal::Body),
        ),
        (
            "a body by chunks",
            good_with("Transfer-Encoding: chunked\r\n"),
            Repeat(b"1\r\nx\r\n"),
            Some(Refusal::Body),
        ),
        (
            "both",
            good_with("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"),
            Stay,
            Some(Refusal::Body),
        ),
        (
            "two lengths",
            good_with("Content-Length: 0\r\nContent-Length: 5\r\n"),
            Stay,
            Some(Refusal::Body),
        ),
        (
            "a list of lengths",
            good_with("Content-Length: 0, 5\r\n"),
            Stay,
            Some(Refusal::Body),
        ),
        (
            "a negative length",
            good_with("Content-Length: -1\r\n"),
            Stay,
            Some(Refusal::Body),
        ),
        (
            "an endless method",
            b"".into(),
            Repeat(&[b'A'; 512]),
            Some(Refusal::HeadTooLarge),
        ),
        (
            "an endless path",
            b"GET /".into(),
            Repeat(&[b'a'; 512]),
            Some(Refusal::HeadTooLarge),
        ),
        (
            "an endless header",
            GOOD.into(),
            Repeat(&[b'a'; 512]),
            Some(Refusal::HeadTooLarge),
        ),
        (
            "endless headers",
            GOOD.into(),
            Repeat(b"X:\r\n"),
            Some(Refusal::TooManyHeaders),
        ),
        (
            "a POST that goes on and on",
            b"POST / HTTP/1.1\r\nHost: a\r\n\r\n".into(),
            Repeat(&[0; 512]),
            Some(Refusal::Method),
        ),
        (
            "another page, which goes on and on",
            good_with("Origin: https://evil.example\r\n"),
            Repeat(&[0; 512]),
            Some(Refusal::Origin),
        ),
    ];
    for (what, first, then, reason) in table {
        let (client, server) = duplex(PIPE_BYTES);
        let upgrader = Upgrader::new();
        let both = async { tokio::join!(upgrader.upgrade(server), play(client, &first, then)) };
        let Ok((upgraded, (sent, answer))) = tokio::time::timeout(FOR_EVER, both).await else {
            panic!("{what}: still going on")
        };
        let Err(error) = upgraded.map(drop) else {
            panic!("{what}: accepted")
        };
        let told = match error {
            UpgradeError::Refused(told) => Some(told),
            UpgradeError::Closed => None,
            other => panic!("{what}: {other}"),
        };
        assert_eq!(told, reason, "{what}");
        let start = reason.map(|reason| format!("HTTP/1.1 {} ", reason.status().as_u16()));
        assert!(
            answer.starts_with(&start.unwrap_or_default()),
            "{what}: {answer}"
        );
        assert_eq!(answer.is_empty(), reason.is_none(), "{what}: {answer}");
        // The head, what is read away after it, and the pipe.
        let bound = REQUEST_HEAD_BYTES_MAX + (64 << 10) + 8 * PIPE_BYTES;
        assert!(sent <= bound, "{what}: {sent} bytes were taken");
    }
}

#[tokio::test(start_paused = true)]
async fn every_hostile_server_ends_the_dialling_within_bounds() {
    use Then::{Drip, Leave, Repeat, Stay};
    /// How dialling is to end: with this fault, or by its deadline.
    #[derive(Debug, PartialEq)]
    enum End {
        Fault(AnswerFault),
        Timeout,
    }
    use AnswerFault::{
        Accept, HeadTooLarge, Malformed, Refused, TooManyHeaders, TooManyInformational, Truncated,
        Upgrade,
    };
    let switching =
        |lines: &str| format!("HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n").into_bytes();
    let chunked = "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n";
    let table: Vec<(&str, Vec<u8>, Then, End)> = vec![
        ("nothing", b"".into(), Stay, End::Timeout),
        (
            "nothing, and gone",
            b"".into(),
            Leave,
            End::Fault(Truncated),
        ),
        (
            "half a head, and gone",
            b"HTTP/1.1 101 x\r\nUpgr".into(),
            Leave,
            End::Fault(Truncated),
        ),
        (
            "a byte a second",
            b"HTTP/1.1 101 x\r\n".into(),
            Drip(b"X: y\r\n"),
            End::Timeout,
        ),
        (
            "a TLS alert",
            b"\x15\x03\x01\0\x02\x02\x28".into(),
            Stay,
            End::Fault(Malformed),
        ),
        (
            "HTTP/2",
            b"\0\0\0\x04\0\0\0\0\0".into(),
            Stay,
            End::Fault(Malformed),
        ),
        (
            "SSH",
            b"SSH-2.0-x\r\n\r\n".into(),
            Stay,
            End::Fault(Malformed),
        ),
        (
            "HTTP/1.0",
            b"HTTP/1.0 101 x\r\n\r\n".into(),
            Stay,
            End::Fault(Malformed),
        ),
        (
            "bare LF",
            b"HTTP/1.1 101 x\n\n".into(),
            Stay,
            End::Fault(Malformed),
        ),
        (
            "a status of four digits",
            b"HTTP/1.1 1010 x\r\n\r\n".into(),
            Stay,
            End::Fault(Malformed),
        ),
        (
            "a folded header",
            switching("X: a\r\n b\r\n"),
            Stay,
            End::Fault(Malformed),
        ),
        ("a NUL", switching("X: \0\r\n"), Stay, End::Fault(Malformed)),
        (
            "101 to something else",
            switching("Upgrade: h2c\r\nConnection: Upgrade\r\n"),
            Stay,
            End::Fault(Upgrade),
        ),
        (
            "no accept",
            switching("Upgrade: websocket\r\nConnection: Upgrade\r\n"),
            Stay,
            End::Fault(Accept),
        ),
        (
            "an accept for another key",
            switching(
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
            ),
            Stay,
            End::Fault(Accept),
        ),
        (
            "an endless status line",
            b"HTTP/1.1 101 ".into(),
            Repeat(&[b'a'; 512]),
            End::Fault(HeadTooLarge),
        ),
        (
            "an endless header",
            b"HTTP/1.1 101 x\r\nX: ".into(),
            Repeat(&[b'a'; 512]),
            End::Fault(HeadTooLarge),
        ),
        (
            "endless headers",
            b"HTTP/1.1 101 x\r\n".into(),
            Repeat(b"X:\r\n"),
            End::Fault(TooManyHeaders),
        ),
        (
            "endless informational answers",
            b"".into(),
            Repeat(b"HTTP/1.1 103 x\r\n\r\n"),
            End::Fault(TooManyInformational),
        ),
        (
            "an endless page",
            b"HTTP/1.1 200 OK\r\n\r\n".into(),
            Repeat(&[b'x'; 512]),
            End::Fault(Refused),
        ),
        (
            "a page of 2^63 bytes",
            b"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n".into(),
            Repeat(&[b'x'; 512]),
            End::Fault(Refused),
        ),
        (
            "a chunk of 2^64 bytes",
            [chunked.as_bytes(), b"ffffffffffffffff\r\n"].concat(),
            Repeat(&[b'x'; 512]),
            End::Fault(Refused),
        ),
        (
            "a chunk size that is too long",
            [chunked.as_bytes(), b"fffffffffffffffff\r\n"].concat(),
            Stay,
            End::Fault(Refused),
        ),
        (
            "endless tiny chunks",
            chunked.into(),
            Repeat(b"1;x=yyyyyyyyyyyyyyyyyy\r\nx\r\n"),
            End::Fault(Refused),
        ),
        (
            "a body that never comes",
            b"HTTP/1.1 403 No\r\nContent-Length: 9\r\n\r\n".into(),
            Stay,
            End::Fault(Refused),
        ),
        (
            "a body by the second",
            b"HTTP/1.1 403 No\r\n\r\n".into(),
            Drip(b"x"),
            End::Fault(Refused),
        ),
    ];
    for (what, first, then, expected) in table {
        let (client, server) = duplex(PIPE_BYTES);
        let dialling = async { Dialer::new().client(client, "ws://a/").await.map(drop) };
        let both = async { tokio::join!(dialling, play(server, &first, then)) };
        let Ok((dialled, (sent, _))) = tokio::time::timeout(FOR_EVER, both).await else {
            panic!("{what}: still going on")
        };
        let end = match dialled.expect_err(what) {
            DialError::Handshake(error) => End::Fault(error.fault),
            DialError::Timeout(_) => End::Timeout,
            other => panic!("{what}: {other}"),
        };
        assert_eq!(end, expected, "{what}");
        let bound = RESPONSE_HEAD_BYTES_MAX + 16 * PIPE_BYTES;
        assert!(sent <= bound, "{what}: {sent} bytes were taken");
    }
}

#[tokio::test]
async fn every_hostile_client_is_answered_or_ended_behind_hyper_and_axum() {
    /// Longer than a loaded machine needs, and an error if it is reached.
    const TIME_MAX: Duration = Duration::from_secs(60);
    let flood = |start: &str, more: &str| [start, &more.repeat((4 << 20) / more.len())].concat();
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", b"".into()),
        ("half a request", GOOD.into()),
        ("TLS on a plain port", TLS_HELLO.into()),
        ("SSH", b"SSH-2.0-x\r\n\r\n".into()),
        ("one word", b"GET\r\n\r\n".into()),
        (
            "four words",
            b"GET /chat b HTTP/1.1\r\nHost: a\r\n\r\n".into(),
        ),
        ("a NUL in a header", good_with("X: \0\r\n")),
        ("a folded header", good_with("X: a\r\n b\r\n")),
        ("two Host", good_with("Host: b\r\n")),
        (
            "two keys",
            good_with("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
        ),
        ("two versions", good_with("Sec-WebSocket-Version: 13\r\n")),
        (
            "a body by length",
            [good_with("Content-Length: 5\r\n"), b"hello".into()].concat(),
        ),
        (
            "a body by chunks",
            [
                good_with("Transfer-Encoding: chunked\r\n"),
                b"1\r\nx\r\n0\r\n\r\n".into(),
            ]
            .concat(),
        ),
        (
            "both",
            good_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        ),
        (
            "two lengths",
            good_with("Content-Length: 0\r\nContent-Length: 5\r\n"),
        ),
        ("a negative length", good_with("Content-Length: -1\r\n")),
        ("an endless path", flood("GET /", "a").into()),
        ("an endless header", flood(GOOD, "a").into()),
        ("endless headers", flood(GOOD, "X: y\r\n").into()),
    ];
    for way in [Way::Hyper, Way::Axum] {
        let address = serve(way, Upgrader::new()).await;
        for (what, bytes) in &table {
            let (mut read, mut write) = TcpStream::connect(address).await.unwrap().into_split();
            let sending = async {
                // The server may have closed already.
                let _ = write.write_all(bytes).await;
                let _ = write.shutdown().await;
            };
            let reading = async {
                let mut answer = Vec::new();
                let _ = read.read_to_end(&mut answer).await;
                answer
            };
            let both = async { tokio::join!(sending, reading) };
            let Ok(((), answer)) = tokio::time::timeout(TIME_MAX, both).await else {
                panic!("{what} over {way:?}: still going on")
            };
            let refused = answer.starts_with(b"HTTP/1.1 4");
            assert!(
                refused || answer.is_empty(),
                "{what} over {way:?}: {}",
                answer.escape_ascii()
            );
        }
        // Nobody else has noticed.
        Dialer::new()
            .dial(&format!("ws://{address}/chat"))
            .await
            .unwrap();
    }
}
