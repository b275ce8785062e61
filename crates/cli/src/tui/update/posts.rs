//! Messages of one's own on their way to the server.

use std::io;

use suda_protocol::limits::TEXT_BYTES_MAX;
use suda_protocol::{ErrorCode, v1};
use uuid::Uuid;

use crate::exit::Failure;
use crate::tui::event::{Effect, Order, Stamp};
use crate::tui::model::{Model, Overlay};
use crate::tui::room::{Post, PostState, Room};
use crate::tui::timeline::scroll::Position;

/// Sends what an earlier run kept, under the same client ids.
pub(super) fn resend_kept(model: &Model) -> Vec<Effect> {
    let rooms = model.rooms.values();
    rooms
        .flat_map(|room| room.posts.iter().map(move |post| (room, post)))
        .filter(|(_, post)| post.is_unanswered())
        .map(|(room, post)| order(&room.id, post))
        .collect()
}

/// Sends a text to the room that is shown. What cannot be sent is given back.
pub(super) fn post(model: &mut Model, stamp: Stamp, text: String) -> Result<Vec<Effect>, String> {
    if text.len() > TEXT_BYTES_MAX {
        let complaint = model.texts.too_long(text.len(), TEXT_BYTES_MAX);
        model.complain(complaint);
        return Err(text);
    }
    let Some(room) = model.current_mut() else {
        let complaint = model.texts.tui_no_room();
        model.complain(complaint);
        return Err(text);
    };
    let post = Post {
        client_id: stamp.id,
        text,
        reply_to: std::mem::take(&mut room.reply_to),
        at_ms: stamp.now_ms,
        state: PostState::Pending,
        seen_as: None,
    };
    let effects = vec![order(&room.id, &post), Effect::Keep];
    room.posts.push(post);
    room.position = Position::Bottom;
    room.new_after = None;
    Ok(effects)
}

/// Sends again what was refused. The client ids stay: should it have taken effect after all, it does so once.
pub(super) fn retry_failed(model: &mut Model) -> Vec<Effect> {
    let Some(room) = model.current_mut() else {
        return Vec::new();
    };
    let mut effects = Vec::new();
    for post in &mut room.posts {
        if matches!(post.state, PostState::Failed { .. }) {
            post.state = PostState::Pending;
            effects.push(order(&room.id, post));
        }
    }
    effects
}

/// Takes back what was refused, the oldest first: to the end of the composer, so that it can be mended or deleted there. What does not
/// fit stays refused.
pub(super) fn take_back_failed(model: &mut Model) {
    let Some(room) = model.current_mut() else {
        return;
    };
    let was_empty = room.composer.is_empty();
    let mut reply_to = 0;
    let mut is_full = false;
    let composer = &mut room.composer;
    room.posts.retain(|post| {
        if !matches!(post.state, PostState::Failed { .. }) {
            return true;
        }
        is_full = is_full || !composer.append(&post.text);
        if !is_full {
            reply_to = post.reply_to;
        }
        is_full
    });
    if was_empty && room.reply_to == 0 {
        room.reply_to = reply_to;
    }
    if is_full {
        let complaint = model.texts.no_room_to_take_back();
        model.complain(complaint);
    }
}

/// The server's answer to a post.
pub(super) fn answered(
    model: &mut Model,
    client_id: Uuid,
    result: Result<v1::Posted, v1::Error>,
) -> Vec<Effect> {
    let texts = model.texts;
    if let Some((room, at)) = find(model, client_id) {
        let post = &mut room.posts[at];
        post.seen_as = None;
        match result {
            Ok(posted) => post.state = PostState::Acknowledged { seq: posted.seq },
            // Signed out: it waits for the next run.
            Err(error) if error.code() == ErrorCode::Unauthenticated => {}
            Err(error) => {
                post.state = PostState::Failed {
                    reason: texts.error(&error),
                };
            }
        }
        room.settle_posts();
    }
    if model.overlay != Some(Overlay::Leaving) {
        return Vec::new();
    }
    match model.unanswered().count() {
        0 => vec![Effect::End(None)],
        _ => vec![Effect::StartLeaving],
    }
}

/// The server did not take a post yet.
pub(super) fn delayed(model: &mut Model, client_id: Uuid, error: &v1::Error) {
    let reason = model.texts.error(error);
    if let Some((room, at)) = find(model, client_id) {
        let post = &mut room.posts[at];
        if post.is_unanswered() {
            post.state = PostState::Delayed { reason };
        }
    }
}

/// The person wants to leave: at once where nothing waits for an answer.
pub(super) fn leave(model: &mut Model) -> Vec<Effect> {
    if model.overlay == Some(Overlay::Leaving) || model.unanswered().next().is_none() {
        return vec![Effect::End(None)];
    }
    model.overlay = Some(Overlay::Leaving);
    vec![Effect::StartLeaving]
}

/// How it ended, and what the server does not have: whether that is kept decides what is said of it.
pub(in crate::tui) fn last_words(
    model: &Model,
    end: Result<(), Failure>,
    is_kept: io::Result<()>,
) -> Result<(), Failure> {
    let kept = model.kept();
    let said = match is_kept {
        Ok(()) => {
            let unsent: Vec<&str> = model.unanswered().map(|post| post.text.as_str()).collect();
            (!unsent.is_empty()).then(|| model.texts.unsent_is_kept(&unsent))
        }
        Err(error) => {
            let words: Vec<&str> = kept.words().collect();
            let reason = error.to_string();
            (!words.is_empty()).then(|| model.texts.words_are_not_kept(&words, &reason))
        }
    };
    match (end, said) {
        (end, None) => end,
        (Ok(()), Some(said)) => Err(Failure::failed(said)),
        (Err(failure), Some(said)) => Err(failure.and(&said)),
    }
}

fn find(model: &mut Model, client_id: Uuid) -> Option<(&mut Room, usize)> {
    model.rooms.values_mut().find_map(|room| {
        let at = room
            .posts
            .iter()
            .position(|post| post.client_id == client_id)?;
        Some((room, at))
    })
}

fn order(room: &str, post: &Post) -> Effect {
    Effect::Ask(Order::Post {
        room: room.to_owned(),
        client_id: post.client_id,
        text: post.text.clone(),
        reply_to: post.reply_to,
    })
}
