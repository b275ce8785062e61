//! Turns: members are offered what they have not got, some at a time, those who have waited longest first.

use std::hash::Hash;

use super::stream::{State, Step};
use super::{Outboxes, Roster};
use crate::{RoomId, Sequenced, mutant};

impl<M: Copy + Eq + Hash, E: Sequenced> Roster<M, E> {
    /// Goes to at most `turns_max` members of rooms and offers each all that was committed there since its last turn. Gives whether
    /// somebody's turn is still to come.
    ///
    /// The rooms in which somebody waits take turns, too, so that a small one does not wait for all members of a large one.
    pub fn give_turns(&mut self, turns_max: usize, out: &mut impl Outboxes<M, E>) -> bool {
        let mut left = turns_max;
        while left > 0
            && let Some(room) = self.due.pop_front()
        {
            left -= self.give_turns_in(room, left, out);
            match self.rooms.get_mut(&room) {
                Some(held) if held.streams.is_due() && !mutant!("forget-due-room") => {
                    self.due.push_back(room);
                }
                Some(held) => held.is_listed_due = false,
                None => {}
            }
        }
        self.has_due()
    }

    /// Whether somebody's turn may have to come.
    pub fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Offers a member at once what it would get with its next turn: to be called before anything that is to come behind it.
    pub fn give_turn(&mut self, member: M, out: &mut impl Outboxes<M, E>) {
        let rooms = |member: &super::Member| member.rooms.len();
        // From the last one on: where a stream ends, those behind it move up.
        for at in (0..self.members.get(&member).map_or(0, rooms)).rev() {
            let room = (self.members.get(&member)).and_then(|of_member| of_member.rooms.get(at));
            if let Some(room) = room.copied() {
                self.give_turn_in(member, room, out);
            }
        }
    }

    /// Gives how many had their turn.
    pub(super) fn give_turns_in(
        &mut self,
        room: RoomId,
        turns_max: usize,
        out: &mut impl Outboxes<M, E>,
    ) -> usize {
        let Some(held) = self.rooms.get_mut(&room) else {
            return 0;
        };
        let Some(top) = held.top else { return 0 };
        let (streams, ring) = held.parts();
        let mut turns = 0;
        let mut ended = Vec::new();
        // What is kept behind a place, and whether it removes somebody: found once for all members who stand there.
        let lies_behind = |place: u64| {
            let begin = ring.partition_point(|entry| entry.cursor().seq <= place);
            let behind = &ring[begin..];
            let removes = behind.iter().any(|entry| entry.removes().is_some());
            (place, behind, removes)
        };
        let mut known = lies_behind(top.seq);
        while (turns < turns_max || mutant!("skip-turn"))
            && let Some(stream) = streams.take_due()
        {
            // Only with that bug: one more was taken than may have its turn.
            if turns == turns_max {
                break;
            }
            turns += 1;
            let last = stream.last.seq;
            if !matches!(stream.state, State::Live) || last >= top.seq {
                continue;
            }
            if known.0 != last {
                known = lies_behind(last);
            }
            let (_, behind, removes) = known;
            let is_next = behind
                .first()
                .is_some_and(|entry| entry.cursor().seq == last + 1);
            if !is_next && !mutant!("skip-hole") {
                ended.push((stream.member, Step::Hole));
                continue;
            }
            let removed = |entry: &E| entry.removes() == Some(stream.user);
            if removes && behind.iter().any(removed) {
                ended.push((stream.member, Step::Removed));
                continue;
            }
            let taken = out.offer_all(stream.member, behind);
            if let Some(last) = behind.get(..taken).and_then(<[E]>::last) {
                stream.last = last.cursor();
            }
            if taken < behind.len() {
                if mutant!("live-despite-full-outbox") {
                    stream.last = top;
                } else {
                    ended.push((stream.member, Step::Full));
                }
            }
        }
        for (member, step) in ended {
            match step {
                Step::Hole => self.catch_up(member, room, out),
                Step::Full => self.lag(member, room, out),
                // Up to the entry that removes it.
                Step::Removed | Step::Taken | Step::Lower => self.give_turn_in(member, room, out),
            }
        }
        turns
    }

    /// As [`give_turn`](Self::give_turn), but of one room only: whatever else the member has open, it costs the same.
    pub fn give_turn_in(&mut self, member: M, room: RoomId, out: &mut impl Outboxes<M, E>) {
        loop {
            let Some(held) = self.rooms.get_mut(&room) else {
                return;
            };
            let Some(stream) = held.streams.get(member) else {
                return;
            };
            let last = stream.last.seq;
            if !matches!(stream.state, State::Live) || held.top.is_none_or(|top| top.seq <= last) {
                return;
            }
            let Some(entry) = held.recent(last + 1).cloned() else {
                return self.catch_up(member, room, out);
            };
            let Some(stream) = held.streams.get_mut(member) else {
                return;
            };
            match stream.step(&entry, out) {
                Step::Taken | Step::Lower | Step::Hole => {}
                Step::Full => return self.lag(member, room, out),
                Step::Removed => return self.removed(member, room, out),
            }
        }
    }
}
