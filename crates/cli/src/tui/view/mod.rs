//! What the client looks like. Pure: it draws the model into a frame and changes nothing.

mod composer;
mod overlay;
mod rooms;
mod status;
mod timeline;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::model::{Model, Overlay};
use super::wrap::Spans;

/// Draws everything, and puts the cursor where the next letter will be: an IME shows its window there.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>) {
    let areas = model.areas();
    rooms::draw(model, &areas, frame.buffer_mut());
    timeline::draw(model, &areas, frame.buffer_mut());
    composer::draw_reply(model, &areas, frame.buffer_mut());
    let written_at = composer::draw(model, &areas, frame.buffer_mut());
    let searched_at = status::draw(model, &areas, frame.buffer_mut());
    let cursor = match &model.overlay {
        None => written_at,
        Some(Overlay::Search(_)) => searched_at,
        Some(Overlay::Reply(_)) => None,
        Some(Overlay::Switcher(switcher)) => {
            overlay::draw_switcher(model, switcher, &areas, frame.buffer_mut())
        }
        Some(Overlay::Help) => {
            overlay::draw_help(model, &areas, frame.buffer_mut());
            None
        }
        Some(Overlay::Leaving) => {
            overlay::draw_leaving(model, &areas, frame.buffer_mut());
            None
        }
    };
    if let Some(cursor) = cursor.filter(|cursor| areas.whole.contains(*cursor)) {
        frame.set_cursor_position(cursor);
    }
}

/// Writes text into an area's row, as much as fits; gives the column behind it.
fn write(buffer: &mut Buffer, area: Rect, row: u16, column: u16, text: &str, style: Style) -> u16 {
    // The terminal may have become smaller just now, and the model not know yet.
    let area = area.intersection(buffer.area);
    if row >= area.height || column >= area.width {
        return column;
    }
    let room = usize::from(area.width - column);
    let (end, _) = buffer.set_stringn(area.x + column, area.y + row, text, room, style);
    end - area.x
}

/// Writes a row of styled text.
fn write_spans(buffer: &mut Buffer, area: Rect, row: u16, spans: &Spans) {
    let mut column = 0;
    for span in spans {
        column = write(buffer, area, row, column, &span.content, span.style);
    }
}

/// Numbers of rows and columns as the terminal counts them; what is beyond is outside of every screen.
fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

fn place(area: Rect, row: usize, column: usize) -> Option<Position> {
    let (row, column) = (cells(row), cells(column));
    (row < area.height && column < area.width).then(|| Position::new(area.x + column, area.y + row))
}
