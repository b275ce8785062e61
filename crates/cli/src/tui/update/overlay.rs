//! Keys where something lies over the room.

use unicode_segmentation::UnicodeSegmentation;

use super::{keys, reply, rooms, scroll};
use crate::tui::composer::Step;
use crate::tui::event::{Effect, Order};
use crate::tui::keys::Action;
use crate::tui::model::{Model, Overlay};
use crate::tui::switcher::Choice;

/// Bytes of what is searched for.
const QUERY_BYTES_MAX: usize = 256;

pub(super) fn handle(
    model: &mut Model,
    action: Option<Action>,
    written: Option<char>,
) -> Vec<Effect> {
    // In a list, Ctrl+N and Ctrl+P are steps.
    let down = match action {
        Some(Action::RowDown | Action::NextRoom) => Some(true),
        Some(Action::RowUp | Action::PreviousRoom) => Some(false),
        _ => None,
    };
    if let Some(action) = action
        && let Some(effects) = keys::act_anywhere(model, action)
    {
        return effects;
    }
    match &mut model.overlay {
        None => {}
        Some(Overlay::Help) => model.overlay = None,
        Some(Overlay::Leaving) if action == Some(Action::Cancel) => model.overlay = None,
        Some(Overlay::Leaving) => {}
        Some(Overlay::Reply(_)) => match (action, down) {
            (_, Some(down)) => reply::step(model, !down),
            (Some(Action::Reply), _) => reply::step(model, true),
            (Some(Action::Send), _) => reply::take(model),
            (Some(Action::Cancel), _) => model.overlay = None,
            _ => {}
        },
        Some(Overlay::Switcher(switcher)) => match (action, written, down) {
            (_, _, Some(down)) => switcher.step(down),
            (Some(Action::Cancel | Action::Switch), ..) => model.overlay = None,
            (Some(Action::Send), ..) => return choose(model),
            (Some(Action::Delete(step)), ..) => {
                delete(&mut switcher.query, step);
                look(model);
            }
            (None, Some(c), _) => write(model, &c.to_string()),
            _ => {}
        },
        Some(Overlay::Search(search)) => match (action, written, down) {
            (_, _, Some(down)) => step(model, !down),
            (Some(Action::Cancel), ..) => model.overlay = None,
            (Some(Action::Send | Action::Search), ..) => step(model, true),
            (Some(Action::Delete(step)), ..) => {
                delete(&mut search.query, step);
                look(model);
            }
            (None, Some(c), _) => write(model, &c.to_string()),
            _ => {}
        },
    }
    Vec::new()
}

pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    write(model, text.lines().next().unwrap_or_default());
    Vec::new()
}

/// Takes the selected choice of the switcher.
pub(super) fn choose(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Switcher(switcher)) = model.overlay.take() else {
        return Vec::new();
    };
    match switcher.choice() {
        Some(Choice::Room { id }) => match model.rooms.get(id) {
            Some(room) if room.is_member => rooms::show(model, id),
            _ => vec![Effect::Ask(Order::Enter {
                room: id.clone(),
                create: false,
            })],
        },
        Some(Choice::Create { name }) => vec![Effect::Ask(Order::Enter {
            room: name.clone(),
            create: true,
        })],
        None => Vec::new(),
    }
}

/// Goes to the next match, of what is loaded by now.
fn step(model: &mut Model, older: bool) {
    let Some(Overlay::Search(mut search)) = model.overlay.take() else {
        return;
    };
    if let Some(room) = model.current() {
        search.look_again(room);
    }
    search.step(older);
    let seq = search.seq();
    model.overlay = Some(Overlay::Search(search));
    if let Some(seq) = seq {
        scroll::to_message(model, seq);
    }
}

fn write(model: &mut Model, text: &str) {
    let query = match &mut model.overlay {
        Some(Overlay::Switcher(switcher)) => &mut switcher.query,
        Some(Overlay::Search(search)) => &mut search.query,
        _ => return,
    };
    if query.len() + text.len() <= QUERY_BYTES_MAX {
        query.push_str(text);
        look(model);
    }
}

fn delete(query: &mut String, step: Step) {
    let end = match step {
        Step::WordLeft => query.unicode_word_indices().next_back().map(|(at, _)| at),
        _ => query.grapheme_indices(true).next_back().map(|(at, _)| at),
    };
    query.truncate(end.unwrap_or(0));
}

/// Looks again after the query has changed.
fn look(model: &mut Model) {
    match model.overlay.take() {
        Some(Overlay::Switcher(mut switcher)) => {
            rooms::look(model, &mut switcher);
            model.overlay = Some(Overlay::Switcher(switcher));
        }
        Some(Overlay::Search(mut search)) => {
            if let Some(room) = model.current() {
                search.look(room);
            }
            let seq = search.seq();
            model.overlay = Some(Overlay::Search(search));
            if let Some(seq) = seq {
                scroll::to_message(model, seq);
            }
        }
        other => model.overlay = other,
    }
}
