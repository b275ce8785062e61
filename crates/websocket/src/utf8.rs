//! UTF-8 checked as it arrives (RFC 6455, section 8.1): the first byte that cannot be right fails at once.

use simdutf8::compat;

/// Longest encoding of one character, in bytes.
const CHAR_BYTES_MAX: usize = 4;

/// The text so far cannot be continued to valid UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidUtf8;

/// Checks a text given in pieces that may be cut inside a character.
#[derive(Debug, Clone, Default)]
pub(crate) struct Utf8Validator {
    /// The beginning of a character whose rest has not arrived.
    open: [u8; CHAR_BYTES_MAX],
    open_len: usize,
}

impl Utf8Validator {
    /// Checks the next piece.
    pub(crate) fn feed(&mut self, mut piece: &[u8]) -> Result<(), InvalidUtf8> {
        while self.open_len > 0 {
            let Some((&next, rest)) = piece.split_first() else {
                return Ok(());
            };
            piece = rest;
            self.open[self.open_len] = next;
            self.open_len += 1;
            match std::str::from_utf8(&self.open[..self.open_len]) {
                Ok(_) => self.open_len = 0,
                // `error_len` is none exactly while more bytes could still complete the character.
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(InvalidUtf8),
            }
        }
        match compat::from_utf8(piece) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_none() => {
                let tail = &piece[error.valid_up_to()..];
                self.open[..tail.len()].copy_from_slice(tail);
                self.open_len = tail.len();
                Ok(())
            }
            Err(_) => Err(InvalidUtf8),
        }
    }

    /// The text ends here: it must not end inside a character.
    pub(crate) fn finish(&mut self) -> Result<(), InvalidUtf8> {
        if self.open_len == 0 {
            Ok(())
        } else {
            Err(InvalidUtf8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How many bytes are taken before the failure is seen; none if the text is valid.
    fn fails_after(bytes: &[u8]) -> Option<usize> {
        let mut validator = Utf8Validator::default();
        for (index, byte) in bytes.iter().enumerate() {
            if validator.feed(&[*byte]).is_err() {
                return Some(index + 1);
            }
        }
        validator.finish().err().map(|InvalidUtf8| bytes.len())
    }

    #[test]
    fn fails_at_the_first_byte_that_cannot_be_right() {
        assert_eq!(fails_after("수다 🦀".as_bytes()), None);
        assert_eq!(fails_after(&[0xf4, 0x90, 0x80, 0x80]), Some(2));
        assert_eq!(fails_after(&[0xed, 0xa0, 0x80]), Some(2));
        assert_eq!(fails_after(&[b'a', 0xc0, 0xaf]), Some(2));
        assert_eq!(fails_after(&[b'a', 0xff, b'b']), Some(2));
        assert_eq!(fails_after(&[0xe2, 0x82]), Some(2));
    }

    proptest! {
        #[test]
        fn pieces_give_what_the_whole_gives(bytes: Vec<u8>, text: String, cuts in prop::collection::vec(1usize..7, 1..40)) {
            for sample in [&bytes[..], text.as_bytes()] {
                let mut validator = Utf8Validator::default();
                let mut rest = sample;
                let mut good = true;
                for cut in cuts.iter().cycle() {
                    if rest.is_empty() || !good { break; }
                    let (piece, after) = rest.split_at((*cut).min(rest.len()));
                    good = validator.feed(piece).is_ok();
                    rest = after;
                }
                good = good && validator.finish().is_ok();
                prop_assert_eq!(good, std::str::from_utf8(sample).is_ok());
            }
        }
    }
}
