//! permessage-deflate by the rules of RFC 7692, each as client and as server, against the C library zlib and another
//! implementation of WebSocket.
#![allow(clippy::unwrap_used)]

#[path = "../support/pair.rs"]
mod pair;
#[path = "../support/zlib.rs"]
mod zlib;

mod answers;
mod driver;
mod fragments;
mod hostile;
mod offers;
mod peers;
mod properties;
mod receiving;
mod sending;

use suda_websocket::{Compression, Config, Connection, Parts, Role};

/// A connection that has agreed on `compression`.
fn deflating(role: Role, config: Config, compression: Compression) -> Connection {
    Connection::new(Parts::new(role, config).compression(Some(compression)))
}

/// Everything is compressed, and no context kept.
fn forgetting() -> Compression {
    Compression::default().bytes_min(0)
}

/// Everything is compressed, and contexts are kept.
fn keeping() -> Compression {
    forgetting().context_takeover(true)
}

/// Bytes that compress to about a third, with matches up to 32 KiB back.
fn sample(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut out: Vec<u8> = Vec::with_capacity(bytes + 300);
    while out.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if state & 1 == 0 && out.len() > 300 {
            let back = (state >> 8) as usize % out.len().min(32_000) + 1;
            let from = out.len() - back;
            let len = ((state >> 40) as usize % 250 + 3).min(back);
            out.extend_from_within(from..from + len);
        } else {
            out.extend_from_slice(&state.to_le_bytes());
        }
    }
    out.truncate(bytes);
    out
}

/// Bytes that cannot be compressed.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 1u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(bytes)
    .collect()
}
