//! Choosing the message to answer: one stands at the newest and steps to older ones.

use super::scroll;
use crate::tui::model::{Model, Overlay};

/// Begins at the newest message, or at the one that is answered already.
pub(super) fn choose(model: &mut Model) {
    let Some(room) = model.current() else { return };
    let mut newest_first = room.timeline.messages().rev();
    let seq = match room.reply_to {
        0 => newest_first.next(),
        answered => newest_first.find(|seq| *seq <= answered),
    };
    drop(newest_first);
    match seq {
        Some(seq) => stand_at(model, seq),
        None => {
            let text = model.texts.nothing_to_answer();
            model.complain(text);
        }
    }
}

/// To the next message, of what is loaded by now.
pub(super) fn step(model: &mut Model, older: bool) {
    let (Some(room), Some(Overlay::Reply(here))) = (model.current(), &model.overlay) else {
        return;
    };
    let next = match older {
        true => room.timeline.messages().rev().find(|seq| seq < here),
        false => room.timeline.messages().find(|seq| seq > here),
    };
    if let Some(seq) = next {
        stand_at(model, seq);
    }
}

/// What is written answers the message that one stands at.
pub(super) fn take(model: &mut Model) {
    if let Some(Overlay::Reply(seq)) = model.overlay.take()
        && let Some(room) = model.current_mut()
    {
        room.reply_to = seq;
    }
}

fn stand_at(model: &mut Model, seq: u64) {
    model.overlay = Some(Overlay::Reply(seq));
    scroll::to_message(model, seq);
}
