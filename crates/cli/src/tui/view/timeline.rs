//! The conversation: the room's name, its messages, and the line that tells of new ones below.

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

use super::{cells, write, write_spans};
use crate::tui::areas::Areas;
use crate::tui::model::{Link, Model};
use crate::tui::room::{Phase, Room};
use crate::tui::timeline::scroll::{self, Position};
use crate::tui::{clean, wrap};

pub(super) fn draw(model: &Model, areas: &Areas, buffer: &mut Buffer) {
    let rule = "─".repeat(areas.edge.width.into());
    write(buffer, areas.edge, 0, 0, &rule, model.theme.dim);
    let Some(room) = model.current() else {
        write_hint(model, areas, buffer, &no_room(model));
        return;
    };
    let height = areas.timeline.height;
    let window = scroll::window(model.look(), room, height.into());
    title(model, room, window.first == 0, areas, buffer);
    // The newest message stands right above what is being written.
    let first = height.saturating_sub(cells(window.rows.len()));
    for (row, spans) in (first..).zip(&window.rows) {
        write_spans(buffer, areas.timeline, row, spans);
    }
    if window.rows.is_empty() {
        let hint = match room.phase {
            Phase::Open => model.texts.tui_empty_room(),
            Phase::Idle | Phase::Loading => model.texts.tui_loading(),
            Phase::Failed => model.texts.tui_not_loaded(),
        };
        write_hint(model, areas, buffer, &hint);
    }
    edge(model, room, areas, buffer);
}

fn title(model: &Model, room: &Room, is_at_top: bool, areas: &Areas, buffer: &mut Buffer) {
    let area = areas.title;
    let members = model.texts.members(room.member_count);
    let width = usize::from(area.width).saturating_sub(members.width() + 3);
    let name = wrap::cut(&clean::line(&room.name), width);
    let column = write(buffer, area, 0, 0, &name, model.theme.accent);
    let column = write(buffer, area, 0, column + 2, &members, model.theme.dim);
    // Who has come to the top before the server's answer is told why there is no more yet.
    if room.timeline.loading_above && is_at_top {
        let loading = model.texts.tui_loading();
        write(buffer, area, 0, column + 2, &loading, model.theme.dim);
    }
}

/// The line above what is being written: where one is, if that isn't the end.
fn edge(model: &Model, room: &Room, areas: &Areas, buffer: &mut Buffer) {
    if room.position == Position::Bottom {
        return;
    }
    let (text, style) = match room.unread {
        0 => (model.texts.older_shown(), model.theme.dim),
        count => (model.texts.new_below(count), model.theme.new_mark),
    };
    write(buffer, areas.edge, 0, 2, &format!(" {text} "), style);
}

fn no_room(model: &Model) -> String {
    match (&model.link, model.rooms_known) {
        (_, true) => model.texts.tui_no_room(),
        (Link::Offline { .. }, false) => model.texts.tui_not_connected(),
        (_, false) => model.texts.tui_loading(),
    }
}

fn write_hint(model: &Model, areas: &Areas, buffer: &mut Buffer, hint: &str) {
    write(buffer, areas.timeline, 0, 0, hint, model.theme.dim);
}
