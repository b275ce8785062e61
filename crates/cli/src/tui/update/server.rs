//! Events of the connection.

use suda_client::Event;
use suda_protocol::v1::entry::What as EntryKind;
use suda_protocol::{ErrorCode, v1};

use super::{posts, rooms};
use crate::exit::{Exit, Failure};
use crate::tui::event::{Effect, Order};
use crate::tui::model::{Link, Model};
use crate::tui::room::Phase;
use crate::tui::timeline::Item;
use crate::visible;

pub(super) fn handle(model: &mut Model, event: Event) -> Vec<Effect> {
    match event {
        Event::Online { user } => {
            model.link = Link::Online;
            model.my_name.clone_from(&user.name);
            model.me = Some(user);
            vec![Effect::Ask(Order::Rooms)]
        }
        Event::Offline { retry_at, reason } => {
            model.link = Link::Offline {
                reason,
                retry_at_ms: retry_at,
            };
            Vec::new()
        }
        Event::SignedOut { error } => {
            let reason = model.texts.sign_in_ended(&model.texts.error(&error));
            vec![Effect::End(Some(Failure::new(Exit::NotSignedIn, reason)))]
        }
        Event::Stopped { message, .. } => {
            let reason = model.texts.refused(&visible::line(&message));
            vec![Effect::End(Some(Failure::new(Exit::Refused, reason)))]
        }
        Event::Entry(entry) => {
            take(model, entry);
            Vec::new()
        }
        Event::Reset { room } => rooms::reset(model, &room),
        Event::Removed { room } => rooms::removed(model, &room),
        // Left elsewhere while there was no connection.
        Event::OpenRefused { asked, error }
            if matches!(error.code(), ErrorCode::NotAMember | ErrorCode::UnknownRoom) =>
        {
            rooms::removed(model, &asked)
        }
        Event::Delayed {
            client_id, error, ..
        } => {
            posts::delayed(model, client_id, &error);
            Vec::new()
        }
        // What was ordered is answered as what became of the order; what is not known is not shown.
        _ => Vec::new(),
    }
}

/// A new entry.
fn take(model: &mut Model, entry: v1::Entry) {
    let me = model.my_id().to_owned();
    let is_watched = model.is_watched(&entry.room);
    let Some(room) = model.rooms.get_mut(&entry.room) else {
        return;
    };
    if room.phase != Phase::Open {
        return;
    }
    let (seq, is_mine) = (entry.seq, entry.author == me);
    let change = match &entry.what {
        Some(EntryKind::MemberJoined(_)) => 1,
        Some(EntryKind::MemberLeft(_)) => -1,
        _ => 0,
    };
    let item = Item::of_entry(entry);
    let text = item.as_ref().and_then(Item::text).map(str::to_owned);
    if !room.timeline.push(seq, item) {
        return;
    }
    if seq > room.counted_seq {
        room.member_count = room.member_count.saturating_add_signed(change);
    }
    match text {
        Some(text) if is_mine => room.recognise(seq, &text),
        Some(_) if !is_watched => room.unread += 1,
        _ => {}
    }
    room.settle_posts();
}
