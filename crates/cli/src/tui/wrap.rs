//! Breaks styled text into rows of a width: at blanks where there are some, which is right for Korean too, inside words else.
//! Widths are those of graphemes, so that no syllable and no emoji is ever cut.

use ratatui::style::Style;
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Styled text of one line or row.
pub(super) type Spans = Vec<Span<'static>>;

struct Glyph<'a> {
    text: &'a str,
    style: Style,
    width: usize,
}

/// The rows; at least one. A grapheme wider than the whole width stands alone in its row.
pub(super) fn rows(spans: &[Span<'static>], width: usize) -> Vec<Spans> {
    let mut rows = Vec::new();
    let mut row: Vec<Glyph<'_>> = Vec::new();
    let mut used = 0;
    // Behind the last blank of the row.
    let mut break_at = 0;
    for span in spans {
        for text in span.content.graphemes(true) {
            let glyph = Glyph {
                text,
                style: span.style,
                width: text.width(),
            };
            if used + glyph.width > width && !row.is_empty() {
                // A blank at the end of a row is the break itself.
                if glyph.text == " " {
                    rows.push(joined(&row));
                    row.clear();
                    (used, break_at) = (0, 0);
                    continue;
                }
                let rest = row.split_off(if break_at > 0 { break_at } else { row.len() });
                rows.push(joined(&row));
                row = rest;
                used = row.iter().map(|glyph| glyph.width).sum();
                break_at = 0;
            }
            used += glyph.width;
            let is_blank = glyph.text == " ";
            row.push(glyph);
            if is_blank {
                break_at = row.len();
            }
        }
    }
    rows.push(joined(&row));
    rows
}

/// The spans' width in cells.
pub(super) fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| span.content.width()).sum()
}

/// As much of the text as fits, with an ellipsis where something is left out.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used + 1 > width {
            break;
        }
        shown.push_str(grapheme);
    }
    if width > 0 {
        shown.push('…');
    }
    shown
}

fn joined(row: &[Glyph<'_>]) -> Spans {
    let mut spans: Vec<(String, Style)> = Vec::new();
    for glyph in row {
        match spans.last_mut() {
            Some((text, style)) if *style == glyph.style => text.push_str(glyph.text),
            _ => spans.push((glyph.text.to_owned(), glyph.style)),
        }
    }
    spans
        .into_iter()
        .map(|(text, style)| Span::styled(text, style))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        rows(&[Span::raw(text.to_owned())], width)
            .iter()
            .map(|row| row.iter().map(|span| span.content.as_ref()).collect())
            .collect()
    }

    #[test]
    fn korean_breaks_between_words() {
        assert_eq!(
            wrapped("저녁에 회의 있는 거 알죠", 12),
            ["저녁에 회의 ", "있는 거 알죠"]
        );
    }

    #[test]
    fn a_long_word_breaks_between_syllables() {
        assert_eq!(wrapped("가나다라마", 5), ["가나", "다라", "마"]);
        assert_eq!(wrapped("👩‍👩‍👧👩‍👩‍👧", 3), ["👩‍👩‍👧", "👩‍👩‍👧"]);
    }

    #[test]
    fn the_blank_at_the_edge_is_the_break() {
        assert_eq!(wrapped("abcd efgh", 4), ["abcd", "efgh"]);
        assert_eq!(wrapped("", 4), [""]);
        // Wider than the screen: shown all the same, never an endless loop.
        assert_eq!(wrapped("가나", 1), ["가", "나"]);
    }

    #[test]
    fn styles_survive() {
        let bold = Style::new().bold();
        let spans = [Span::raw("가 "), Span::styled("나다", bold)];
        let rows = rows(&spans, 5);
        assert_eq!(rows[1][0].style, bold);
        assert_eq!(width(&rows[1]), 4);
    }

    #[test]
    fn cutting_leaves_whole_syllables() {
        assert_eq!(cut("수다방", 6), "수다방");
        assert_eq!(cut("수다방", 5), "수다…");
        assert_eq!(cut("수다방", 4), "수…");
        assert_eq!(cut("수다방", 0), "");
    }
}
