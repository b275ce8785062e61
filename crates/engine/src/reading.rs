//! Answers to questions that change nothing: who may have them, and in which shape.
//!
//! The shell reads the facts in one read transaction and hands them here; what may be told, and as what, is decided here.

use std::sync::Arc;

use suda_protocol::v1::reply::Result as Answer;
use suda_protocol::{ErrorCode, v1};

use crate::{Cursor, Entry, EntryId, Refusal, RoomFacts};

/// What the store knew, in one read transaction, of a room and one reader's place in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadFacts<E> {
    /// The room, if it exists.
    pub room: Option<RoomFacts>,
    /// Whether the reader is a member of it.
    pub member: bool,
    /// The id of the entry at the reader's cursor; `None` where there is none (always for seq 0).
    pub at_cursor: Option<EntryId>,
    /// Entries after the cursor, in order, no more than asked for. Where the first one alone is over a limit of bytes, it is there still.
    pub entries: Vec<E>,
}

/// The room, if this reader may read it.
///
/// # Errors
/// The refusal that the reader is told.
pub fn permitted<E>(facts: &ReadFacts<E>) -> Result<&RoomFacts, Refusal> {
    permitted_room(facts.room.as_ref(), facts.member)
}

fn permitted_room(room: Option<&RoomFacts>, member: bool) -> Result<&RoomFacts, Refusal> {
    let room = room.ok_or(ErrorCode::UnknownRoom)?;
    if !member {
        // Every room is public, so that its existence is no secret.
        return Err(ErrorCode::NotAMember.into());
    }
    Ok(room)
}

/// Whether the log still runs through the cursor. It doesn't where it ends before it, or holds another entry there.
pub fn continues(room: &RoomFacts, after: Cursor, at_cursor: Option<EntryId>) -> bool {
    after.seq == 0 || (after.seq <= room.top.seq && at_cursor == Some(after.id))
}

/// The answer to [`Query::Log`](crate::Query::Log).
///
/// # Errors
/// The refusal that the reader is told.
pub fn log_page(after: Cursor, facts: ReadFacts<Arc<Entry>>) -> Result<Answer, Refusal> {
    let room = permitted(&facts)?;
    let top = Some(room.top.to_wire());
    if !continues(room, after, facts.at_cursor) {
        return Ok(Answer::LogPage(v1::LogPage {
            entries: Vec::new(),
            top,
            continues: false,
        }));
    }
    let entries = facts
        .entries
        .iter()
        .map(|entry| entry.wire().clone())
        .collect();
    Ok(Answer::LogPage(v1::LogPage {
        entries,
        top,
        continues: true,
    }))
}

/// What the store knew, in one read transaction, of a room's messages.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageFacts {
    /// The room, if it exists.
    pub room: Option<RoomFacts>,
    /// Whether the reader is a member of it.
    pub member: bool,
    /// The messages, newest first, no more than asked for.
    pub messages: Vec<v1::Message>,
    /// Whether there are older ones.
    pub more: bool,
}

/// The answer to [`Query::Messages`](crate::Query::Messages).
///
/// # Errors
/// The refusal that the reader is told.
pub fn message_page(facts: MessageFacts) -> Result<Answer, Refusal> {
    let as_of_seq = permitted_room(facts.room.as_ref(), facts.member)?.top.seq;
    Ok(Answer::MessagePage(v1::MessagePage {
        messages: facts.messages,
        as_of_seq,
        more: facts.more,
    }))
}

/// The answer to [`Query::ListRooms`](crate::Query::ListRooms): each room with whether the asker is a member of it.
pub fn room_list(rooms: &[(RoomFacts, bool)], more: bool) -> Answer {
    let rooms = rooms
        .iter()
        .map(|(room, member)| room.to_wire(*member))
        .collect();
    Answer::RoomList(v1::RoomList { rooms, more })
}
