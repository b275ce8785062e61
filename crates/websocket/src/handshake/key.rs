//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept`.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, PAD, STANDARD};
use sha1::{Digest as _, Sha1};

/// The text that both sides append to the key before hashing it (RFC 6455, section 1.3). It is the same for every
/// WebSocket ever opened: an answer built with it can only come from somebody who knows the protocol.
pub const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Bytes of randomness that a key carries (RFC 6455, section 4.1).
const KEY_BYTES: usize = 16;

/// The `Sec-WebSocket-Accept` that answers `key`: SHA-1 over key and [`GUID`], in base64 (RFC 6455, section 4.2.2).
///
/// ```
/// // The example of RFC 6455, section 1.3.
/// assert_eq!(suda_websocket::handshake::accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
pub fn accept_key(key: &str) -> String {
    String::from_utf8_lossy(&accept_value(key.as_bytes())).into_owned()
}

/// Characters of an accept value: the 20 bytes of a SHA-1 in base64.
const ACCEPT_CHARACTERS: usize = 28;

/// [`accept_key`]'s characters.
pub(super) type AcceptValue = [u8; ACCEPT_CHARACTERS];

pub(super) fn accept_value(key: &[u8]) -> AcceptValue {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID.as_bytes());
    let mut value = [0; ACCEPT_CHARACTERS];
    if STANDARD.encode_slice(hash.finalize(), &mut value) != Ok(ACCEPT_CHARACTERS) {
        unreachable!("a SHA-1 has 20 bytes");
    }
    value
}

/// A fresh key from the operating system's generator.
pub(super) fn new_key() -> Result<String, getrandom::Error> {
    let mut random = [0u8; KEY_BYTES];
    getrandom::fill(&mut random)?;
    Ok(STANDARD.encode(random))
}

/// Two base64 characters carry the last of the 16 bytes, and have 4 bits to spare. Not everybody leaves them zero: nor does the example
/// of RFC 6455, section 4.1, item 7.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    PAD.with_decode_allow_trailing_bits(true),
);

/// Whether `key` is the base64 of exactly 16 bytes.
pub(super) fn is_valid(key: &[u8]) -> bool {
    // 16 bytes always make 24 characters. Looking at the length first means that nothing is decoded from a long one.
    const KEY_CHARACTERS: usize = 24;
    key.len() == KEY_CHARACTERS
        && LENIENT
            .decode_slice(key, &mut [0; KEY_BYTES + 2])
            .is_ok_and(|bytes| bytes == KEY_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_new_keys_are_valid_and_differ() {
        let (a, b) = (new_key().unwrap(), new_key().unwrap());
        assert!(is_valid(a.as_bytes()) && is_valid(b.as_bytes()));
        assert_ne!(a, b);
    }

    #[test]
    fn a_key_is_the_base64_of_16_bytes_and_nothing_else() {
        assert!(is_valid(b"dGhlIHNhbXBsZSBub25jZQ=="));
        for bad in [
            "",
            "c2hvcnQ=",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZTE=",
            "dGhlIHNhbXBsZSBub25j!Q==",
        ] {
            assert!(!is_valid(bad.as_bytes()), "{bad}");
        }
    }
}
