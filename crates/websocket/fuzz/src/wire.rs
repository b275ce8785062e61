//! Frames, written and read by code that shares nothing with the library's.

use suda_websocket::{Connection, Role};

pub const CONTINUATION: u8 = 0;
pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// One frame as it stands on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub first: u8,
    pub masked: bool,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn fin(&self) -> bool {
        self.first & 0x80 != 0
    }

    pub fn op(&self) -> u8 {
        self.first & 0x0f
    }

    pub fn is_control(&self) -> bool {
        self.first & 0x08 != 0
    }

    /// With the length in as few bytes as it needs, or, `padded`, in more.
    pub fn encode(&self, padded: bool, out: &mut Vec<u8>) {
        out.push(self.first);
        let mask_bit = u8::from(self.masked) << 7;
        let len = self.payload.len();
        match len {
            0..=125 if !padded => out.push(mask_bit | len as u8),
            0..=0xffff if !(padded && len > 125) => {
                out.push(mask_bit | 126);
                out.extend((len as u16).to_be_bytes());
            }
            _ => {
                out.push(mask_bit | 127);
                out.extend((len as u64).to_be_bytes());
            }
        }
        let key = [0x1b, 0xad, 0xf0, 0x0d];
        if self.masked {
            out.extend(key);
        }
        let mask = |(at, byte): (usize, &u8)| byte ^ if self.masked { key[at % 4] } else { 0 };
        out.extend(self.payload.iter().enumerate().map(mask));
    }
}

/// What the connection has to send: whole, well-formed frames of its role, nothing behind a close frame.
pub fn sent(connection: &mut Connection) -> Vec<Frame> {
    let bytes: Vec<u8> = connection.transmit().flatten().copied().collect();
    assert_eq!(bytes.len(), connection.buffered());
    connection.advance(bytes.len());
    assert_eq!(connection.buffered(), 0);
    let frames = parse(&bytes);
    let role = connection.role();
    for frame in &frames {
        assert_eq!(frame.masked, role == Role::Client, "{frame:?}");
        assert!(!frame.is_control() || frame.fin() && frame.payload.len() <= 125);
    }
    frames
}

fn parse(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut take = |len: usize| {
        let (taken, rest) = bytes.split_at(len);
        bytes = rest;
        (taken, rest.is_empty())
    };
    loop {
        let first = match take(0) {
            (_, true) => return frames,
            _ => take(1).0[0],
        };
        let second = take(1).0[0];
        let len = match second & 0x7f {
            126 => u64::from(u16::from_be_bytes(take(2).0.try_into().unwrap())),
            127 => u64::from_be_bytes(take(8).0.try_into().unwrap()),
            short => u64::from(short),
        };
        let masked = second & 0x80 != 0;
        let key: [u8; 4] = if masked {
            take(4).0.try_into().unwrap()
        } else {
            [0; 4]
        };
        let payload = take(usize::try_from(len).unwrap()).0;
        let payload = payload.iter().zip(key.iter().cycle());
        frames.push(Frame {
            first,
            masked,
            payload: payload.map(|(byte, key)| byte ^ key).collect(),
        });
    }
}
