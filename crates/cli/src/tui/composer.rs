//! The text that is being written: editing by graphemes, so that a syllable or an emoji is one step of the cursor.
//! How it is broken into rows is in [`layout`].

mod layout;

use suda_protocol::limits::TEXT_BYTES_MAX;
use unicode_segmentation::UnicodeSegmentation;

pub(super) use layout::Layout;

/// Bytes that can be written at once: what a message may have, and as much again that the person may still cut down.
pub(super) const COMPOSER_BYTES_MAX: usize = 2 * TEXT_BYTES_MAX;

/// A text and the cursor in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Composer {
    text: String,
    /// In bytes; on the edge of a grapheme.
    cursor: usize,
}

/// A step of the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Left,
    Right,
    WordLeft,
    WordRight,
    /// The start of the line.
    Home,
    /// The end of the line.
    End,
}

impl Composer {
    /// With a draft; the cursor stands behind it.
    pub(super) fn with(text: impl Into<String>) -> Composer {
        let text = text.into();
        let cursor = text.len();
        Composer { text, cursor }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn cursor(&self) -> usize {
        self.cursor
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes the text out.
    pub(super) fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Writes at the cursor. False, and nothing is written, where that would be too long.
    #[must_use]
    pub(super) fn insert(&mut self, text: &str) -> bool {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if self.text.len() + text.len() > COMPOSER_BYTES_MAX {
            return false;
        }
        self.text.insert_str(self.cursor, &text);
        self.cursor += text.len();
        self.settle();
        true
    }

    /// Writes at the end, in a line of its own. False, and nothing is changed, where that would be too long.
    #[must_use]
    pub(super) fn append(&mut self, text: &str) -> bool {
        let cursor = std::mem::replace(&mut self.cursor, self.text.len());
        let is_written = match self.is_empty() {
            true => self.insert(text),
            false => self.insert(&format!("\n{text}")),
        };
        if !is_written {
            self.cursor = cursor;
        }
        is_written
    }

    /// Deletes from where a step would begin to where it would lead.
    pub(super) fn delete(&mut self, step: Step) {
        let target = self.target(step);
        let (start, end) = (target.min(self.cursor), target.max(self.cursor));
        self.text.replace_range(start..end, "");
        self.cursor = start;
        self.settle();
    }

    pub(super) fn step(&mut self, step: Step) {
        self.cursor = self.target(step);
    }

    /// Moves the cursor by rows, as they are at that width. False where there is no such row.
    pub(super) fn step_row(&mut self, down: bool, width: usize) -> bool {
        let layout = Layout::of(&self.text, self.cursor, width);
        match layout.above_or_below(down) {
            Some(cursor) => {
                self.cursor = cursor;
                true
            }
            None => false,
        }
    }

    fn target(&self, step: Step) -> usize {
        let (before, after) = self.text.split_at(self.cursor);
        match step {
            Step::Left => before
                .grapheme_indices(true)
                .next_back()
                .map_or(0, |(at, _)| at),
            Step::Right => self.cursor + after.graphemes(true).next().map_or(0, str::len),
            Step::WordLeft => before
                .unicode_word_indices()
                .next_back()
                .map_or(0, |(at, _)| at),
            Step::WordRight => after
                .unicode_word_indices()
                .next()
                .map_or(self.text.len(), |(at, word)| self.cursor + at + word.len()),
            Step::Home => before.rfind('\n').map_or(0, |at| at + 1),
            Step::End => after
                .find('\n')
                .map_or(self.text.len(), |at| self.cursor + at),
        }
    }

    /// Puts the cursor onto the next edge of a grapheme: what was written may have joined its neighbours.
    fn settle(&mut self) {
        let edge = self
            .text
            .grapheme_indices(true)
            .map(|(at, _)| at)
            .find(|at| *at >= self.cursor);
        self.cursor = edge.unwrap_or(self.text.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Composer {
        let mut composer = Composer::default();
        for c in text.chars() {
            assert!(composer.insert(&c.to_string()));
        }
        composer
    }

    #[test]
    fn what_an_ime_commits_is_written_once_and_whole() {
        assert_eq!(typed("안녕하세요").text(), "안녕하세요");
        assert_eq!(typed("안녕하세요").cursor(), "안녕하세요".len());
    }

    #[test]
    fn a_grapheme_is_one_step() {
        let mut composer = typed("가👩‍👩‍👧\u{1112}\u{1161}\u{11ab}");
        composer.delete(Step::Left);
        assert_eq!(composer.text(), "가👩‍👩‍👧");
        composer.step(Step::Left);
        assert_eq!(composer.cursor(), "가".len());
        composer.delete(Step::Right);
        assert_eq!(composer.text(), "가");
        composer.step(Step::Right);
        composer.step(Step::Right);
        composer.delete(Step::Left);
        composer.delete(Step::Left);
        assert_eq!(composer, Composer::default());
    }

    #[test]
    fn words_and_lines() {
        let mut composer = Composer::with("저녁에 회의\n있어요 네");
        composer.step(Step::Home);
        assert_eq!(composer.cursor(), "저녁에 회의\n".len());
        composer.step(Step::WordRight);
        composer.delete(Step::WordLeft);
        assert_eq!(composer.text(), "저녁에 회의\n 네");
        composer.delete(Step::End);
        assert_eq!(composer.text(), "저녁에 회의\n");
        composer.step(Step::WordLeft);
        assert_eq!(composer.cursor(), "저녁에 ".len());
    }

    #[test]
    fn pasted_line_breaks_are_one_kind() {
        let mut composer = Composer::default();
        assert!(composer.insert("가\r\n나\r다\n라"));
        assert_eq!(composer.text(), "가\n나\n다\n라");
    }

    #[test]
    fn too_long_a_paste_is_refused_whole() {
        let mut composer = Composer::with("초안");
        assert!(!composer.insert(&"x".repeat(COMPOSER_BYTES_MAX)));
        assert_eq!(composer.text(), "초안");
    }

    #[test]
    fn the_cursor_moves_by_the_rows_that_are_seen() {
        let mut composer = Composer::with("가나다라마");
        // Rows: 가나 / 다라 / 마
        assert!(composer.step_row(false, 4));
        assert_eq!(composer.cursor(), "가나다".len());
        assert!(composer.step_row(false, 4));
        assert!(!composer.step_row(false, 4));
        assert_eq!(composer.cursor(), "가".len());
        assert!(composer.step_row(true, 4));
        assert_eq!(composer.cursor(), "가나다".len());
    }
}
