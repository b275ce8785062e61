//! Where a line of a head ends.

/// Where the first line feed is, looked for eight bytes at a time.
pub(super) fn find_lf(bytes: &[u8]) -> Option<usize> {
    const WORD_BYTES: usize = size_of::<u64>();
    const LOW_BITS: u64 = u64::from_ne_bytes([0x7f; WORD_BYTES]);
    const LINE_FEEDS: u64 = u64::from_ne_bytes([b'\n'; WORD_BYTES]);
    let (words, rest) = bytes.as_chunks::<WORD_BYTES>();
    for (index, word) in words.iter().enumerate() {
        let differing = u64::from_le_bytes(*word) ^ LINE_FEEDS;
        // A byte's high bit is set here exactly if the byte differs nowhere: its seven low bits do not carry, and the high one is clear.
        let found = !(((differing & LOW_BITS) + LOW_BITS) | differing | LOW_BITS);
        if found != 0 {
            return Some(index * WORD_BYTES + found.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|&byte| byte == b'\n')?;
    Some(words.len() * WORD_BYTES + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_feed_is_found_where_the_first_is_among_bytes_that_resemble_it() {
        for len in 0..40 {
            for at in 0..len {
                for filler in [0, 0x09, 0x0b, 0x8a, 0xff, b'a'] {
                    let mut bytes = vec![filler; len];
                    assert_eq!(find_lf(&bytes), None);
                    bytes[at] = b'\n';
                    assert_eq!(find_lf(&bytes), Some(at), "{len} bytes of {filler}");
                    bytes[len - 1] = b'\n';
                    assert_eq!(find_lf(&bytes), Some(at), "{len} bytes of {filler}");
                }
            }
        }
    }
}
