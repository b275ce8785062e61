//! The list of one's rooms, with what is unread in each.

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

use super::{cells, write};
use crate::tui::areas::{self, Areas};
use crate::tui::model::Model;
use crate::tui::room::Room;
use crate::tui::{clean, wrap};

pub(super) fn draw(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    let area = areas.rooms;
    if area.width == 0 {
        return;
    }
    let line = area.width - 1;
    for row in 0..area.height {
        write(buffer, area, row, line, "│", model.theme.dim);
    }
    let rooms = model.my_rooms();
    let here = rooms
        .iter()
        .position(|room| Some(&room.id) == model.current.as_ref());
    let height = usize::from(area.height);
    let offset = areas::offset(here.unwrap_or(0), height);
    for (row, room) in rooms.iter().skip(offset).take(height).enumerate() {
        let is_here = Some(offset + row) == here;
        let style = match (is_here, room.unread > 0) {
            (true, _) => model.theme.selected,
            (false, true) => model.theme.unread,
            (false, false) => model.theme.text,
        };
        let unread = unread(room);
        // A sign before the name, a blank before the count and one behind it.
        let width = usize::from(line).saturating_sub(unread.width() + 3);
        let name = wrap::cut(&clean::line(&room.name), width);
        let blanks = " ".repeat(width - name.width() + 1);
        let sign = if is_here { "›" } else { " " };
        let text = format!("{sign}{name}{blanks}{unread} ");
        write(buffer, area, cells(row), 0, &text, style);
    }
}

/// How much is unread: a number, and "+" where more is than was loaded.
fn unread(room: &Room) -> String {
    match (room.unread, room.unread_more) {
        (0, _) => String::new(),
        (count, false) => count.to_string(),
        (count, true) => format!("{count}+"),
    }
}
