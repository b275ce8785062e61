//! The rows of a text that is being written, and where the cursor is in them.
//!
//! Rows break between graphemes, not between words: a word that jumps to the next row while it is written would take the IME's
//! window with it.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::tui::clean;

/// One row: what is shown, and the cells of which bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    shown: String,
    /// The edges of the graphemes: byte in the text and column.
    edges: Vec<(usize, usize)>,
}

/// A text in rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Layout {
    rows: Vec<Row>,
    cursor_row: usize,
    cursor_column: usize,
}

impl Layout {
    /// The rows at this width. Behind a full row the cursor stands at the start of the next.
    pub(in crate::tui) fn of(text: &str, cursor: usize, width: usize) -> Layout {
        let width = width.max(2);
        let mut rows = Vec::new();
        let mut start = 0;
        for line in text.split('\n') {
            push_line(&mut rows, line, start, width);
            start += line.len() + 1;
        }
        let mut layout = Layout {
            rows,
            cursor_row: 0,
            cursor_column: 0,
        };
        // The last edge with that byte: a row's end is also the next one's start.
        for (number, row) in layout.rows.iter().enumerate() {
            if let Some((_, column)) = row.edges.iter().find(|(at, _)| *at == cursor) {
                (layout.cursor_row, layout.cursor_column) = (number, *column);
            }
        }
        layout
    }

    pub(in crate::tui) fn rows(&self) -> impl ExactSizeIterator<Item = &str> {
        self.rows.iter().map(|row| row.shown.as_str())
    }

    /// Row and column.
    pub(in crate::tui) fn cursor(&self) -> (usize, usize) {
        (self.cursor_row, self.cursor_column)
    }

    /// The byte in the row above or below that is nearest to the cursor's column.
    pub(super) fn above_or_below(&self, down: bool) -> Option<usize> {
        let row = match down {
            true => self.cursor_row + 1,
            false => self.cursor_row.checked_sub(1)?,
        };
        let edges = &self.rows.get(row)?.edges;
        let mut nearest = *edges.first()?;
        // The edge at the end of a full row is the start of the next one.
        let is_full = self.rows.get(row + 1).is_some_and(|next| {
            next.edges.first().map(|edge| edge.0) == edges.last().map(|edge| edge.0)
        });
        let usable = edges.len() - usize::from(is_full);
        for edge in &edges[..usable] {
            if edge.1 <= self.cursor_column {
                nearest = *edge;
            }
        }
        Some(nearest.0)
    }
}

fn push_line(rows: &mut Vec<Row>, line: &str, start: usize, width: usize) {
    let mut row = Row {
        shown: String::new(),
        edges: vec![(start, 0)],
    };
    let mut column = 0;
    for (at, grapheme) in line.grapheme_indices(true) {
        let shown = clean::line(grapheme);
        let cells = shown.width();
        if column + cells > width && column > 0 {
            rows.push(row);
            row = Row {
                shown: String::new(),
                edges: vec![(start + at, 0)],
            };
            column = 0;
        }
        row.shown.push_str(&shown);
        column += cells;
        row.edges.push((start + at + grapheme.len(), column));
    }
    // The cursor needs a cell behind the text.
    let is_full = column >= width;
    rows.push(row);
    if is_full {
        rows.push(Row {
            shown: String::new(),
            edges: vec![(start + line.len(), 0)],
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stands_where_the_next_syllable_goes() {
        let text = "안녕";
        assert_eq!(Layout::of(text, text.len(), 10).cursor(), (0, 4));
        assert_eq!(Layout::of(text, "안".len(), 10).cursor(), (0, 2));
        assert_eq!(Layout::of("👩‍👩‍👧", "👩‍👩‍👧".len(), 10).cursor(), (0, 2));
    }

    #[test]
    fn rows_break_between_syllables() {
        let layout = Layout::of("가나다\n라", 0, 5);
        assert_eq!(layout.rows().collect::<Vec<_>>(), ["가나", "다", "라"]);
    }

    #[test]
    fn behind_a_full_row_the_cursor_is_on_the_next() {
        let text = "가나";
        let layout = Layout::of(text, text.len(), 4);
        assert_eq!(layout.cursor(), (1, 0));
        assert_eq!(layout.rows().len(), 2);
        let text = "가나다";
        assert_eq!(Layout::of(text, "가나".len(), 4).cursor(), (1, 0));
    }

    #[test]
    fn what_is_pasted_is_shown_harmlessly_and_takes_its_width() {
        let layout = Layout::of("\x1b[2J", 4, 20);
        assert_eq!(layout.rows().collect::<Vec<_>>(), ["␛[2J"]);
        assert_eq!(layout.cursor(), (0, 4));
    }

    #[test]
    fn an_empty_text_has_a_row() {
        assert_eq!(Layout::of("", 0, 10).rows().collect::<Vec<_>>(), [""]);
        assert_eq!(Layout::of("가\n", 4, 10).cursor(), (1, 0));
    }
}
