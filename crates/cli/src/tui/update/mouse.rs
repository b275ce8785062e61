//! The wheel and clicks.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::{overlay, rooms, scroll};
use crate::tui::areas;
use crate::tui::event::Effect;
use crate::tui::model::{Model, Overlay};

/// Rows that one step of the wheel moves.
const WHEEL_ROWS: usize = 3;

pub(super) fn handle(model: &mut Model, mouse: MouseEvent) -> Vec<Effect> {
    match mouse.kind {
        MouseEventKind::ScrollUp => scroll::by_rows(model, true, WHEEL_ROWS),
        MouseEventKind::ScrollDown => scroll::by_rows(model, false, WHEEL_ROWS),
        MouseEventKind::Down(MouseButton::Left) => {
            return click(model, Position::new(mouse.column, mouse.row));
        }
        _ => {}
    }
    Vec::new()
}

fn click(model: &mut Model, place: Position) -> Vec<Effect> {
    let screen = model.areas();
    match &mut model.overlay {
        Some(Overlay::Switcher(switcher)) => {
            let (frame, choices) = areas::switcher(screen.whole);
            if choices.contains(place) {
                let offset = areas::offset(switcher.selected, choices.height.into());
                switcher.selected = offset + usize::from(place.y - choices.y);
                return overlay::choose(model);
            }
            if !frame.contains(place) {
                model.overlay = None;
            }
            return Vec::new();
        }
        Some(Overlay::Help) => {
            model.overlay = None;
            return Vec::new();
        }
        Some(Overlay::Search(_) | Overlay::Reply(_) | Overlay::Leaving) | None => {}
    }
    if screen.edge.contains(place) {
        scroll::to_newest(model);
    }
    if screen.rooms.contains(place) {
        let rooms = model.my_rooms();
        let here = rooms
            .iter()
            .position(|room| Some(&room.id) == model.current.as_ref());
        let offset = areas::offset(here.unwrap_or(0), screen.rooms.height.into());
        let at = offset + usize::from(place.y - screen.rooms.y);
        if let Some(id) = rooms.get(at).map(|room| room.id.clone()) {
            return rooms::show(model, &id);
        }
    }
    Vec::new()
}
