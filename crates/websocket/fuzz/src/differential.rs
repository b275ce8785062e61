//! The same bytes for three implementations: what one delivers, the others deliver.
//!
//! Where they may differ:
//! - We fail a text at its first wrong byte, tungstenite at the end of its message. So the others may see the end of the stream
//!   where we see a violation.
//! - Both others take a length in more bytes than it needs (RFC 6455, section 5.2, forbids it).
//! - tungstenite takes a close code that must not be sent, and answers it with 1002.
//! - soketto checks neither masks nor UTF-8, forgets a begun message at a pong, and tells a close frame without a code as the end of
//!   the stream.
//!
//! So whatever ends well for us ends well for them, with the same messages. What we fail has given them the same messages, and more only
//! where the rule that was broken is one of these.

use std::{
    io::{self, Read, Write},
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{
    FutureExt,
    io::{AsyncRead, AsyncWrite},
};
use soketto::{
    Data, Incoming,
    connection::{Builder, Mode},
};
use suda_websocket::{Config, Connection, Event, Parts, Role, Violation};
use tokio_tungstenite::tungstenite::{self, WebSocket, protocol::WebSocketConfig};

use super::input::Input;

const MESSAGE_BYTES_MAX: usize = 4096;

pub fn differential(data: &[u8]) {
    let mut input = Input::new(data);
    let role = if input.byte() & 1 == 0 {
        Role::Server
    } else {
        Role::Client
    };
    let bytes = match role {
        Role::Server => remasked(input.rest()),
        Role::Client => input.rest().to_vec(),
    };
    let mut ours = ours(role, &bytes);
    compare(&ours, &by_tungstenite(role, &bytes), "tungstenite");
    if !ours.has_pong_inside_message {
        ours.messages
            .pop_if(|last| matches!(last, Message::Close(None)));
        compare(&ours, &by_soketto(role, &bytes), "soketto");
    }
}

/// The fuzzer seldom hits on mask bits. Sets those of the frames that come one after the other, up to what is none.
fn remasked(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some([_, second, ..]) = bytes.get_mut(at..) {
        *second |= 0x80;
        let (len_bytes, short) = match *second & 0x7f {
            126 => (2, 0),
            127 => (8, 0),
            short => (0, usize::from(short)),
        };
        let Some(len) = bytes.get(at + 2..at + 2 + len_bytes) else {
            break;
        };
        let long = len
            .iter()
            .fold(0u64, |len, byte| len << 8 | u64::from(*byte));
        let Ok(long) = usize::try_from(long) else {
            break;
        };
        at = (at + 6 + len_bytes + short)
            .saturating_add(long)
            .min(bytes.len());
    }
    bytes
}

#[derive(Debug, PartialEq, Clone)]
enum Message {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Close(Option<u16>),
}

#[derive(Debug, PartialEq, Clone, Copy)]
enum End {
    /// A close frame, or the end of the stream.
    Closed,
    /// A rule was broken.
    Failed,
    /// A rule was broken that the peers don't keep, or not as early.
    FailedStrictly,
}

#[derive(Debug)]
struct Outcome {
    messages: Vec<Message>,
    end: End,
    has_pong_inside_message: bool,
}

fn compare(ours: &Outcome, theirs: &Outcome, name: &str) {
    let same = match ours.end {
        End::Closed | End::Failed => ours.messages == theirs.messages,
        End::FailedStrictly => theirs.messages.starts_with(&ours.messages),
    };
    assert!(same, "ours: {ours:?}\n{name}: {theirs:?}");
    // Of a frame that never comes whole, one sees that it is wrong before the other does. A close frame is the end for all.
    let same_end = match ours.messages.last() {
        Some(Message::Close(_)) => theirs.end == End::Closed,
        _ => true,
    };
    assert!(same_end, "ours: {ours:?}\n{name}: {theirs:?}");
}

fn ours(role: Role, bytes: &[u8]) -> Outcome {
    let config = Config::default().read_limit(MESSAGE_BYTES_MAX);
    let mut connection = Connection::new(Parts::new(role, config));
    let mut outcome = Outcome {
        messages: Vec::new(),
        end: End::Closed,
        has_pong_inside_message: false,
    };
    connection.receive(bytes);
    connection.receive_eof();
    let mut is_open = false;
    while let Some(event) = connection.poll_part() {
        match event {
            Event::Part(part) => {
                if !is_open {
                    outcome.messages.push(match part.kind {
                        suda_websocket::MessageKind::Text => Message::Text(Vec::new()),
                        suda_websocket::MessageKind::Binary => Message::Binary(Vec::new()),
                    });
                }
                if let Some(Message::Text(data) | Message::Binary(data)) =
                    outcome.messages.last_mut()
                {
                    data.extend_from_slice(&part.data);
                }
                is_open = !part.fin;
            }
            Event::Pong(_) => outcome.has_pong_inside_message |= is_open,
            Event::Closed(close) => {
                if is_open {
                    outcome.messages.pop();
                }
                if close.is_clean() {
                    let code = Some(close.code.0).filter(|code| *code != 1005);
                    outcome.messages.push(Message::Close(code));
                }
            }
            Event::Failed(violation) => {
                if is_open {
                    outcome.messages.pop();
                }
                outcome.end = match violation {
                    Violation::InvalidUtf8
                    | Violation::BadLength
                    // Also what 126 in a control frame's header is told as, whatever length follows.
                    | Violation::LongControl
                    | Violation::BadClose
                    | Violation::TooLong
                    | Violation::Masked
                    | Violation::Unmasked => End::FailedStrictly,
                    _ => End::Failed,
                };
            }
            _ => {}
        }
    }
    outcome
}

fn by_tungstenite(role: Role, bytes: &[u8]) -> Outcome {
    let role = match role {
        Role::Client => tungstenite::protocol::Role::Client,
        Role::Server => tungstenite::protocol::Role::Server,
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let mut socket = WebSocket::from_raw_socket(Script { bytes }, role, Some(config));
    let mut messages = Vec::new();
    let end = loop {
        match socket.read() {
            Ok(tungstenite::Message::Text(text)) => {
                messages.push(Message::Text(text.as_bytes().to_vec()));
            }
            Ok(tungstenite::Message::Binary(data)) => messages.push(Message::Binary(data.to_vec())),
            Ok(tungstenite::Message::Close(close)) => {
                let code = close.map(|close| u16::from(close.code));
                messages.push(Message::Close(code));
                break End::Closed;
            }
            Ok(_) => {}
            Err(
                tungstenite::Error::Protocol(
                    tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
                )
                | tungstenite::Error::ConnectionClosed,
            ) => break End::Closed,
            Err(_) => break End::Failed,
        }
    };
    Outcome {
        messages,
        end,
        has_pong_inside_message: false,
    }
}

fn by_soketto(role: Role, bytes: &[u8]) -> Outcome {
    let mode = match role {
        Role::Client => Mode::Client,
        Role::Server => Mode::Server,
    };
    let mut builder = Builder::new(Script { bytes }, mode);
    builder.set_max_message_size(MESSAGE_BYTES_MAX);
    builder.set_max_frame_size(MESSAGE_BYTES_MAX);
    let (_, mut receiver) = builder.finish();
    let mut messages = Vec::new();
    let end = loop {
        let mut data = Vec::new();
        // Nothing in it ever waits.
        let received = receiver.receive(&mut data).now_or_never();
        match received.expect("a script is always ready") {
            Ok(Incoming::Data(Data::Text(_))) => messages.push(Message::Text(data)),
            Ok(Incoming::Data(Data::Binary(_))) => messages.push(Message::Binary(data)),
            Ok(Incoming::Pong(_)) => {}
            Ok(Incoming::Closed(reason)) => {
                let code = Some(reason.code).filter(|code| *code != 1005);
                messages.push(Message::Close(code));
                break End::Closed;
            }
            Err(soketto::connection::Error::Io(_) | soketto::connection::Error::Closed) => {
                break End::Closed;
            }
            Err(_) => break End::Failed,
        }
    };
    Outcome {
        messages,
        end,
        has_pong_inside_message: false,
    }
}

/// A stream that gives these bytes, then ends, and takes everything.
struct Script<'a> {
    bytes: &'a [u8],
}

impl Read for Script<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buf)
    }
}

impl Write for Script<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Script<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.read(buf))
    }
}

impl AsyncWrite for Script<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
