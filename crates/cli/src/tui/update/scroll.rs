//! Moving through the timeline, and what follows from where one is: what counts as read, what is loaded, what is forgotten.

use crate::tui::event::{Effect, Order};
use crate::tui::model::Model;
use crate::tui::room::Phase;
use crate::tui::timeline::Key;
use crate::tui::timeline::scroll::{self, Position};

/// Things above the screen below which older ones are asked for, so that one seldom has to wait for them.
const AHEAD: usize = 20;

pub(super) fn by_rows(model: &mut Model, up: bool, rows: usize) {
    let height = model.areas().timeline.height.into();
    let Some(room) = model.current() else { return };
    let position = match up {
        true => scroll::up(model.look(), room, room.position, height, rows),
        false => scroll::down(model.look(), room, rows),
    };
    move_to(model, position);
}

/// By a screen, less two rows by which the eye finds its place again.
pub(super) fn by_screens(model: &mut Model, up: bool) {
    let rows = usize::from(model.areas().timeline.height).saturating_sub(2);
    by_rows(model, up, rows.max(1));
}

pub(super) fn to_oldest(model: &mut Model) {
    let height = model.areas().timeline.height.into();
    let Some(room) = model.current() else { return };
    let Some(key) = room.key(0) else { return };
    let first = Position::At { key, hidden: 0 };
    let position = scroll::up(model.look(), room, first, height, 0);
    move_to(model, position);
}

pub(super) fn to_newest(model: &mut Model) {
    move_to(model, Position::Bottom);
}

pub(super) fn to_message(model: &mut Model, seq: u64) {
    let height = model.areas().timeline.height.into();
    let Some(room) = model.current() else { return };
    let position = scroll::at(model.look(), room, height, Key::Entry(seq));
    move_to(model, position);
}

fn move_to(model: &mut Model, position: Position) {
    if let Some(room) = model.current_mut() {
        room.position = position;
    }
}

/// After every event: who is at the end has read everything; who comes near the beginning of what is loaded is given more.
pub(super) fn settle(model: &mut Model, may_load: bool, effects: &mut Vec<Effect>) {
    let height = model.areas().timeline.height.into();
    let Some(room) = model.current_mut().filter(|room| room.phase == Phase::Open) else {
        return;
    };
    if room.position == Position::Bottom {
        room.mark_read();
        room.timeline.trim();
    }
    let timeline = &room.timeline;
    if !may_load || !timeline.more_above || timeline.loading_above {
        return;
    }
    let Some(first_seq) = timeline.first_seq() else {
        return;
    };
    let Some(room) = model.current() else { return };
    if scroll::window(model.look(), room, height).first >= AHEAD {
        return;
    }
    let room_id = room.id.clone();
    if let Some(room) = model.current_mut() {
        room.timeline.loading_above = true;
    }
    effects.push(Effect::Ask(Order::History {
        room: room_id,
        before_seq: first_seq,
    }));
}
