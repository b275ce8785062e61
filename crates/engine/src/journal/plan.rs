//! What a batch comes to: rows to write now, answers and entries to hand out once they are durable.

use std::sync::Arc;

use suda_protocol::v1;

use super::{AnsweredRow, Entries};
use crate::refusal::reply;
use crate::{Cursor, Draft, Entry, Refusal, RoomFacts, RoomId, Timestamp, UserId, mutant};

/// A decided batch. Write its rows, commit, then hand it back to its [`Journal`](super::Journal).
#[derive(Debug)]
#[must_use = "a plan must be handed back to its journal with its outcome"]
pub struct Plan<T> {
    pub(super) rows: Rows,
    /// Entries that are durable already but were never handed on.
    pub(super) settled: Entries,
    pub(super) decided: Vec<Decided<T>>,
}

#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) entries: Entries,
    pub(super) answered: Vec<AnsweredRow>,
    pub(super) rooms: Vec<RoomRow>,
    pub(super) member_changes: Vec<MemberChange>,
    pub(super) tops: Vec<TopRow>,
}

impl<T> Plan<T> {
    pub(super) fn new(settled: Entries) -> Self {
        Self {
            rows: Rows::default(),
            settled,
            decided: Vec::new(),
        }
    }

    /// The new entries, in the order of their seqs within each room.
    pub fn entries(&self) -> &[Arc<Entry>] {
        &self.rows.entries
    }

    /// The commands that take effect, to be kept for ever.
    pub fn answered(&self) -> &[AnsweredRow] {
        &self.rows.answered
    }

    /// The new rooms.
    pub fn rooms(&self) -> &[RoomRow] {
        &self.rows.rooms
    }

    /// Who became or stopped being a member, in order: the last one about a room and a user counts.
    pub fn member_changes(&self) -> &[MemberChange] {
        &self.rows.member_changes
    }

    /// How far the touched rooms are after this plan.
    pub fn tops(&self) -> &[TopRow] {
        &self.rows.tops
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.rows.answered.is_empty() && self.rows.entries.is_empty()
    }
}

/// A new room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomRow {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: String,
    /// What its name is compared by; unique.
    pub name_key: String,
    /// Who made it.
    pub author: UserId,
    /// When.
    pub at: Timestamp,
}

/// Somebody became or stopped being a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberChange {
    /// Of this room.
    pub room: RoomId,
    /// Who.
    pub user: UserId,
    /// Whether the user is a member now.
    pub member: bool,
    /// The entry that says so.
    pub seq: u64,
}

/// How far a room is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopRow {
    /// The room.
    pub room: RoomId,
    /// Its newest entry.
    pub top: Cursor,
    /// How many members it has.
    pub member_count: u32,
}

impl TopRow {
    pub(super) fn of(room: &RoomFacts) -> Self {
        Self {
            room: room.id,
            top: room.top,
            member_count: room.member_count,
        }
    }
}

/// An answer and where it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// Where.
    pub ticket: T,
    /// What; it carries the command's id.
    pub reply: v1::Reply,
}

/// What to hand out after a commit.
#[derive(Debug)]
pub struct Committed<T> {
    /// The answers, in the drafts' order.
    pub answers: Vec<Answer<T>>,
    /// The entries to hand to every worker, in this order.
    pub entries: Vec<Arc<Entry>>,
}

#[derive(Debug)]
pub(super) struct Decided<T> {
    pub(super) ticket: T,
    pub(super) draft: Draft,
    pub(super) answer: Result<v1::reply::Result, Refusal>,
    /// The answer holds whatever becomes of this plan.
    pub(super) from_store: bool,
}

impl<T> Decided<T> {
    pub(super) fn into_answer(self) -> Answer<T> {
        let command_id = self.draft.command_id;
        let reply = match self.answer {
            Ok(result) => reply(command_id, result),
            Err(refusal) => refusal.reply(command_id),
        };
        Answer {
            ticket: self.ticket,
            reply,
        }
    }

    pub(super) fn into_answer_unless(self, refusal: Refusal) -> Answer<T> {
        if self.from_store || mutant!("acknowledge-after-rollback") {
            return self.into_answer();
        }
        Answer {
            reply: refusal.reply(self.draft.command_id),
            ticket: self.ticket,
        }
    }
}
