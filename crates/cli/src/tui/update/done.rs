//! What became of orders.

use suda_protocol::ErrorCode;

use super::{posts, rooms};
use crate::tui::event::{Done, Effect};
use crate::tui::model::Model;
use crate::tui::room::Phase;

pub(super) fn handle(model: &mut Model, done: Done) -> Vec<Effect> {
    match done {
        Done::Post { client_id, result } => posts::answered(model, client_id, result),
        Done::Enter { result: Ok(room) } => rooms::entered(model, room),
        Done::Leave {
            room,
            result: Ok(()),
        } => rooms::removed(model, &room),
        Done::History {
            room,
            before_seq,
            result,
        } => rooms::history(model, &room, before_seq, result),
        Done::Rooms(Ok(list)) => rooms::listed(model, list),
        // It only says that the room was closed again before it was open.
        Done::NotOpened { error, .. } if error.code() == ErrorCode::Unavailable => Vec::new(),
        Done::NotOpened { room, error } => {
            if let Some(room) = model.rooms.get_mut(&room) {
                room.phase = Phase::Failed;
            }
            let text = model.texts.error(&error);
            model.complain(text);
            Vec::new()
        }
        Done::Enter { result: Err(error) }
        | Done::Leave {
            result: Err(error), ..
        }
        | Done::Rooms(Err(error)) => {
            let text = model.texts.error(&error);
            model.complain(text);
            Vec::new()
        }
    }
}
