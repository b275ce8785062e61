//! Keys and pasted text, where nothing lies over the room.

use crossterm::event::{KeyEvent, KeyEventKind};

use super::{overlay, posts, reply, rooms, scroll};
use crate::chat::input::{self, Input};
use crate::tui::event::{Effect, Order, Stamp};
use crate::tui::keys::{self, Action};
use crate::tui::model::{Link, Model, Overlay};
use crate::tui::search::Search;
use crate::tui::theme::Theme;
use crate::visible;

pub(super) fn handle(model: &mut Model, stamp: Stamp, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    model.notice = None;
    let action = keys::action(key);
    if model.overlay.is_some() {
        return overlay::handle(model, action, keys::written(key));
    }
    match (action, keys::written(key)) {
        (Some(action), _) => act(model, stamp, action),
        (None, Some(c)) => {
            write(model, &c.to_string());
            Vec::new()
        }
        (None, None) => Vec::new(),
    }
}

/// A paste is written, whatever is in it: its line breaks don't send.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    if model.overlay.is_some() {
        return overlay::paste(model, text);
    }
    write(model, text);
    Vec::new()
}

/// What keys ask for that is the same wherever one is.
pub(super) fn act_anywhere(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    Some(match action {
        Action::Quit => posts::leave(model),
        Action::Suspend => vec![Effect::Suspend],
        Action::Redraw => vec![Effect::Redraw],
        Action::NextTheme => {
            model.theme_name = model.theme_name.next();
            model.theme = Theme::of(model.theme_name);
            Vec::new()
        }
        Action::PageUp => {
            scroll::by_screens(model, true);
            Vec::new()
        }
        Action::PageDown => {
            scroll::by_screens(model, false);
            Vec::new()
        }
        _ => return None,
    })
}

fn act(model: &mut Model, stamp: Stamp, action: Action) -> Vec<Effect> {
    if let Some(effects) = act_anywhere(model, action) {
        return effects;
    }
    match action {
        Action::Send => return send(model, stamp),
        Action::BreakLine => write(model, "\n"),
        Action::Oldest => scroll::to_oldest(model),
        Action::Newest => scroll::to_newest(model),
        Action::Cancel => cancel(model),
        Action::Reply => reply::choose(model),
        Action::PreviousRoom => return rooms::show_neighbour(model, false),
        Action::NextRoom => return rooms::show_neighbour(model, true),
        Action::NextUnread => return rooms::show_unread(model),
        Action::Switch => return rooms::open_switcher(model),
        Action::Search => model.overlay = Some(Overlay::Search(Search::default())),
        Action::Help => model.overlay = Some(Overlay::Help),
        Action::RetryFailed => {
            let mut effects = posts::retry_failed(model);
            if matches!(model.link, Link::Offline { .. }) {
                effects.push(Effect::Ask(Order::ConnectNow));
            }
            return effects;
        }
        Action::TakeBackFailed => posts::take_back_failed(model),
        Action::Move(_) | Action::Delete(_) | Action::RowUp | Action::RowDown => {
            edit(model, action)
        }
        Action::Quit
        | Action::Suspend
        | Action::Redraw
        | Action::NextTheme
        | Action::PageUp
        | Action::PageDown => {}
    }
    Vec::new()
}

/// What is answered is answered no more; else back to the newest.
fn cancel(model: &mut Model) {
    match model.current_mut() {
        Some(room) if room.reply_to > 0 => room.reply_to = 0,
        _ => scroll::to_newest(model),
    }
}

fn edit(model: &mut Model, action: Action) {
    let width = model.areas().composer_width();
    let composer = model.composer_mut();
    let has_row = match action {
        Action::Move(step) => {
            composer.step(step);
            true
        }
        Action::Delete(step) => {
            composer.delete(step);
            true
        }
        Action::RowUp => composer.step_row(false, width),
        Action::RowDown => composer.step_row(true, width),
        _ => true,
    };
    // Above the first row of what is written begins what was said.
    if !has_row {
        scroll::by_rows(model, action == Action::RowUp, 1);
    }
}

fn write(model: &mut Model, text: &str) {
    if !model.composer_mut().insert(text) {
        let text = model.texts.composer_full();
        model.complain(text);
    }
}

fn send(model: &mut Model, stamp: Stamp) -> Vec<Effect> {
    let written = model.composer_mut().take();
    match input::parse(&written) {
        Input::Nothing => Vec::new(),
        Input::Say(text) => match posts::post(model, stamp, text.to_owned()) {
            Ok(effects) => effects,
            Err(_) => {
                write(model, &written);
                Vec::new()
            }
        },
        Input::Help => {
            model.overlay = Some(Overlay::Help);
            Vec::new()
        }
        Input::Rooms => rooms::open_switcher(model),
        Input::Quit => posts::leave(model),
        Input::Join(room) => vec![enter(room, false)],
        Input::Create(room) => vec![enter(room, true)],
        Input::Leave(name) => leave_room(model, name),
        Input::NeedsRoom(command) => {
            let text = model.texts.command_needs_room(command);
            model.complain(text);
            write(model, &written);
            Vec::new()
        }
        Input::Unknown(command) => {
            let text = model.texts.unknown_command(&visible::line(command));
            model.complain(text);
            write(model, &written);
            Vec::new()
        }
    }
}

fn enter(room: &str, create: bool) -> Effect {
    Effect::Ask(Order::Enter {
        room: room.to_owned(),
        create,
    })
}

/// Ends the membership in the room of that name, else in the one that is shown.
fn leave_room(model: &mut Model, name: Option<&str>) -> Vec<Effect> {
    let room = match name {
        Some(name) => model.rooms.values().find(|room| room.name == name),
        None => model.current(),
    };
    match room.map(|room| room.id.clone()) {
        Some(room) => vec![Effect::Ask(Order::Leave { room })],
        None => {
            let text = model
                .texts
                .tui_unknown_room(&visible::line(name.unwrap_or_default()));
            model.complain(text);
            Vec::new()
        }
    }
}
