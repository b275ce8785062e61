//! Where on the screen each thing is. Both what is drawn and what a click means are decided by this.

use ratatui::layout::Rect;

/// Columns of the list of rooms, its line to the right included.
const ROOMS_WIDTH: u16 = 22;

/// Columns below which the list of rooms gives its place to the conversation.
const WIDTH_WITH_ROOMS_MIN: u16 = 64;

/// Rows of what is being written, before it scrolls.
const COMPOSER_ROWS_MAX: usize = 8;

/// Columns before what is being written.
pub(super) const PROMPT_WIDTH: u16 = 2;

/// The parts of the screen; any may be empty on a small one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Areas {
    pub(super) whole: Rect,
    pub(super) rooms: Rect,
    pub(super) title: Rect,
    pub(super) timeline: Rect,
    /// The line above what is being written; it says when there is something new below.
    pub(super) edge: Rect,
    /// One line about the message that is answered, where one is.
    pub(super) reply: Rect,
    /// With the prompt.
    pub(super) composer: Rect,
    pub(super) status: Rect,
}

impl Areas {
    /// Columns for the text that is being written.
    pub(super) fn composer_width(&self) -> usize {
        self.composer.width.saturating_sub(PROMPT_WIDTH).into()
    }
}

/// The parts of a screen of that many columns and rows, where what is being written, an answer or not, has so many rows at a width.
pub(super) fn of(
    (columns, rows): (u16, u16),
    is_reply: bool,
    composer_rows: impl Fn(usize) -> usize,
) -> Areas {
    let whole = Rect::new(0, 0, columns, rows);
    let (upper, status) = split_below(whole, 1);
    let rooms_width = match columns >= WIDTH_WITH_ROOMS_MIN {
        true => ROOMS_WIDTH,
        false => 0,
    };
    let rooms = Rect {
        width: rooms_width,
        ..upper
    };
    let room = Rect {
        x: rooms_width,
        width: columns - rooms_width,
        ..upper
    };
    let width = usize::from(room.width.saturating_sub(PROMPT_WIDTH));
    let wanted = composer_rows(width).min(COMPOSER_ROWS_MAX);
    // At least half of the screen is for what others say.
    let most = (upper.height / 2).max(1);
    let wanted = u16::try_from(wanted).unwrap_or(most).clamp(1, most);
    let (room, composer) = split_below(room, wanted);
    let (room, reply) = split_below(room, u16::from(is_reply));
    let (room, edge) = split_below(room, 1);
    let title_height = room.height.min(1);
    Areas {
        whole,
        rooms,
        title: Rect {
            height: title_height,
            ..room
        },
        timeline: Rect {
            y: room.y + title_height,
            height: room.height - title_height,
            ..room
        },
        edge,
        reply,
        composer,
        status,
    }
}

/// Where a list lies over the rest of the screen: its frame, drawn around rows and columns of the wanted size.
pub(super) fn popup(whole: Rect, columns: u16, rows: u16) -> Rect {
    let width = columns.saturating_add(4).min(whole.width);
    let height = rows.saturating_add(2).min(whole.height);
    Rect {
        x: whole.x + (whole.width - width) / 2,
        y: whole.y + (whole.height - height) / 3,
        width,
        height,
    }
}

/// Columns and rows of the room switcher: a line for the query, and below it as many choices as fit.
pub(super) fn switcher(whole: Rect) -> (Rect, Rect) {
    let frame = popup(whole, 44, 14);
    let choices = Rect {
        x: frame.x + 2.min(frame.width),
        y: frame.y + 2.min(frame.height),
        width: frame.width.saturating_sub(4),
        height: frame.height.saturating_sub(3),
    };
    (frame, choices)
}

/// The first row of a list that is shown, so that the selected one is seen.
pub(super) fn offset(selected: usize, height: usize) -> usize {
    (selected + 1).saturating_sub(height.max(1))
}

/// Cuts so many rows off below.
fn split_below(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    let upper = Rect {
        height: area.height - rows,
        ..area
    };
    let lower = Rect {
        y: area.y + upper.height,
        height: rows,
        ..area
    };
    (upper, lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fill_any_screen() {
        for columns in 0..100 {
            for rows in 0..40 {
                for is_reply in [false, true] {
                    let areas = of((columns, rows), is_reply, |_| 100);
                    let parts = [
                        areas.title,
                        areas.timeline,
                        areas.edge,
                        areas.reply,
                        areas.composer,
                    ];
                    let room: u32 = parts.iter().map(|part| part.area()).sum();
                    let whole = room + areas.rooms.area() + areas.status.area();
                    assert_eq!(whole, areas.whole.area(), "{columns}×{rows}");
                }
            }
        }
    }

    #[test]
    fn what_is_written_grows_and_leaves_half() {
        assert_eq!(of((80, 24), false, |_| 1).composer.height, 1);
        assert_eq!(of((80, 24), false, |_| 3).composer.height, 3);
        assert_eq!(of((80, 24), false, |_| 30).composer.height, 8);
        assert_eq!(of((80, 9), false, |_| 30).composer.height, 4);
    }
}
