//! Which rooms there are, which one is shown, and how its entries are got.

use suda_protocol::{ErrorCode, v1};

use crate::tui::clean;
use crate::tui::composer::Composer;
use crate::tui::event::{Effect, Order};
use crate::tui::model::{Model, Overlay};
use crate::tui::room::{Phase, Room};
use crate::tui::switcher::{Candidate, Switcher};
use crate::tui::timeline::Timeline;
use crate::tui::timeline::scroll::Position;

/// Rooms whose newest messages are asked for at the same time.
const LOADING_MAX: usize = 8;

/// Shows a room.
pub(super) fn show(model: &mut Model, id: &str) -> Vec<Effect> {
    if model.current.as_deref() == Some(id) {
        return Vec::new();
    }
    if let Some(before) = model.current_mut() {
        before.new_after = None;
    }
    let Some(room) = model.rooms.get_mut(id) else {
        return Vec::new();
    };
    room.new_after = (room.unread > 0).then_some(room.read_seq);
    let effects = load(room).into_iter().collect();
    model.current = Some(id.to_owned());
    let homeless = model.homeless.take();
    // It was taken by an empty composer of the same size; beside a long draft there may be no place for it.
    if let Some(room) = model.current_mut()
        && !room.composer.insert(&homeless)
    {
        model.homeless = Composer::with(homeless);
    }
    effects
}

/// Shows the next or the previous of one's rooms.
pub(super) fn show_neighbour(model: &mut Model, next: bool) -> Vec<Effect> {
    let ids: Vec<String> = model
        .my_rooms()
        .iter()
        .map(|room| room.id.clone())
        .collect();
    if ids.is_empty() {
        return Vec::new();
    }
    let here = ids.iter().position(|id| Some(id) == model.current.as_ref());
    let there = match (here, next) {
        (None, _) => 0,
        (Some(here), true) => (here + 1) % ids.len(),
        (Some(here), false) => (here + ids.len() - 1) % ids.len(),
    };
    show(model, &ids[there])
}

/// Shows the next room with something new.
pub(super) fn show_unread(model: &mut Model) -> Vec<Effect> {
    let rooms = model.my_rooms();
    let here = rooms
        .iter()
        .position(|room| Some(&room.id) == model.current.as_ref());
    let behind = rooms.iter().skip(here.map_or(0, |here| here + 1));
    let before = rooms.iter().take(here.unwrap_or(0));
    let unread = behind.chain(before).find(|room| room.unread > 0);
    match unread.map(|room| room.id.clone()) {
        Some(id) => show(model, &id),
        None => Vec::new(),
    }
}

/// Opens the switcher, and asks which rooms there are by now.
pub(super) fn open_switcher(model: &mut Model) -> Vec<Effect> {
    let mut switcher = Switcher::default();
    look(model, &mut switcher);
    model.overlay = Some(Overlay::Switcher(switcher));
    vec![Effect::Ask(Order::Rooms)]
}

pub(super) fn look(model: &Model, switcher: &mut Switcher) {
    let candidates: Vec<Candidate<'_>> = model
        .rooms
        .values()
        .map(|room| Candidate {
            id: &room.id,
            name: &room.name,
            is_member: room.is_member,
            unread: room.unread,
        })
        .collect();
    switcher.look(&candidates);
}

/// The server's list of rooms.
pub(super) fn listed(model: &mut Model, list: Vec<v1::Room>) -> Vec<Effect> {
    model.rooms_known = true;
    for room in model.rooms.values_mut() {
        let is_listed = list.iter().any(|listed| listed.id == room.id);
        // An open stream knows better than a list that may have been made before it.
        if room.is_silent() {
            room.is_member &= is_listed;
            room.phase = Phase::Idle;
        }
    }
    for listed in list {
        match model.rooms.get_mut(&listed.id) {
            Some(room) => {
                if room.is_silent() {
                    room.is_member = listed.member;
                }
                room.describe(listed);
            }
            None => {
                model.rooms.insert(listed.id.clone(), Room::of(listed));
            }
        }
    }
    if let Some(Overlay::Switcher(mut switcher)) = model
        .overlay
        .take_if(|overlay| matches!(overlay, Overlay::Switcher(_)))
    {
        let selected = switcher.choice().cloned();
        look(model, &mut switcher);
        let at = switcher
            .choices
            .iter()
            .position(|choice| Some(choice) == selected.as_ref());
        switcher.selected = at.unwrap_or(0);
        model.overlay = Some(Overlay::Switcher(switcher));
    }
    let mut effects = choose_some(model);
    // The one that is looked at first.
    effects.extend(model.current_mut().and_then(load));
    effects.extend(load_more(model));
    effects
}

/// The person is a member of the room now: it is shown.
pub(super) fn entered(model: &mut Model, entered: v1::Room) -> Vec<Effect> {
    let id = entered.id.clone();
    match model.rooms.get_mut(&id) {
        Some(room) => {
            room.describe(entered);
            room.is_member = true;
        }
        None => {
            let mut room = Room::of(entered);
            room.is_member = true;
            model.rooms.insert(id.clone(), room);
        }
    }
    let mut effects = model
        .rooms
        .get_mut(&id)
        .and_then(load)
        .into_iter()
        .collect::<Vec<_>>();
    effects.extend(show(model, &id));
    effects
}

/// The person is no member any more.
pub(super) fn removed(model: &mut Model, id: &str) -> Vec<Effect> {
    let Some(room) = model.rooms.get_mut(id) else {
        return Vec::new();
    };
    let was_member = std::mem::replace(&mut room.is_member, false);
    room.phase = Phase::Idle;
    room.timeline = Timeline::default();
    room.position = Position::Bottom;
    room.reply_to = 0;
    room.unread = 0;
    room.read_seq = 0;
    room.member_count = room.member_count.saturating_sub(u32::from(was_member));
    let name = clean::line(&room.name);
    if was_member {
        let text = model.texts.tui_left(&name);
        model.say(text);
    }
    choose_some(model)
}

/// What was delivered of the room is of another past of the server: it is loaded anew.
pub(super) fn reset(model: &mut Model, id: &str) -> Vec<Effect> {
    let text = model.texts.history_is_another();
    let Some(room) = model.rooms.get_mut(id) else {
        return Vec::new();
    };
    room.timeline = Timeline::default();
    room.position = Position::Bottom;
    // What has that seq now is another message.
    room.reply_to = 0;
    room.new_after = None;
    room.read_seq = 0;
    room.phase = Phase::Idle;
    let mut effects = vec![Effect::Ask(Order::Close {
        room: id.to_owned(),
    })];
    effects.extend(load(room));
    model.say(text);
    effects
}

/// A page of messages.
pub(super) fn history(
    model: &mut Model,
    id: &str,
    before_seq: u64,
    result: Result<v1::MessagePage, v1::Error>,
) -> Vec<Effect> {
    let me = model.my_id().to_owned();
    let is_current = model.current.as_deref() == Some(id);
    let texts = model.texts;
    let Some(room) = model.rooms.get_mut(id) else {
        return Vec::new();
    };
    let is_first = before_seq == 0;
    let is_wanted = match is_first {
        true => room.phase == Phase::Loading,
        false => room.phase == Phase::Open && room.timeline.first_seq() == Some(before_seq),
    };
    let page = match result {
        _ if !is_wanted => {
            room.timeline.loading_above = false;
            return Vec::new();
        }
        Ok(page) => page,
        Err(error) => {
            room.timeline.loading_above = false;
            if is_first {
                room.phase = Phase::Failed;
            }
            let code = error.code();
            if matches!(code, ErrorCode::NotAMember | ErrorCode::UnknownRoom) {
                room.is_member = false;
            }
            model.complain(texts.error(&error));
            let mut effects = choose_some(model);
            effects.extend(load_more(model));
            return effects;
        }
    };
    if !is_first {
        room.timeline.prepend(page);
        return Vec::new();
    }
    let cursor = page.messages.first().map(|newest| v1::Cursor {
        seq: newest.seq,
        id: newest.id.clone(),
    });
    room.timeline = Timeline::default();
    room.timeline.prepend(page);
    room.phase = Phase::Open;
    room.count_unread(&me);
    if is_current && room.unread > 0 {
        room.new_after = Some(room.read_seq);
    }
    room.settle_posts();
    let mut effects = vec![Effect::Ask(Order::Open {
        room: id.to_owned(),
        // Where nothing was said yet, the stream starts at the beginning.
        cursor: cursor.unwrap_or_default(),
    })];
    effects.extend(load_more(model));
    effects
}

/// Shows some room of one's own where none is shown.
fn choose_some(model: &mut Model) -> Vec<Effect> {
    if model.current().is_some_and(|room| room.is_member) {
        return Vec::new();
    }
    match model.my_rooms().first().map(|room| room.id.clone()) {
        Some(id) => show(model, &id),
        None => {
            model.current = None;
            Vec::new()
        }
    }
}

/// Loads further rooms of one's own, a few at a time: hundreds of questions at once would be refused.
fn load_more(model: &mut Model) -> Vec<Effect> {
    let loading = |room: &&Room| room.phase == Phase::Loading;
    let free = LOADING_MAX.saturating_sub(model.rooms.values().filter(loading).count());
    let rooms = model.rooms.values_mut();
    rooms
        .filter(|room| room.phase == Phase::Idle)
        .filter_map(load)
        .take(free)
        .collect()
}

/// Asks for the newest messages where nothing is loaded.
fn load(room: &mut Room) -> Option<Effect> {
    if !room.is_member || !room.is_silent() {
        return None;
    }
    room.phase = Phase::Loading;
    Some(Effect::Ask(Order::History {
        room: room.id.clone(),
        before_seq: 0,
    }))
}
