//! A roster with outboxes that record what they took, over a node's store.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use suda_engine::roster::{Effect, FillRequest, Offered, Outboxes};
use suda_engine::{Cursor, Entry, Limits, Refusal, RoomRef, Roster};
use suda_protocol::v1::{self, reply::Result as Reply};

use super::{Node, lobby, user};

/// What a member was sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent {
    Reply(Reply),
    Entry(u64),
    Lag(u64),
    Removed,
}

#[derive(Default)]
pub struct Outs {
    pub sent: BTreeMap<u32, Vec<Sent>>,
    pub fills: VecDeque<FillRequest<u32>>,
    /// How many more entries a member's outbox takes; without a number, all.
    pub room: BTreeMap<u32, usize>,
}

impl Outboxes<u32, Arc<Entry>> for Outs {
    fn offer(&mut self, member: u32, entry: &Arc<Entry>) -> Offered {
        if let Some(room) = self.room.get_mut(&member) {
            if *room == 0 {
                return Offered::Full;
            }
            *room -= 1;
        }
        self.sent
            .entry(member)
            .or_default()
            .push(Sent::Entry(entry.seq()));
        Offered::Taken
    }

    fn effect(&mut self, effect: Effect<u32>) {
        let (member, sent) = match effect {
            Effect::Fill(request) => return self.fills.push_back(request),
            Effect::Reply { member, reply } => (
                member,
                Sent::Reply(reply.result.expect("a reply has a result")),
            ),
            Effect::Lag { member, top, .. } => (member, Sent::Lag(top.seq)),
            Effect::Removed { member, .. } => (member, Sent::Removed),
        };
        self.sent.entry(member).or_default().push(sent);
    }
}

pub struct Worker {
    pub node: Node,
    pub roster: Roster<u32, Arc<Entry>>,
    pub outs: Outs,
    last_id: u128,
}

impl Worker {
    /// A lobby with users 1, 2 and 3 in it (seqs 1 to 3).
    pub fn new() -> Self {
        let limits = Limits {
            fill_entries_max: 4,
            ring_entries_max: 3,
            ..Limits::default()
        };
        let limits = Limits {
            told: v1::Limits {
                resume_entries_max: 10,
                open_rooms_max: 2,
                ..limits.told
            },
            ..limits
        };
        let mut node = Node::with_lobby();
        node.commit(vec![super::join(2, 900), super::join(3, 901)]);
        Self {
            node,
            roster: Roster::new(limits),
            outs: Outs::default(),
            last_id: 10_000,
        }
    }

    /// Commits a post of user 1 and gives its entry, not handed to the roster yet.
    pub fn commit(&mut self) -> Arc<Entry> {
        self.last_id += 1;
        let draft = super::post(1, self.last_id, "안녕");
        self.node.commit(vec![draft]).entries.remove(0)
    }

    /// Commits posts and hands them to the roster, which gives everybody a turn after each.
    pub fn post(&mut self, count: usize) {
        for _ in 0..count {
            self.post_later(1);
            self.turns();
        }
    }

    /// Commits posts and hands them to the roster. Nobody's turn comes yet.
    pub fn post_later(&mut self, count: usize) {
        for _ in 0..count {
            let entry = self.commit();
            self.roster.committed(&entry, &mut self.outs);
        }
    }

    /// Everybody's turn comes.
    pub fn turns(&mut self) {
        assert!(!self.roster.give_turns(usize::MAX, &mut self.outs));
    }

    /// A user leaves, and the roster is told and gives everybody a turn.
    pub fn leave(&mut self, who: u128) {
        self.leave_later(who);
        self.turns();
    }

    /// A user leaves, and the roster is told. Nobody's turn comes yet.
    pub fn leave_later(&mut self, who: u128) {
        self.last_id += 1;
        let draft = super::leave(who, self.last_id);
        let entry = self.node.commit(vec![draft]).entries.remove(0);
        self.roster.committed(&entry, &mut self.outs);
    }

    /// A user joins, and the roster is told. Nobody's turn comes yet.
    pub fn join_later(&mut self, who: u128) {
        self.last_id += 1;
        let draft = super::join(who, self.last_id);
        let entry = self.node.commit(vec![draft]).entries.remove(0);
        self.roster.committed(&entry, &mut self.outs);
    }

    /// Opens the lobby for a member, whose user has the same number, without answering the question to the store.
    pub fn ask(&mut self, member: u32, room: RoomRef, cursor: Option<Cursor>) {
        self.roster.open(
            member,
            1,
            user(u128::from(member)),
            room,
            cursor,
            &mut self.outs,
        );
    }

    pub fn open_by_id(&mut self, member: u32, cursor: Option<Cursor>) {
        let room = RoomRef::Id(self.node.lobby_id());
        self.ask(member, room, cursor);
        self.fill();
    }

    pub fn open_by_name(&mut self, member: u32, cursor: Option<Cursor>) {
        self.ask(member, lobby(), cursor);
        self.fill();
    }

    /// Answers the oldest question to the store.
    pub fn fill_one(&mut self) {
        let request = self.outs.fills.pop_front().expect("the store was asked");
        let facts = self.node.store.fill(&request);
        self.roster
            .fill_answered(request.member, request.request, Ok(facts), &mut self.outs);
    }

    /// Answers the oldest question with a refusal.
    pub fn fill_fails(&mut self, refusal: impl Into<Refusal>) {
        let request = self.outs.fills.pop_front().expect("the store was asked");
        self.roster.fill_answered(
            request.member,
            request.request,
            Err(refusal.into()),
            &mut self.outs,
        );
    }

    /// Answers all questions to the store.
    pub fn fill(&mut self) {
        while !self.outs.fills.is_empty() {
            self.fill_one();
        }
    }

    pub fn close(&mut self, member: u32, room: RoomRef) {
        self.roster.close(member, 2, room, &mut self.outs);
    }

    pub fn drained(&mut self, member: u32) {
        self.roster.drained(member, &mut self.outs);
    }

    pub fn missed(&mut self) {
        self.roster.missed(&mut self.outs);
    }

    pub fn cursor(&self, seq: u64) -> Cursor {
        self.node.log()[seq as usize - 1].cursor()
    }

    /// Takes what a member was sent since the last time.
    pub fn sent(&mut self, member: u32) -> Vec<Sent> {
        self.outs.sent.remove(&member).unwrap_or_default()
    }

    /// The entries among it; a reply is left out.
    pub fn entries(&mut self, member: u32) -> Vec<u64> {
        let seq = |sent: &Sent| match sent {
            Sent::Entry(seq) => Some(*seq),
            _ => None,
        };
        self.sent(member).iter().filter_map(seq).collect()
    }
}

/// How an `Open` went.
pub fn continuity(sent: &[Sent]) -> v1::Continuity {
    let opened = sent.iter().find_map(|sent| match sent {
        Sent::Reply(Reply::Opened(opened)) => Some(opened.continuity()),
        _ => None,
    });
    opened.expect("there is an Opened")
}
