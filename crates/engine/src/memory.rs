//! A store in memory: the plainest statement of what a store does for the engine. Tests and the simulator use it, and real stores
//! can be held against it. It keeps nothing on any disk.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use suda_protocol::v1::{self, entry::What};

use crate::journal::{AnsweredRow, Facts, Lookup, Plan};
use crate::reading::{MessageFacts, ReadFacts};
use crate::roster::{FillFrom, FillRequest};
use crate::{ClientId, Cursor, Entry, RoomFacts, RoomId, RoomRef, UserId};

/// Rooms, their logs and members, and what was answered.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    rooms: BTreeMap<RoomId, StoredRoom>,
    /// By name key.
    names: BTreeMap<String, RoomId>,
    answered: HashMap<(UserId, ClientId), AnsweredRow>,
}

#[derive(Debug, Clone)]
struct StoredRoom {
    name: String,
    /// The entry with seq n stands at n - 1.
    log: Vec<Arc<Entry>>,
    members: BTreeSet<UserId>,
}

impl MemoryStore {
    /// Reads what a batch must know.
    pub fn facts(&self, lookup: &Lookup) -> Facts {
        let mut facts = Facts::default();
        for key in &lookup.answered {
            facts
                .answered
                .extend(self.answered.get(key).map(|row| (*key, row.clone())));
        }
        facts.rooms.extend(
            lookup
                .rooms
                .iter()
                .filter_map(|room| self.room_facts(self.id(room)?)),
        );
        for (room, user) in &lookup.members {
            facts.members.extend(
                self.id(room)
                    .filter(|id| self.is_member(*id, *user))
                    .map(|id| (id, *user)),
            );
        }
        for (room, seq) in &lookup.messages {
            facts.messages.extend(
                self.id(room)
                    .filter(|id| self.is_message(*id, *seq))
                    .map(|id| (id, *seq)),
            );
        }
        for unsettled in &lookup.unsettled {
            facts.unsettled.extend(
                self.after(unsettled.room, unsettled.after_seq, usize::MAX)
                    .iter()
                    .cloned(),
            );
        }
        facts
    }

    /// Writes a plan's rows.
    pub fn write<T>(&mut self, plan: &Plan<T>) {
        for room in plan.rooms() {
            self.names.insert(room.name_key.clone(), room.id);
            self.rooms.insert(
                room.id,
                StoredRoom {
                    name: room.name.clone(),
                    log: Vec::new(),
                    members: BTreeSet::new(),
                },
            );
        }
        for entry in plan.entries() {
            if let Some(room) = self.rooms.get_mut(&entry.room()) {
                room.log.push(entry.clone());
            }
        }
        for change in plan.member_changes() {
            if let Some(room) = self.rooms.get_mut(&change.room) {
                if change.member {
                    room.members.insert(change.user);
                } else {
                    room.members.remove(&change.user);
                }
            }
        }
        self.answered.extend(
            plan.answered()
                .iter()
                .map(|row| ((row.author, row.client_id), row.clone())),
        );
    }

    /// Answers a roster's question.
    pub fn fill<M>(&self, request: &FillRequest<M>) -> ReadFacts<Arc<Entry>> {
        let after = match request.from {
            FillFrom::Newest => None,
            FillFrom::After(cursor) => Some(cursor),
        };
        self.read(request.user, &request.room, after, request.count_max)
    }

    /// Reads a room from one reader's place on; without one, no entries.
    pub fn read(
        &self,
        user: UserId,
        room: &RoomRef,
        after: Option<Cursor>,
        count_max: usize,
    ) -> ReadFacts<Arc<Entry>> {
        let id = self.id(room);
        let at_cursor = id
            .zip(after)
            .and_then(|(id, after)| self.entry(id, after.seq))
            .map(|entry| entry.id());
        let entries = id
            .zip(after)
            .map(|(id, after)| self.after(id, after.seq, count_max).to_vec())
            .unwrap_or_default();
        ReadFacts {
            room: id.and_then(|id| self.room_facts(id)),
            member: id.is_some_and(|id| self.is_member(id, user)),
            at_cursor,
            entries,
        }
    }

    /// Reads a room's messages, newest first.
    pub fn messages(
        &self,
        user: UserId,
        room: &RoomRef,
        before_seq: Option<u64>,
        count_max: usize,
    ) -> MessageFacts {
        let id = self.id(room);
        let log = id
            .map(|id| self.after(id, 0, usize::MAX))
            .unwrap_or_default();
        let before = before_seq.unwrap_or(u64::MAX);
        let mut messages: Vec<_> = log
            .iter()
            .rev()
            .filter(|entry| entry.seq() < before)
            .filter_map(|entry| message(entry))
            .take(count_max.saturating_add(1))
            .collect();
        let more = messages.len() > count_max;
        messages.truncate(count_max);
        let member = id.is_some_and(|id| self.is_member(id, user));
        MessageFacts {
            room: id.and_then(|id| self.room_facts(id)),
            member,
            messages,
            more,
        }
    }

    /// The rooms in the order of their name keys, with whether the user is a member, and whether there are more.
    pub fn list_rooms(
        &self,
        user: UserId,
        mine: bool,
        after_name: &str,
        count_max: usize,
    ) -> (Vec<(RoomFacts, bool)>, bool) {
        let after_key = suda_protocol::names::key(after_name);
        let mut rooms: Vec<_> = self
            .names
            .iter()
            .filter(|(key, _)| **key > after_key)
            .filter_map(|(_, id)| Some((self.room_facts(*id)?, self.is_member(*id, user))))
            .filter(|(_, member)| *member || !mine)
            .take(count_max.saturating_add(1))
            .collect();
        let more = rooms.len() > count_max;
        rooms.truncate(count_max);
        (rooms, more)
    }

    /// A room's whole log.
    pub fn log(&self, room: RoomId) -> &[Arc<Entry>] {
        self.after(room, 0, usize::MAX)
    }

    /// All rooms.
    pub fn rooms(&self) -> impl Iterator<Item = RoomId> {
        self.rooms.keys().copied()
    }

    /// Whether the user is a member of the room.
    pub fn is_member(&self, room: RoomId, user: UserId) -> bool {
        self.rooms
            .get(&room)
            .is_some_and(|room| room.members.contains(&user))
    }

    /// The command that this author sent under this client id, if it took effect.
    pub fn answered(&self, author: UserId, client_id: ClientId) -> Option<&AnsweredRow> {
        self.answered.get(&(author, client_id))
    }

    fn id(&self, room: &RoomRef) -> Option<RoomId> {
        match room {
            RoomRef::Id(id) => self.rooms.contains_key(id).then_some(*id),
            RoomRef::Name(key) => self.names.get(key).copied(),
        }
    }

    fn room_facts(&self, id: RoomId) -> Option<RoomFacts> {
        let room = self.rooms.get(&id)?;
        let top = room
            .log
            .last()
            .map_or(Cursor::BEGINNING, |entry| entry.cursor());
        Some(RoomFacts {
            id,
            name: room.name.clone(),
            top,
            member_count: room.members.len() as u32,
        })
    }

    fn entry(&self, room: RoomId, seq: u64) -> Option<&Arc<Entry>> {
        self.rooms
            .get(&room)?
            .log
            .get(usize::try_from(seq.checked_sub(1)?).ok()?)
    }

    fn is_message(&self, room: RoomId, seq: u64) -> bool {
        self.entry(room, seq)
            .is_some_and(|entry| matches!(entry.what(), Some(What::MessagePosted(_))))
    }

    fn after(&self, room: RoomId, seq: u64, count_max: usize) -> &[Arc<Entry>] {
        let log = self
            .rooms
            .get(&room)
            .map(|room| room.log.as_slice())
            .unwrap_or_default();
        let rest = usize::try_from(seq)
            .ok()
            .and_then(|seq| log.get(seq..))
            .unwrap_or_default();
        &rest[..rest.len().min(count_max)]
    }
}

fn message(entry: &Entry) -> Option<v1::Message> {
    let Some(What::MessagePosted(posted)) = entry.what() else {
        return None;
    };
    let wire = entry.wire();
    Some(v1::Message {
        seq: wire.seq,
        id: wire.id.clone(),
        author: wire.author.clone(),
        author_name: wire.author_name.clone(),
        at_ms: wire.at_ms,
        text: posted.text.clone(),
        reply_to: posted.reply_to,
    })
}
