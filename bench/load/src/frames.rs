//! Payloads, and the client's frames around them.

use anyhow::Result;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
/// RSV1: the message is compressed.
pub(crate) const COMPRESSED: u8 = 0x40;
/// The end of a flushed DEFLATE stream, which a message does without (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// Any key will do: who unmasks cannot know it before.
const KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
const SEED: u64 = 88_172_645_463_325_252;

/// One masked frame.
pub(crate) fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first_byte];
    match payload.len() {
        len @ 0..126 => frame.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(0x80 | 127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(KEY);
    frame.extend(
        payload
            .iter()
            .zip(KEY.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    frame
}

/// Bytes that nothing can compress.
pub(crate) fn random(len: usize) -> Vec<u8> {
    let mut state = SEED;
    (0..len).map(|_| next(&mut state) as u8).collect()
}

/// JSON of `len` bytes, as a chat might send it: names repeat, numbers don't.
pub(crate) fn json(len: usize, seed: u64) -> Vec<u8> {
    const NAMES: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];
    const WORDS: [&str; 10] = [
        "hello", "there", "release", "build", "server", "works", "again", "channel", "latency",
        "today",
    ];
    let mut state = SEED.wrapping_mul(seed + 1);
    let mut text = String::from("{\"type\":\"batch\",\"items\":[");
    while text.len() < len {
        let bits = next(&mut state);
        let pick = |shift: u32, count: usize| (bits >> shift) as usize % count;
        text += &format!(
            "{{\"id\":{},\"user\":\"{}\",\"room\":\"general-{}\",\"ts\":17636{:08},\"text\":\"{} {} {} {}\"}},",
            bits % 1_000_000,
            NAMES[pick(8, NAMES.len())],
            pick(0, 7),
            pick(20, 100_000_000),
            WORDS[pick(3, WORDS.len())],
            WORDS[pick(13, WORDS.len())],
            WORDS[pick(23, WORDS.len())],
            WORDS[pick(33, WORDS.len())],
        );
    }
    text.truncate(len.saturating_sub(2));
    text += "]}";
    text.into_bytes()
}

/// A message's payload, compressed without any context.
pub(crate) fn deflate(payload: &[u8]) -> Result<Vec<u8>> {
    let mut compress = Compress::new(Compression::new(6), false);
    let mut out = Vec::with_capacity(payload.len() + 1024);
    compress.compress_vec(payload, &mut out, FlushCompress::Sync)?;
    anyhow::ensure!(
        out.ends_with(&TAIL),
        "the payload was not compressed at once"
    );
    out.truncate(out.len() - TAIL.len());
    Ok(out)
}

/// The payload of the first compressed message on a connection.
pub(crate) fn inflate(compressed: &[u8], len: usize) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(len + 4096);
    let input = [compressed, &TAIL].concat();
    Decompress::new(false).decompress_vec(&input, &mut out, FlushDecompress::Sync)?;
    Ok(out)
}

fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_as_long_as_asked_for_and_survives_compression() {
        for seed in 0..64 {
            let payload = json(2048, seed);
            assert_eq!(payload.len(), 2048);
            let compressed = deflate(&payload).unwrap();
            assert!(compressed.len() < payload.len());
            assert_eq!(inflate(&compressed, payload.len()).unwrap(), payload);
        }
    }

    #[test]
    fn a_frame_has_the_shortest_length_field() {
        for (len, header) in [(0, 6), (125, 6), (126, 8), (0xffff, 8), (0x1_0000, 14)] {
            assert_eq!(frame(BINARY, &vec![0; len]).len(), header + len);
        }
    }
}
