//! Tunnels through a proxy that answers anything: what it is asked, what becomes of its answer and how many of its bytes are taken
//! does not depend on how they are cut, and is right by a second reading of the RFCs.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use suda_websocket::{DialError, Dialer, Proxy, ProxyError};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::{Builder, Runtime},
};

use super::{
    handshake::head,
    input::{Input, pieces},
};

const ANSWER: [&str; 3] = [
    "HTTP/1.1 200 Connection established",
    "Proxy-Agent: any",
    "Content-Length: 5",
];
const INFORMATIONAL: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// Informational answers that are skipped.
const INFORMATIONAL_MAX: usize = 8;

/// URL, and the address as SOCKS5 writes it: kind, name or address, port.
const TARGETS: [(&str, &str, &[u8]); 3] = [
    (
        "ws://chat.example/",
        "chat.example:80",
        b"\x03\x0cchat.example\0\x50",
    ),
    (
        "ws://192.0.2.7:9000/",
        "192.0.2.7:9000",
        b"\x01\xc0\0\x02\x07\x23\x28",
    ),
    (
        "ws://[2001:db8::1]/",
        "[2001:db8::1]:80",
        b"\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\x50",
    ),
];

pub fn proxy_answers(data: &[u8]) {
    let mut input = Input::new(data);
    let how = input.byte();
    let cuts = usize::from(input.byte() & 7);
    let cuts = input.take(cuts).to_vec();
    let target = usize::from(how >> 2) % TARGETS.len();
    let with_password = how & 2 != 0;
    if how & 1 == 0 {
        http(input, &cuts, target, with_password);
    } else {
        socks(input.rest(), &cuts, target, with_password);
    }
}

fn http(mut input: Input<'_>, cuts: &[u8], target: usize, with_password: bool) {
    let informational = usize::from(input.byte() & 15);
    let mut bytes = INFORMATIONAL.repeat(informational);
    bytes.extend(head(&mut input, &ANSWER));
    let user = if with_password { "me:secret@" } else { "" };
    let dial = |pieces: &[&[u8]]| {
        let dialogue = dial(&format!("http://{user}proxy.example"), target, pieces);
        let authority = TARGETS[target].1;
        let mut asked = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
        if with_password {
            asked += "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n";
        }
        asked += "\r\n";
        assert_eq!(dialogue.asked, asked.into_bytes());
        if let Some(taken) = dialogue.opened_at {
            assert_eq!(
                Some(taken),
                success_end(&bytes),
                "a tunnel, and not a byte more"
            );
        }
        dialogue
    };
    let whole = dial(&[&bytes]);
    let cut = dial(&pieces(&bytes, cuts));
    // Whether bytes that nobody asked for are seen before the target is spoken to depends on when they come.
    if success_end(&bytes).is_none_or(|end| end == bytes.len()) {
        assert_eq!(whole.opened_at, cut.opened_at);
        if whole.opened_at.is_none() {
            assert_eq!(whole.failure, cut.failure);
        }
    }
}

/// Where the head of an answer ends that opens a tunnel (RFC 9110, section 9.3.6), by another parser.
fn success_end(bytes: &[u8]) -> Option<usize> {
    let mut end = 0;
    for _ in 0..=INFORMATIONAL_MAX {
        let mut fields = [httparse::EMPTY_HEADER; 100];
        let mut parsed = httparse::Response::new(&mut fields);
        let Ok(httparse::Status::Complete(len)) = parsed.parse(&bytes[end..]) else {
            return None;
        };
        end += len;
        match parsed.code? {
            100..200 => {}
            200..300 => return Some(end),
            _ => return None,
        }
    }
    None
}

fn socks(bytes: &[u8], cuts: &[u8], target: usize, with_password: bool) {
    let user = if with_password { "me:secret@" } else { "" };
    let (asked, meant) = by_the_rfcs(bytes, TARGETS[target].2, with_password);
    for pieces in [vec![bytes], pieces(bytes, cuts)] {
        let dialogue = dial(&format!("socks5://{user}proxy.example"), target, &pieces);
        assert_eq!(dialogue.asked, asked);
        match (dialogue.opened_at, &meant) {
            (Some(taken), Ok(meant)) => assert_eq!(taken, *meant, "a tunnel, and not a byte more"),
            (None, Err(meant)) => assert_eq!(dialogue.failure, format!("{meant:?}")),
            (opened, _) => panic!("{opened:?} {}, meant: {meant:?}", dialogue.failure),
        }
    }
}

/// RFC 1928 and RFC 1929: what is said to this proxy, and how many bytes it has sent when the tunnel is open.
fn by_the_rfcs(
    bytes: &[u8],
    address: &[u8],
    with_password: bool,
) -> (Vec<u8>, Result<usize, ProxyError>) {
    let mut asked = if with_password {
        vec![5, 2, 0, 2]
    } else {
        vec![5, 1, 0]
    };
    let mut taken = 0;
    let mut take = |len: usize| {
        let piece = bytes.get(taken..taken + len).ok_or(ProxyError::Closed)?;
        taken += len;
        Ok(piece)
    };
    let mut dialogue = || {
        match take(2)? {
            [5, 0] => {}
            [5, 2] if with_password => {
                asked.extend(b"\x01\x02me\x06secret");
                match take(2)? {
                    [1, 0] => {}
                    [1, _] => return Err(ProxyError::Credentials),
                    _ => return Err(ProxyError::Malformed),
                }
            }
            [5, _] => return Err(ProxyError::Authentication),
            _ => return Err(ProxyError::Malformed),
        }
        asked.extend([5, 1, 0]);
        asked.extend(address);
        let rest = match take(4)? {
            [5, 0, _, 1] => 4,
            [5, 0, _, 3] => usize::from(take(1)?[0]),
            [5, 0, _, 4] => 16,
            [5, 0, ..] => return Err(ProxyError::Malformed),
            [5, code, ..] => return Err(ProxyError::Socks(*code)),
            _ => return Err(ProxyError::Malformed),
        };
        take(rest + 2)
    };
    let result = dialogue().map(|_| ());
    (asked, result.map(|()| taken))
}

struct Dialogue {
    /// What was written before the tunnel was open.
    asked: Vec<u8>,
    /// How many bytes had been taken when the target was first spoken to.
    opened_at: Option<usize>,
    /// Why the proxy gave no tunnel; nothing if it did.
    failure: String,
}

fn dial(proxy: &str, target: usize, pieces: &[&[u8]]) -> Dialogue {
    let wire = Wire {
        answers: pieces.iter().map(|piece| piece.to_vec()).collect(),
        ..Wire::default()
    };
    let wire = Arc::new(Mutex::new(wire));
    let stream = Stream(wire.clone());
    let dialer = Dialer::new()
        .proxy(proxy.parse::<Proxy>().unwrap())
        .net_dial(move |host, _| {
            assert_eq!(host, "proxy.example");
            let stream = Stream(stream.0.clone());
            async { Ok(stream) }
        });
    let error = RUNTIME
        .with(|runtime| runtime.block_on(dialer.dial(TARGETS[target].0)))
        .map(|_| ())
        .expect_err("the target's answer to a random key");
    let text = format!("{error} {error:?}");
    // A refusal is shown with what the proxy itself says.
    let is_refusal = matches!(
        &error,
        DialError::Proxy {
            source: ProxyError::Refused(_),
            ..
        }
    );
    assert!(is_refusal || !text.contains("secret"), "{text}");
    let wire = std::mem::take(&mut *wire.lock().unwrap());
    let failure = match error {
        DialError::Proxy { source, .. } => format!("{source:?}"),
        _ => String::new(),
    };
    assert_eq!(failure.is_empty(), wire.opened_at.is_some(), "{text}");
    Dialogue {
        asked: wire.asked,
        opened_at: wire.opened_at,
        failure,
    }
}

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().unwrap();
}

/// What a proxy will say, piece by piece, and what was said to it.
#[derive(Default)]
struct Wire {
    answers: VecDeque<Vec<u8>>,
    taken: usize,
    asked: Vec<u8>,
    opened_at: Option<usize>,
}

struct Stream(Arc<Mutex<Wire>>);

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut wire = self.0.lock().unwrap();
        if let Some(mut piece) = wire.answers.pop_front() {
            let len = piece.len().min(buf.remaining());
            buf.put_slice(&piece[..len]);
            wire.taken += len;
            if len < piece.len() {
                wire.answers.push_front(piece.split_off(len));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut wire = self.0.lock().unwrap();
        // The handshake with the target; nothing that is said to a proxy begins so.
        if bytes.starts_with(b"GET ") {
            wire.opened_at = Some(wire.taken);
        }
        if wire.opened_at.is_none() {
            wire.asked.extend(bytes);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
