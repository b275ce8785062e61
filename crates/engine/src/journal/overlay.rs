//! What the drafts of one batch have changed so far, over what the store knew: the later drafts see both.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::AnsweredRow;
use crate::{ClientId, RoomId, UserId};

pub(super) struct Overlay {
    answered: HashMap<(UserId, ClientId), AnsweredRow>,
    answered_now: HashMap<(UserId, ClientId), AnsweredRow>,
    members: HashSet<(RoomId, UserId)>,
    messages: HashSet<(RoomId, u64)>,
    touched: BTreeSet<RoomId>,
}

impl Overlay {
    pub(super) fn new(
        answered: HashMap<(UserId, ClientId), AnsweredRow>,
        members: HashSet<(RoomId, UserId)>,
        messages: HashSet<(RoomId, u64)>,
    ) -> Self {
        Self {
            answered,
            answered_now: HashMap::new(),
            members,
            messages,
            touched: BTreeSet::new(),
        }
    }

    /// The answer that the store holds.
    pub(super) fn answered_before(&self, key: &(UserId, ClientId)) -> Option<&AnsweredRow> {
        self.answered.get(key)
    }

    /// The answer that an earlier draft of this batch got.
    pub(super) fn answered_now(&self, key: &(UserId, ClientId)) -> Option<&AnsweredRow> {
        self.answered_now.get(key)
    }

    pub(super) fn is_member(&self, room: RoomId, user: UserId) -> bool {
        self.members.contains(&(room, user))
    }

    pub(super) fn is_message(&self, room: RoomId, seq: u64) -> bool {
        self.messages.contains(&(room, seq))
    }

    pub(super) fn answer(&mut self, row: AnsweredRow) {
        self.answered_now.insert((row.author, row.client_id), row);
    }

    pub(super) fn set_member(&mut self, room: RoomId, user: UserId, member: bool) {
        if member {
            self.members.insert((room, user));
        } else {
            self.members.remove(&(room, user));
        }
    }

    pub(super) fn add_message(&mut self, room: RoomId, seq: u64) {
        self.messages.insert((room, seq));
    }

    /// The room's top has moved.
    pub(super) fn touch(&mut self, room: RoomId) {
        self.touched.insert(room);
    }

    /// The rooms whose tops have moved.
    pub(super) fn into_touched(self) -> BTreeSet<RoomId> {
        self.touched
    }
}
