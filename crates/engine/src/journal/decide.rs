//! The decision about one draft: the same for a room of two as for a room of a hundred thousand.

use std::sync::Arc;

use suda_protocol::v1::entry::What;
use suda_protocol::v1::reply::Result as Answer;
use suda_protocol::{ErrorCode, names, v1};
use uuid::Uuid;

use super::overlay::Overlay;
use super::plan::Rows;
use super::{AnsweredKind, AnsweredRow, Journal, MemberChange, RoomRow};
use crate::{
    Cursor, Draft, Entry, EntryId, Intent, Refusal, RoomFacts, RoomId, RoomRef, Timestamp, mutant,
};

pub(super) struct Decision {
    pub(super) answer: Result<Answer, Refusal>,
    /// The answer was in the store before this batch.
    pub(super) from_store: bool,
}

pub(super) fn decide<T>(
    journal: &mut Journal<T>,
    overlay: &mut Overlay,
    rows: &mut Rows,
    now: Timestamp,
    draft: &Draft,
    new_id: &mut dyn FnMut() -> Uuid,
) -> Decision {
    let key = (draft.author, draft.client_id);
    // Before permission, rate and everything else: whoever retries gets the first answer, even where the same command
    // would be refused by now.
    if let Some(row) = overlay.answered_before(&key) {
        return Decision {
            answer: again(journal, row, draft),
            from_store: true,
        };
    }
    if !mutant!("forget-dedupe-within-batch")
        && let Some(row) = overlay.answered_now(&key)
    {
        return Decision {
            answer: again(journal, row, draft),
            from_store: false,
        };
    }
    let answer = match draft.objection {
        Some(refusal) => Err(refusal),
        None => Turn {
            journal,
            overlay,
            rows,
            now,
            draft,
            new_id,
        }
        .take(),
    };
    Decision {
        answer,
        from_store: false,
    }
}

/// The first answer again, or a refusal where the client id stood for something else.
fn again<T>(journal: &Journal<T>, row: &AnsweredRow, draft: &Draft) -> Result<Answer, Refusal> {
    if row.digest != draft.digest() {
        return Err(ErrorCode::ClientIdReused.into());
    }
    // The payload is the same, so the room that the draft points at is the row's, and was looked up.
    let name = journal
        .find(&RoomRef::Id(row.room))
        .map(|room| room.name.clone())
        .unwrap_or_default();
    let room = RoomFacts {
        id: row.room,
        name,
        top: Cursor {
            seq: row.seq,
            id: row.id,
        },
        member_count: row.member_count,
    };
    Ok(answer(row, &room, true))
}

fn answer(row: &AnsweredRow, room: &RoomFacts, duplicate: bool) -> Answer {
    match row.kind {
        AnsweredKind::CreateRoom => Answer::RoomCreation(v1::RoomCreation {
            room: Some(room.to_wire(true)),
            duplicate,
        }),
        AnsweredKind::Join => Answer::Joined(v1::Joined {
            room: Some(room.to_wire(true)),
            duplicate,
        }),
        AnsweredKind::Leave => Answer::Left(v1::Left {
            room: row.room.to_string(),
            duplicate,
        }),
        AnsweredKind::Post => Answer::Posted(v1::Posted {
            room: row.room.to_string(),
            seq: row.seq,
            id: row.id.to_string(),
            at_ms: row.at,
            duplicate,
        }),
    }
}

/// One draft's turn, with all that it may read and write.
struct Turn<'a, T> {
    journal: &'a mut Journal<T>,
    overlay: &'a mut Overlay,
    rows: &'a mut Rows,
    now: Timestamp,
    draft: &'a Draft,
    new_id: &'a mut dyn FnMut() -> Uuid,
}

impl<T> Turn<'_, T> {
    fn take(mut self) -> Result<Answer, Refusal> {
        match &self.draft.intent {
            Intent::CreateRoom { name } => self.create_room(name),
            Intent::Join { room } => self.join(room),
            Intent::Leave { room } => self.leave(room),
            Intent::Post {
                room,
                text,
                reply_to,
            } => self.post(room, text, *reply_to),
        }
    }

    fn create_room(&mut self, name: &str) -> Result<Answer, Refusal> {
        if self.journal.find(&RoomRef::named(name)).is_some() {
            return Err(ErrorCode::NameTaken.into());
        }
        let id = RoomId((self.new_id)());
        let author = self.draft.author;
        self.rows.rooms.push(RoomRow {
            id,
            name: name.to_owned(),
            name_key: names::key(name),
            author,
            at: self.now,
        });
        self.journal.remember(RoomFacts {
            id,
            name: name.to_owned(),
            top: Cursor::BEGINNING,
            member_count: 0,
        });
        let seq = self.append(
            id,
            What::RoomCreated(v1::RoomCreated {
                name: name.to_owned(),
            }),
        );
        self.set_member(id, seq, true);
        self.done(AnsweredKind::CreateRoom, id)
    }

    fn join(&mut self, room: &RoomRef) -> Result<Answer, Refusal> {
        let id = self.room(room)?;
        if !self.overlay.is_member(id, self.draft.author) {
            let seq = self.append(id, What::MemberJoined(v1::MemberJoined {}));
            self.set_member(id, seq, true);
        }
        self.done(AnsweredKind::Join, id)
    }

    fn leave(&mut self, room: &RoomRef) -> Result<Answer, Refusal> {
        let id = self.room_of_member(room)?;
        let seq = self.append(id, What::MemberLeft(v1::MemberLeft {}));
        self.set_member(id, seq, false);
        self.done(AnsweredKind::Leave, id)
    }

    fn post(&mut self, room: &RoomRef, text: &str, reply_to: u64) -> Result<Answer, Refusal> {
        let id = self.room_of_member(room)?;
        if reply_to > 0 && !self.overlay.is_message(id, reply_to) {
            return Err(ErrorCode::UnknownMessage.into());
        }
        let seq = self.append(
            id,
            What::MessagePosted(v1::MessagePosted {
                text: text.to_owned(),
                reply_to,
            }),
        );
        self.overlay.add_message(id, seq);
        self.done(AnsweredKind::Post, id)
    }

    fn room(&self, room: &RoomRef) -> Result<RoomId, Refusal> {
        self.journal
            .find(room)
            .map(|room| room.id)
            .ok_or(ErrorCode::UnknownRoom.into())
    }

    fn room_of_member(&self, room: &RoomRef) -> Result<RoomId, Refusal> {
        let id = self.room(room)?;
        if !self.overlay.is_member(id, self.draft.author) {
            return Err(ErrorCode::NotAMember.into());
        }
        Ok(id)
    }

    /// Adds an entry at the room's end and gives its seq.
    fn append(&mut self, id: RoomId, what: What) -> u64 {
        let Some(room) = self.journal.rooms.get_mut(&id) else {
            return 0;
        };
        room.top = Cursor {
            seq: room.top.seq + 1,
            id: EntryId((self.new_id)()),
        };
        self.overlay.touch(id);
        let Draft {
            author,
            author_name,
            ..
        } = self.draft;
        self.rows.entries.push(Arc::new(Entry::new(
            id,
            room.top,
            *author,
            author_name,
            self.now,
            what,
        )));
        room.top.seq
    }

    fn set_member(&mut self, id: RoomId, seq: u64, member: bool) {
        let user = self.draft.author;
        self.overlay.set_member(id, user, member);
        self.rows.member_changes.push(MemberChange {
            room: id,
            user,
            member,
            seq,
        });
        if let Some(room) = self.journal.rooms.get_mut(&id) {
            room.member_count = if member {
                room.member_count + 1
            } else {
                room.member_count.saturating_sub(1)
            };
        }
    }

    /// Keeps the answer for retries and gives it.
    fn done(&mut self, kind: AnsweredKind, id: RoomId) -> Result<Answer, Refusal> {
        let room = self
            .journal
            .rooms
            .get(&id)
            .ok_or(Refusal::new(ErrorCode::UnknownRoom))?;
        let row = AnsweredRow {
            author: self.draft.author,
            client_id: self.draft.client_id,
            digest: self.draft.digest(),
            kind,
            room: id,
            seq: room.top.seq,
            id: room.top.id,
            at: self.now,
            member_count: room.member_count,
        };
        let first = answer(&row, room, false);
        self.rows.answered.push(row.clone());
        self.overlay.answer(row);
        Ok(first)
    }
}
