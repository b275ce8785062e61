//! Other people's text, made harmless for a grid of cells. What [`visible`] does for controls and direction marks, this completes for
//! what has no width: a flood of it must neither hide text nor grow a cell without end.

use std::fmt::Write;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::visible;

/// Code points of one grapheme that are shown. The longest emoji families in use have eleven.
const GRAPHEME_CHARS_MAX: usize = 16;

/// Text of one line.
pub(super) fn line(text: &str) -> String {
    let text = visible::line(text);
    if text.is_ascii() {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut hidden = Hidden::default();
    for grapheme in text.graphemes(true) {
        if grapheme.width() == 0 {
            hidden.add(grapheme);
            continue;
        }
        hidden.show(&mut shown);
        match grapheme.char_indices().nth(GRAPHEME_CHARS_MAX) {
            None => shown.push_str(grapheme),
            Some((end, _)) => {
                shown.push_str(&grapheme[..end]);
                let rest = grapheme[end..].chars().count();
                // Writing into a string cannot fail.
                let _ = write!(shown, "<+{rest}>");
            }
        }
    }
    hidden.show(&mut shown);
    shown
}

/// Text of several lines; at least one.
pub(super) fn lines(text: &str) -> Vec<String> {
    visible::lines(text).iter().map(|text| line(text)).collect()
}

/// A run of characters that nobody would see: told by its first one and its length.
#[derive(Default)]
struct Hidden {
    first: Option<char>,
    count: usize,
}

impl Hidden {
    fn add(&mut self, grapheme: &str) {
        self.first = self.first.or(grapheme.chars().next());
        self.count += grapheme.chars().count();
    }

    fn show(&mut self, shown: &mut String) {
        let count = std::mem::take(&mut self.count);
        let Some(first) = self.first.take() else {
            return;
        };
        let code = u32::from(first);
        let _ = match count {
            1 => write!(shown, "<U+{code:04X}>"),
            _ => write!(shown, "<U+{code:04X}×{count}>"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_stays() {
        for text in [
            "안녕하세요",
            "👩🏽‍👩🏽‍👧🏽‍👦🏽 가족",
            "❤️",
            "e\u{301}",
            "שלום",
            "\u{1112}\u{1161}\u{11ab}",
        ] {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn invisible_characters_are_counted_instead_of_hidden() {
        assert_eq!(line("가\u{200b}나"), "가<U+200B>나");
        let flood = format!("가{}나", "\u{200b}".repeat(10_000));
        assert_eq!(line(&flood), "가<U+200B×10000>나");
        assert_eq!(line("\u{feff}"), "<U+FEFF>");
    }

    #[test]
    fn a_tower_of_marks_is_cut() {
        let tower = format!("a{}b", "\u{301}".repeat(5_000));
        let shown = line(&tower);
        assert!(shown.ends_with("<+4985>b"), "{shown}");
        assert!(shown.chars().count() < 30);
    }

    #[test]
    fn escapes_and_overrides_become_signs() {
        assert_eq!(line("\x1b[2J\u{202e}x"), "␛[2J<U+202E>x");
        assert_eq!(lines("a\r\nb\u{2028}c"), ["a", "b", "c"]);
    }
}
