//! Searching in what is loaded of a room.

use ratatui::style::Style;
use ratatui::text::Span;

use super::room::Room;
use super::wrap::Spans;

/// A search in the room that is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Search {
    pub(super) query: String,
    /// The seqs of the messages that contain it, oldest first.
    pub(super) matches: Vec<u64>,
    /// The place in `matches` that one stands at.
    pub(super) here: Option<usize>,
}

impl Search {
    /// Looks again, after more has come in or was loaded; one stays at the same match.
    pub(super) fn look_again(&mut self, room: &Room) {
        let seq = self.seq();
        self.look(room);
        let at = self.matches.iter().position(|found| Some(*found) == seq);
        self.here = at.or(self.here);
    }

    /// Looks, after the query has changed; one stands at the newest match then.
    pub(super) fn look(&mut self, room: &Room) {
        let query = folded(&self.query);
        self.matches = match query.is_empty() {
            true => Vec::new(),
            false => {
                let items = room.timeline.items().iter();
                items
                    .filter(|item| {
                        item.text()
                            .is_some_and(|text| folded(text).contains(&query))
                    })
                    .map(|item| item.seq)
                    .collect()
            }
        };
        self.here = self.matches.len().checked_sub(1);
    }

    /// Steps to the next older or newer match, around the ends.
    pub(super) fn step(&mut self, older: bool) {
        let count = self.matches.len();
        self.here = self.here.filter(|_| count > 0).map(|here| match older {
            true => (here + count - 1) % count,
            false => (here + 1) % count,
        });
    }

    /// The seq that one stands at.
    pub(super) fn seq(&self) -> Option<u64> {
        self.here.and_then(|here| self.matches.get(here)).copied()
    }
}

/// Upper and lower case are the same. Character for character, so that places in both are the same.
fn folded(text: &str) -> String {
    text.chars()
        .map(|c| {
            let mut lower = c.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(lower), None) => lower,
                _ => c,
            }
        })
        .collect()
}

/// Gives the matches in the row another style. A match that is broken over two rows is not marked, only found.
pub(super) fn highlight(row: &mut Spans, query: &str, style: Style) {
    let query: Vec<char> = folded(query).chars().collect();
    if query.is_empty() {
        return;
    }
    let whole: Vec<char> = row.iter().flat_map(|span| span.content.chars()).collect();
    let lower: Vec<char> = folded(&whole.iter().collect::<String>()).chars().collect();
    let mut is_match = vec![false; whole.len()];
    for (at, window) in lower.windows(query.len()).enumerate() {
        if window == query {
            is_match[at..at + query.len()].fill(true);
        }
    }
    if !is_match.contains(&true) {
        return;
    }
    let mut marked: Spans = Vec::new();
    let mut at = 0;
    for span in row.iter() {
        let mut piece = String::new();
        let mut piece_matches = false;
        for c in span.content.chars() {
            if is_match[at] != piece_matches && !piece.is_empty() {
                marked.push(piece_of(
                    std::mem::take(&mut piece),
                    span.style,
                    piece_matches,
                    style,
                ));
            }
            piece_matches = is_match[at];
            piece.push(c);
            at += 1;
        }
        if !piece.is_empty() {
            marked.push(piece_of(piece, span.style, piece_matches, style));
        }
    }
    *row = marked;
}

fn piece_of(text: String, style: Style, matches: bool, mark: Style) -> Span<'static> {
    Span::styled(text, if matches { style.patch(mark) } else { style })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_marked_across_styles() {
        let bold = Style::new().bold();
        let mark = Style::new().reversed();
        let mut row = vec![Span::raw("점심 Me"), Span::styled("NU요", bold)];
        highlight(&mut row, "menu", mark);
        let pieces: Vec<(&str, bool)> = row
            .iter()
            .map(|span| (span.content.as_ref(), span.style.patch(mark) == span.style))
            .collect();
        assert_eq!(
            pieces,
            [("점심 ", false), ("Me", true), ("NU", true), ("요", false)]
        );
    }

    #[test]
    fn steps_go_around() {
        let mut search = Search {
            matches: vec![3, 5, 8],
            here: Some(2),
            ..Search::default()
        };
        search.step(false);
        assert_eq!(search.seq(), Some(3));
        search.step(true);
        assert_eq!(search.seq(), Some(8));
        let mut nothing = Search::default();
        nothing.step(true);
        assert_eq!(nothing.seq(), None);
    }
}
