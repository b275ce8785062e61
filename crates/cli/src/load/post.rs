//! A post of the generator. Its text says which one it is and when it was due, so that whoever gets it can tell without asking.

use std::fmt::Write as _;
use std::time::Duration;

use uuid::Uuid;

use super::checker::Tag;

/// Characters for the run, the tag and the time, in hexadecimal.
const RUN_CHARS: usize = 8;
const TAG_CHARS: usize = 16;
const DUE_CHARS: usize = 16;

/// Bytes of the shortest text.
pub(super) const TEXT_BYTES_MIN: usize = RUN_CHARS + TAG_CHARS + DUE_CHARS;

/// A post on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Post {
    pub(super) tag: Tag,
    /// The same for every attempt.
    pub(super) client_id: Uuid,
    /// When it was to be sent, as time since the run began. What it waits before it is sent counts as its latency.
    pub(super) due: Duration,
    /// Which of its author's rooms it goes to.
    pub(super) seat: usize,
    pub(super) text: String,
}

impl Post {
    /// The post with that number, `bytes` long.
    pub(super) fn new(run: u32, tag: Tag, client_id: Uuid, due: Duration, bytes: usize) -> Post {
        let mut text = String::with_capacity(bytes.max(TEXT_BYTES_MIN));
        // Writing into a String does not fail.
        let _ = write!(text, "{run:08x}{tag:016x}{:016x}", due.as_micros());
        let padding = bytes.saturating_sub(text.len());
        text.extend(
            " the quick brown fox jumps over the lazy dog"
                .chars()
                .cycle()
                .take(padding),
        );
        Post {
            tag,
            client_id,
            due,
            seat: 0,
            text,
        }
    }
}

/// Which post of this run a text is, and when it was due; none for any other text.
pub(super) fn parse(run: u32, text: &str) -> Option<(Tag, Duration)> {
    let number =
        |from: usize, chars: usize| u64::from_str_radix(text.get(from..from + chars)?, 16).ok();
    if number(0, RUN_CHARS)? != u64::from(run) {
        return None;
    }
    let tag = number(RUN_CHARS, TAG_CHARS)?;
    let due = number(RUN_CHARS + TAG_CHARS, DUE_CHARS)?;
    Some((tag, Duration::from_micros(due)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_tells_its_post() {
        let due = Duration::from_micros(1_234_567);
        for bytes in [0, TEXT_BYTES_MIN, 64, 1_000] {
            let post = Post::new(0xfeed, 42, Uuid::nil(), due, bytes);
            assert_eq!(post.text.len(), bytes.max(TEXT_BYTES_MIN));
            assert_eq!(parse(0xfeed, &post.text), Some((42, due)));
            assert_eq!(parse(0xbeef, &post.text), None);
        }
    }

    #[test]
    fn what_people_write_is_no_post() {
        for text in [
            "",
            "안녕하세요, 여러분. 오늘은 무엇을 먹을까요? 아무거나요.",
            "0000feed",
        ] {
            assert_eq!(parse(0xfeed, text), None);
        }
    }
}
