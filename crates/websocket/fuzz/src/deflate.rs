//! Compression: any compressed bytes are inflated within bounds and to what zlib makes of them, and any messages come back.

use flate2::{Decompress, FlushDecompress, Status};
use suda_websocket::{Compression, Config, Connection, Event, Message, Parts, Role, Violation};

use super::{
    input::{Input, pieces},
    wire::{BINARY, Frame},
};

const READ_LIMIT_BYTES: usize = 16 << 10;
/// What permessage-deflate cuts off each message (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

pub fn deflate(data: &[u8]) {
    let mut input = Input::new(data);
    if input.byte() & 1 == 0 {
        inflate(input);
    } else {
        round_trip(input);
    }
}

fn connection(role: Role, compression: Compression) -> Connection {
    let mut parts = Parts::new(role, Config::default().read_limit(READ_LIMIT_BYTES));
    parts.compression = Some(compression);
    Connection::new(parts)
}

/// Messages of any compressed bytes.
fn inflate(mut input: Input<'_>) {
    let takeover = input.byte() & 1 != 0;
    let compression = Compression::default().context_takeover(takeover);
    let mut server = connection(Role::Server, compression);
    let mut history: Vec<Vec<u8>> = Vec::new();
    while !input.is_empty() {
        let len = usize::from(input.byte()) << 2;
        let payload = input.take(len).to_vec();
        let mut bytes = Vec::new();
        let frame = Frame {
            first: 0xc0 | BINARY,
            masked: true,
            payload,
        };
        frame.encode(false, &mut bytes);
        let cut = [input.byte()];
        let pieces = if input.byte() & 1 == 0 {
            vec![&bytes[..]]
        } else {
            pieces(&bytes, &cut)
        };
        let mut event = None;
        for piece in pieces {
            server.receive(piece);
            event = event.or_else(|| server.poll_event());
        }
        match (event, by_zlib(&history, &frame.payload)) {
            (Some(Event::Message(message)), Ok(data)) => assert_eq!(message.as_bytes(), data),
            // Which of the two is met first is a matter of how far one looks ahead.
            (Some(Event::Failed(Violation::TooLong | Violation::BadCompression)), Err(_)) => return,
            (ours, theirs) => panic!("ours: {ours:?}, zlib: {theirs:?}"),
        }
        if takeover {
            history.push(frame.payload);
        }
    }
}

/// Why zlib does not take a message either.
#[derive(Debug)]
enum Fault {
    Corrupt,
    TooLong,
}

/// The message `payload` after those in `history`, whose context it may use.
fn by_zlib(history: &[Vec<u8>], payload: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut zlib = Decompress::new(false);
    for earlier in history {
        message(&mut zlib, earlier)?;
    }
    let (data, between_blocks) = message(&mut zlib, payload)?;
    if between_blocks {
        return Ok(data);
    }
    // An empty block that says it is the last ends the stream exactly if no other block is open.
    match feed(&mut zlib, &[1, 0, 0, 0xff, 0xff], &mut Vec::new())? {
        (true, 0) => Ok(data),
        _ => Err(Fault::Corrupt),
    }
}

/// Gives the data, and whether it is certain that no block is open.
fn message(zlib: &mut Decompress, payload: &[u8]) -> Result<(Vec<u8>, bool), Fault> {
    let mut data = Vec::new();
    // Some peers send an empty message as no bytes at all, and some no empty block behind a last one.
    let mut between_blocks = payload.is_empty() || feed(zlib, payload, &mut data)?.0;
    if !between_blocks {
        let (ended, made) = feed(zlib, &TAIL, &mut data)?;
        if made > 0 {
            return Err(Fault::Corrupt);
        }
        between_blocks = ended;
    }
    Ok((data, between_blocks))
}

/// Gives whether the bytes end with a last block, and how much came out. A last block may be followed by another stream.
fn feed(
    zlib: &mut Decompress,
    mut bytes: &[u8],
    data: &mut Vec<u8>,
) -> Result<(bool, usize), Fault> {
    let begun = data.len();
    loop {
        let before = zlib.total_in();
        data.reserve(2 * READ_LIMIT_BYTES);
        let status = zlib
            .decompress_vec(bytes, data, FlushDecompress::Sync)
            .map_err(|_| Fault::Corrupt)?;
        if data.len() > READ_LIMIT_BYTES {
            return Err(Fault::TooLong);
        }
        bytes = &bytes[(zlib.total_in() - before) as usize..];
        let ended = status == Status::StreamEnd;
        if ended {
            zlib.reset(false);
        }
        if bytes.is_empty() {
            return Ok((ended, data.len() - begun));
        }
    }
}

/// Messages of any bytes, with any parameters, between two connections.
fn round_trip(mut input: Input<'_>) {
    let (flags, window, level) = (input.byte(), input.byte(), input.byte());
    let mut compression = Compression::default()
        .bytes_min(0)
        .context_takeover(flags & 1 != 0)
        .level(level & 15)
        .memory_level((level >> 4).max(1));
    compression.client_max_window_bits = 9 + window % 7;
    compression.server_max_window_bits = 9 + (window >> 4) % 7;
    let (from, to) = if flags & 2 == 0 {
        (Role::Client, Role::Server)
    } else {
        (Role::Server, Role::Client)
    };
    let mut sender = connection(from, compression);
    let mut receiver = connection(to, compression);
    while !input.is_empty() {
        let how = input.byte();
        let len = usize::from(input.byte()) << 1;
        let data = input.take(len).repeat(usize::from(how & 7) + 1);
        let message = match String::from_utf8(data) {
            Ok(text) => Message::text(text),
            Err(error) => Message::binary(error.into_bytes()),
        };
        sender.set_compression(how & 0x80 == 0);
        if how & 0x40 != 0 {
            sender.set_compression_level(how >> 3 & 7);
        }
        if how & 0x20 != 0 && message.kind() == suda_websocket::MessageKind::Binary {
            sender.begin_message(message.kind()).unwrap();
            for piece in pieces(message.as_bytes(), &[how]) {
                sender.send_part(piece, false).unwrap();
            }
            sender.send_part(b"", true).unwrap();
        } else {
            sender.send(message.clone()).unwrap();
        }
        let bytes: Vec<u8> = sender.transmit().flatten().copied().collect();
        sender.advance(bytes.len());
        receiver.receive(&bytes);
        assert_eq!(receiver.poll_event(), Some(Event::Message(message)));
        assert_eq!(receiver.poll_event(), None);
    }
}
