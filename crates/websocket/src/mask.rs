//! Masking of payloads (RFC 6455, section 5.3) and the keys for it.

use std::cell::RefCell;

/// How many bytes of randomness are fetched at once: one system call for 256 keys.
const RANDOM_BYTES: usize = 1024;

/// From this length on, in bytes, whole vectors pay for being got ready.
const LONG_BYTES_MIN: usize = 64;
/// Bytes that are unmasked without a look at how many are left.
const BLOCK_BYTES: usize = 1 << 10;

/// XORs `payload` with `key`, where `payload` begins `offset` bytes into the frame's payload.
///
/// Written over whole words in safe code, which the compiler turns into vector instructions.
#[inline]
pub(crate) fn apply(payload: &mut [u8], key: [u8; 4], offset: usize) {
    let turn = 8 * (offset % 4) as u32;
    let half = u32::from_le_bytes(key).rotate_right(turn);
    let word = u64::from(half) << 32 | u64::from(half);
    let rest = if payload.len() >= LONG_BYTES_MIN {
        long(payload, word)
    } else {
        short(payload, word)
    };
    let rest = match rest.split_first_chunk_mut::<4>() {
        Some((four, rest)) => {
            *four = (u32::from_le_bytes(*four) ^ half).to_le_bytes();
            rest
        }
        None => rest,
    };
    for (byte, key) in rest.iter_mut().zip(half.to_le_bytes()) {
        *byte ^= key;
    }
}

/// XORs whole words; gives what is left.
#[inline(never)]
fn long(payload: &mut [u8], word: u64) -> &mut [u8] {
    let (blocks, rest) = payload.as_chunks_mut::<BLOCK_BYTES>();
    for block in blocks {
        xor_words(block.as_chunks_mut().0, word);
    }
    let (words, rest) = rest.as_chunks_mut();
    xor_words(words, word);
    rest
}

#[inline(always)]
fn xor_words(words: &mut [[u8; 8]], word: u64) {
    for bytes in words {
        *bytes = (u64::from_le_bytes(*bytes) ^ word).to_le_bytes();
    }
}

/// [`long`] one by one, for so few that getting vectors ready costs more than it saves.
#[inline]
fn short(mut payload: &mut [u8], word: u64) -> &mut [u8] {
    while payload.len() >= 8 {
        let (words, rest) = std::mem::take(&mut payload).split_at_mut(8);
        if let Some(chunk) = words.first_chunk_mut::<8>() {
            *chunk = (u64::from_le_bytes(*chunk) ^ word).to_le_bytes();
        }
        payload = rest;
    }
    payload
}

struct Randomness {
    bytes: [u8; RANDOM_BYTES],
    used: usize,
}

thread_local! {
    static RANDOMNESS: RefCell<Randomness> =
        const { RefCell::new(Randomness { bytes: [0; RANDOM_BYTES], used: RANDOM_BYTES }) };
}

/// A key that the peer's proxies cannot foretell (RFC 6455, section 10.3), from the operating system's generator.
///
/// # Panics
/// If the operating system has no randomness to give: nothing could be sent safely then.
pub(crate) fn random_key() -> [u8; 4] {
    RANDOMNESS.with_borrow_mut(|random| {
        if random.used == RANDOM_BYTES {
            if let Err(error) = getrandom::fill(&mut random.bytes) {
                panic!("the operating system gives no randomness: {error}");
            }
            random.used = 0;
        }
        let mut key = [0; 4];
        key.copy_from_slice(&random.bytes[random.used..random.used + 4]);
        // A used key must not be found in memory later.
        random.bytes[random.used..random.used + 4].fill(0);
        random.used += 4;
        key
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn byte_by_byte(payload: &mut [u8], key: [u8; 4], offset: usize) {
        for (index, byte) in payload.iter_mut().enumerate() {
            *byte ^= key[(offset + index) % 4];
        }
    }

    #[test]
    fn words_give_what_single_bytes_give_at_every_length_and_offset() {
        let key = [0x12, 0x34, 0x56, 0x78];
        let blocks = [BLOCK_BYTES - 1, BLOCK_BYTES, 2 * BLOCK_BYTES + 77];
        for len in (0..2 * LONG_BYTES_MIN + 9).chain(blocks) {
            for offset in 0..9 {
                let mut fast: Vec<u8> = (0..len).map(|byte| byte as u8).collect();
                let mut slow = fast.clone();
                apply(&mut fast, key, offset);
                byte_by_byte(&mut slow, key, offset);
                assert_eq!(fast, slow, "length {len}, offset {offset}");
            }
        }
    }

    #[test]
    fn keys_differ() {
        let keys: std::collections::HashSet<_> = (0..1000).map(|_| random_key()).collect();
        assert!(keys.len() > 990);
    }
}
