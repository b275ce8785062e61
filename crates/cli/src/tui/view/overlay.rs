//! What lies over the room: the help, the switcher, the wait before leaving.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Block, BorderType, Clear, Widget};
use unicode_width::UnicodeWidthStr;

use super::{cells, place, write};
use crate::tui::areas::{self, Areas};
use crate::tui::keys;
use crate::tui::model::Model;
use crate::tui::switcher::{Choice, Switcher};
use crate::tui::{clean, wrap};

/// Gives the cursor's place.
pub(super) fn draw_switcher(
    model: &Model,
    switcher: &Switcher,
    areas: &Areas,
    buffer: &mut Buffer,
) -> Option<Position> {
    let (area, choices) = areas::switcher(areas.whole);
    frame(model, area, &model.texts.switcher_title(), buffer);
    let line = inner(area);
    let query = clean::line(&switcher.query);
    let column = write(buffer, line, 0, 0, "› ", model.theme.accent);
    let cursor = write(buffer, line, 0, column, &query, model.theme.text);
    let height = usize::from(choices.height);
    let offset = areas::offset(switcher.selected, height);
    for (row, choice) in switcher
        .choices
        .iter()
        .enumerate()
        .skip(offset)
        .take(height)
    {
        let style = match row == switcher.selected {
            true => model.theme.selected,
            false => model.theme.text,
        };
        let (name, note) = told(model, choice);
        let width = usize::from(choices.width);
        let name = wrap::cut(&name, width.saturating_sub(note.width() + 1));
        let blanks = " ".repeat(width.saturating_sub(name.width() + note.width()));
        let text = format!("{name}{blanks}{note}");
        write(buffer, choices, cells(row - offset), 0, &text, style);
    }
    place(line, 0, cursor.into())
}

fn told(model: &Model, choice: &Choice) -> (String, String) {
    match choice {
        Choice::Create { name } => (
            model.texts.switcher_create(&clean::line(name)),
            String::new(),
        ),
        Choice::Room { id } => match model.rooms.get(id) {
            Some(room) => {
                let note = match (room.is_member, room.unread) {
                    (false, _) => model.texts.switcher_join(),
                    (true, 0) => String::new(),
                    (true, unread) => unread.to_string(),
                };
                (clean::line(&room.name), note)
            }
            None => (String::new(), String::new()),
        },
    }
}

pub(super) fn draw_help(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    let lines: Vec<(&str, String)> = keys::HELP
        .iter()
        .map(|(key, line)| (*key, model.texts.help_line(*line)))
        .collect();
    let key_width = lines.iter().map(|(key, _)| key.width()).max().unwrap_or(0) + 2;
    let width = lines
        .iter()
        .map(|(_, text)| text.width())
        .max()
        .unwrap_or(0)
        + key_width;
    let area = areas::popup(areas.whole, cells(width), cells(lines.len()));
    frame(model, area, &model.texts.help_title(), buffer);
    let inside = inner(area);
    for (row, (key, text)) in lines.iter().enumerate() {
        write(buffer, inside, cells(row), 0, key, model.theme.accent);
        write(
            buffer,
            inside,
            cells(row),
            cells(key_width),
            text,
            model.theme.text,
        );
    }
}

pub(super) fn draw_leaving(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    let count = model.unanswered().count();
    let lines = model.texts.leaving(count);
    let width = lines.iter().map(|line| line.width()).max().unwrap_or(0);
    let area = areas::popup(areas.whole, cells(width), cells(lines.len()));
    frame(model, area, "", buffer);
    for (row, line) in lines.iter().enumerate() {
        write(buffer, inner(area), cells(row), 0, line, model.theme.text);
    }
}

fn frame(model: &Model, area: Rect, title: &str, buffer: &mut Buffer) {
    // What is half covered by the frame's edge would tear.
    let area = area.intersection(buffer.area);
    clear_halves(area, buffer);
    Clear.render(area, buffer);
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(model.theme.dim)
        .title(title.to_owned())
        .render(area, buffer);
}

/// Blanks the cells left of an area that hold a character of two columns whose second one is in the area.
fn clear_halves(area: Rect, buffer: &mut Buffer) {
    let Some(column) = area.x.checked_sub(1) else {
        return;
    };
    for row in area.y..area.bottom() {
        if let Some(cell) = buffer.cell_mut((column, row))
            && cell.symbol().width() > 1
        {
            cell.reset();
        }
    }
}

/// Inside of the frame, with a blank on each side.
fn inner(area: Rect) -> Rect {
    Rect {
        x: area.x + 2.min(area.width),
        y: area.y + 1.min(area.height),
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    }
}
