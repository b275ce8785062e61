//! Lines from stdin, read on a thread of their own, since reading a terminal cannot be cancelled. Bounded in every way.

use std::io::{self, BufRead, Read};

use tokio::sync::mpsc;

/// Bytes of one line, its line break not counted: far above what a server takes, so that the server's own limit is what a person
/// is told about.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// Lines that are read ahead.
const LINES_AHEAD_MAX: usize = 16;

/// Why there is no further line, other than that the input has ended.
#[derive(Debug)]
pub(crate) enum LineError {
    /// More than [`LINE_BYTES_MAX`]. The rest of the line has been skipped; the next one can be read.
    TooLong,
    /// Not UTF-8. The next line can be read.
    NotUtf8,
    /// The input is broken; nothing follows.
    Broken(io::Error),
}

impl std::fmt::Display for LineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LineError::TooLong => write!(f, "more than {LINE_BYTES_MAX} bytes"),
            LineError::NotUtf8 => f.write_str("not UTF-8"),
            LineError::Broken(error) => error.fmt(f),
        }
    }
}

/// Starts reading stdin. The channel ends with the input.
pub(crate) fn of_stdin() -> mpsc::Receiver<Result<String, LineError>> {
    let (sender, receiver) = mpsc::channel(LINES_AHEAD_MAX);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        while let Some(line) = next(&mut input) {
            let is_last = matches!(line, Err(LineError::Broken(_)));
            if sender.blocking_send(line).is_err() || is_last {
                break;
            }
        }
    });
    receiver
}

fn next(input: &mut impl BufRead) -> Option<Result<String, LineError>> {
    let mut bytes = Vec::new();
    let limit = LINE_BYTES_MAX as u64 + 1;
    match input.by_ref().take(limit).read_until(b'\n', &mut bytes) {
        Ok(0) => return None,
        Ok(_) => {}
        Err(error) => return Some(Err(LineError::Broken(error))),
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    } else if bytes.len() > LINE_BYTES_MAX {
        return Some(Err(match skip_line(input) {
            Ok(()) => LineError::TooLong,
            Err(error) => LineError::Broken(error),
        }));
    }
    Some(String::from_utf8(bytes).map_err(|_| LineError::NotUtf8))
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            input.consume(end + 1);
            return Ok(());
        }
        let length = buffer.len();
        input.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_without_their_ends() {
        let mut input = "가\r\n\n나".as_bytes();
        for line in ["가", "", "나"] {
            assert_eq!(next(&mut input).unwrap().unwrap(), line);
        }
        assert!(next(&mut input).is_none());
    }

    #[test]
    fn a_bad_line_does_not_spoil_the_next() {
        let mut bytes = vec![b'x'; LINE_BYTES_MAX + 10];
        bytes.extend(b"\n\xff\nok\n");
        bytes.extend(vec![b'y'; LINE_BYTES_MAX]);
        bytes.push(b'\n');
        let mut input = bytes.as_slice();
        assert!(matches!(next(&mut input), Some(Err(LineError::TooLong))));
        assert!(matches!(next(&mut input), Some(Err(LineError::NotUtf8))));
        assert_eq!(next(&mut input).unwrap().unwrap(), "ok");
        assert_eq!(next(&mut input).unwrap().unwrap().len(), LINE_BYTES_MAX);
        assert!(next(&mut input).is_none());
    }
}
