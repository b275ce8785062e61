//! Where the lines of a head end: all at once where the head is whole, otherwise one after the other.

/// Bytes that are looked at together.
const BLOCK_BYTES: usize = 32;
/// The longest head that is looked at as a whole: what is found is counted in bytes.
const WHOLE_BYTES_MAX: usize = BLOCK_BYTES * u8::MAX as usize;

/// How many lines a head has, its empty one included; `None` if `bytes` are not one head and nothing else whose lines all end in CR LF,
/// or more than are looked at so.
///
/// A comparison of each byte with its neighbours, without a branch: the compiler makes a few instructions for a block of it.
pub(super) fn lines_of_whole_head(bytes: &[u8]) -> Option<usize> {
    if bytes.len() > WHOLE_BYTES_MAX || !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let (start, mut rest) = bytes.split_first_chunk::<2>()?;
    if start.contains(&b'\n') {
        return None;
    }
    let mut counts = Counts::default();
    // Each byte with the two before it.
    let mut before = *start;
    while let Some((block, further)) = rest.split_first_chunk::<BLOCK_BYTES>() {
        counts.add(before, block);
        before = [block[BLOCK_BYTES - 2], block[BLOCK_BYTES - 1]];
        rest = further;
    }
    let mut last = [0; BLOCK_BYTES];
    last[..rest.len()].copy_from_slice(rest);
    counts.add(before, &last);
    let [ends, proper_ends, empty_lines] = counts.sums();
    (ends == proper_ends && empty_lines == 1).then_some(ends)
}

/// For each place in a block how many line feeds were there, how many of them behind a carriage return, and how many of those behind
/// the end of another line.
#[derive(Default)]
struct Counts([[u8; BLOCK_BYTES]; 3]);

impl Counts {
    #[inline(always)]
    fn add(&mut self, before: [u8; 2], block: &[u8; BLOCK_BYTES]) {
        let mut run = [0; BLOCK_BYTES + 2];
        run[..2].copy_from_slice(&before);
        run[2..].copy_from_slice(block);
        let [ends, proper_ends, empty_lines] = &mut self.0;
        for at in 0..BLOCK_BYTES {
            let ends_line = run[at + 2] == b'\n';
            let is_proper = ends_line & (run[at + 1] == b'\r');
            let is_empty = is_proper & (run[at] == b'\n');
            ends[at] += u8::from(ends_line);
            proper_ends[at] += u8::from(is_proper);
            empty_lines[at] += u8::from(is_empty);
        }
    }

    fn sums(&self) -> [usize; 3] {
        self.0.map(|places| {
            let sum: u16 = places.iter().map(|&count| u16::from(count)).sum();
            usize::from(sum)
        })
    }
}

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
    use proptest::prelude::*;

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

    /// The same by going through the lines.
    fn lines_one_by_one(bytes: &[u8]) -> Option<usize> {
        let mut lines = 0;
        let mut rest = bytes;
        loop {
            let end = rest.iter().position(|&byte| byte == b'\n')?;
            let line = rest[..end].strip_suffix(b"\r")?;
            rest = &rest[end + 1..];
            lines += 1;
            if line.is_empty() {
                return (rest.is_empty() && lines > 1).then_some(lines);
            }
        }
    }

    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => prop::collection::vec(b'a'..=b'z', 1..50),
            4 => Just(b"\r\n".to_vec()),
            1 => Just(b"\n".to_vec()),
            1 => Just(b"\r".to_vec()),
            1 => Just(b"\r\n\r\n".to_vec()),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_head_taken_whole_has_the_lines_that_it_has_one_by_one(start in pieces(), ends in any::<bool>()) {
            let mut bytes = start;
            if ends {
                bytes.extend(b"\r\n\r\n");
            }
            prop_assert_eq!(lines_of_whole_head(&bytes), lines_one_by_one(&bytes));
        }
    }

    #[test]
    fn the_longest_head_that_is_taken_whole_is_counted_right() {
        for (bytes, lines) in [(WHOLE_BYTES_MAX, true), (WHOLE_BYTES_MAX + 1, false)] {
            let mut head = b"a\r\n".repeat(bytes / 3 - 2);
            head.resize(bytes - 4, b'a');
            head.extend(b"\r\n\r\n");
            let counted = lines_of_whole_head(&head);
            assert_eq!(counted, lines_one_by_one(&head).filter(|_| lines));
        }
    }
}
