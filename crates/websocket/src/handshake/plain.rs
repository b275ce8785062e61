//! Taking apart a request that came in one piece and has nothing unusual in it, as most do. What is not quite so is for the parser to
//! judge: here nothing is refused, and nothing is accepted that the parser would not take the same way.

use super::field::Line;

/// Header lines of a plain request: more than browsers send.
pub(super) const PLAIN_LINES_MAX: usize = 16;

/// The longest plain request, in bytes.
const PLAIN_BYTES_MAX: usize = 8 << 10;

/// Bytes that are looked at together.
const WORD_BYTES: usize = size_of::<u64>();

/// A request with the method GET and the version HTTP/1.1.
pub(super) struct PlainRequest<'a> {
    /// Without a space, otherwise of whatever bytes.
    pub(super) target: &'a [u8],
    lines: [Line<'a>; PLAIN_LINES_MAX],
    count: usize,
}

impl<'a> PlainRequest<'a> {
    /// `None` unless `bytes` are a head of plain lines and nothing more: a name, a colon, one space, a value that is not empty and has no
    /// blank around it and no tab in it, CR LF.
    #[inline]
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() > PLAIN_BYTES_MAX {
            return None;
        }
        let rest = bytes.strip_prefix(b"GET ")?;
        let (target, rest) = rest.split_at(rest.iter().position(|&byte| byte == b' ')?);
        let mut rest = rest.strip_prefix(b" HTTP/1.1\r\n")?;
        const NO_LINE: Line<'_> = Line {
            name: b"",
            value: b"",
        };
        let mut lines = [NO_LINE; PLAIN_LINES_MAX];
        let mut count = 0;
        while rest != b"\r\n" {
            let (line, further) = plain_line(rest)?;
            *lines.get_mut(count)? = line;
            count += 1;
            rest = further;
        }
        Some(Self {
            target,
            lines,
            count,
        })
    }

    pub(super) fn lines(&self) -> &[Line<'a>] {
        &self.lines[..self.count]
    }
}

/// The first line, and what follows it.
#[inline]
fn plain_line(bytes: &[u8]) -> Option<(Line<'_>, &[u8])> {
    let (name, rest) = bytes.split_at(name_end(bytes)?);
    let rest = rest.strip_prefix(b": ")?;
    let (value, rest) = rest.split_at(first_control(rest)?);
    let rest = rest.strip_prefix(b"\r\n")?;
    let (first, last) = (value.first()?, value.last()?);
    let is_plain = !name.is_empty() && *first != b' ' && *last != b' ';
    is_plain.then_some((Line { name, value }, rest))
}

/// Where the first byte is that is neither a letter nor a hyphen, of which the names that browsers send are made. Looked for eight bytes
/// at a time.
#[inline]
fn name_end(bytes: &[u8]) -> Option<usize> {
    const LOW_BITS: u64 = every_byte(0x7f);
    let (words, rest) = bytes.as_chunks::<WORD_BYTES>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Sums of seven bits do not carry into the next byte; the eighth tells what is asked.
        let seven = word & LOW_BITS;
        let small = seven | every_byte(b'a' ^ b'A');
        let from_a = small + every_byte(0x80 - b'a');
        let beyond_z = small + every_byte(0x80 - b'z' - 1);
        let no_hyphen = (seven ^ every_byte(b'-')) + LOW_BITS;
        let found = (word | ((!from_a | beyond_z) & no_hyphen)) & !LOW_BITS;
        if found != 0 {
            return Some(index * WORD_BYTES + found.trailing_zeros() as usize / 8);
        }
    }
    let at = (rest.iter()).position(|byte| !byte.is_ascii_alphabetic() && *byte != b'-')?;
    Some(words.len() * WORD_BYTES + at)
}

const fn every_byte(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; WORD_BYTES])
}

/// Where the first control character is; the tab is one. Looked for eight bytes at a time.
#[inline]
fn first_control(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<WORD_BYTES>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // A byte's high bit is set by borrowing: right for the first that is found, and only that is asked for.
        let below_space = word.wrapping_sub(every_byte(b' ')) & !word;
        let differing = word ^ every_byte(0x7f);
        let delete = differing.wrapping_sub(every_byte(1)) & !differing;
        let found = (below_space | delete) & every_byte(0x80);
        if found != 0 {
            return Some(index * WORD_BYTES + found.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(u8::is_ascii_control)?;
    Some(words.len() * WORD_BYTES + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the parser makes of it: the target, and the lines.
    type Parsed = (Vec<u8>, Vec<(Vec<u8>, Vec<u8>)>);

    fn plain(bytes: &[u8]) -> Option<Parsed> {
        let request = PlainRequest::parse(bytes)?;
        let lines = request.lines().iter();
        let lines = lines.map(|line| (line.name.to_vec(), line.value.to_vec()));
        Some((request.target.to_vec(), lines.collect()))
    }

    fn by_the_parser(bytes: &[u8]) -> Option<Parsed> {
        let mut room = [httparse::EMPTY_HEADER; PLAIN_LINES_MAX];
        let mut request = httparse::Request::new(&mut room);
        let used = request.parse(bytes).ok()?;
        assert_eq!(used, httparse::Status::Complete(bytes.len()));
        assert_eq!((request.method, request.version), (Some("GET"), Some(1)));
        let lines = request.headers.iter();
        let lines = lines.map(|line| (line.name.as_bytes().to_vec(), line.value.to_vec()));
        Some((request.path?.as_bytes().to_vec(), lines.collect()))
    }

    const REQUEST: &[u8] =
        b"GET /room?a=b HTTP/1.1\r\nHost: chat.example:9000\r\nCookie: a=b; c=d\r\n\
        Sec-WebSocket-Version: 13\r\nX: \xf0\r\n\r\n";

    #[test]
    fn a_plain_request_is_taken_as_the_parser_takes_it() {
        let taken = plain(REQUEST);
        assert_eq!(taken.as_ref().map(|(_, lines)| lines.len()), Some(4));
        assert_eq!(taken, by_the_parser(REQUEST));
    }

    /// Every byte in every place: what is taken in spite of it is what the parser takes, too.
    #[test]
    fn with_any_byte_changed_a_request_is_taken_as_the_parser_takes_it_or_not_at_all() {
        // A target is looked at on its own.
        let target = 4..13;
        let mut taken = 0;
        for at in (0..REQUEST.len()).filter(|at| !target.contains(at)) {
            for byte in 0..=u8::MAX {
                let mut bytes = REQUEST.to_vec();
                bytes[at] = byte;
                if let Some(plain) = plain(&bytes) {
                    taken += 1;
                    assert_eq!(Some(plain), by_the_parser(&bytes), "{byte} at {at}");
                }
            }
        }
        assert!(taken > 1000);
    }

    #[test]
    fn a_control_character_is_found_where_the_first_is() {
        for len in 0..30 {
            for at in 0..len {
                for filler in [b' ', b'~', 0x80, 0xff] {
                    let mut bytes = vec![filler; len];
                    assert_eq!(first_control(&bytes), None);
                    for control in (0..b' ').chain([0x7f]) {
                        bytes[at] = control;
                        assert_eq!(first_control(&bytes), Some(at));
                        let last = std::mem::replace(&mut bytes[len - 1], control);
                        assert_eq!(first_control(&bytes), Some(at));
                        bytes[len - 1] = if at == len - 1 { control } else { last };
                    }
                }
            }
        }
    }

    #[test]
    fn a_name_ends_where_the_first_byte_of_another_kind_is() {
        let is_of_names = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'-';
        for len in 1..30 {
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![[b'-', b'z', b'A'][at % 3]; len];
                    bytes[at] = byte;
                    let end = bytes.iter().position(|byte| !is_of_names(byte));
                    assert_eq!(name_end(&bytes), end, "{byte} at {at} of {len}");
                    bytes[len - 1] = b':';
                    let end = bytes.iter().position(|byte| !is_of_names(byte));
                    assert_eq!(name_end(&bytes), end);
                }
            }
        }
    }

    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let rare = ["\n", "\r", ":", " ", "\t", "\x7f", "a", "\u{e9}"];
        let piece = prop_oneof![
            4 => Just("\r\n"),
            4 => Just("name: value"),
            1 => prop::sample::select(rare.to_vec()),
        ];
        prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn what_is_taken_is_what_the_parser_takes(middle in pieces()) {
            let bytes = [&b"GET / HTTP/1.1\r\n"[..], &middle, b"\r\n"].concat();
            if let Some(plain) = plain(&bytes) {
                prop_assert_eq!(Some(plain), by_the_parser(&bytes));
            }
        }
    }

    #[test]
    fn more_lines_or_bytes_than_are_plain_are_left_to_the_parser() {
        let of_lines = |count| {
            let bytes = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
            plain(bytes.as_bytes()).map(|(_, lines)| lines.len())
        };
        assert_eq!(of_lines(0), Some(0));
        assert_eq!(of_lines(PLAIN_LINES_MAX), Some(PLAIN_LINES_MAX));
        assert_eq!(of_lines(PLAIN_LINES_MAX + 1), None);
        let of_bytes = |count| {
            let start = "GET / HTTP/1.1\r\na: ";
            let value = "b".repeat(count - start.len() - 4);
            plain(format!("{start}{value}\r\n\r\n").as_bytes())
        };
        assert!(of_bytes(PLAIN_BYTES_MAX).is_some());
        assert!(of_bytes(PLAIN_BYTES_MAX + 1).is_none());
    }
}
