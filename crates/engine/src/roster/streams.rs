//! The streams of one room, and whose turn it is to get what they have not got.
//!
//! An entry is not offered to each of thousands when it is committed. It makes all of them *due*, which is one number, and each takes all that
//! it has not got when its turn comes. Turns go round in the order of the list, in which somebody moves when another leaves.

use std::collections::HashMap;
use std::hash::Hash;

use super::stream::Stream;

/// Found by member and walked in an order that depends on nothing but the calls made.
#[derive(Debug)]
pub(super) struct Streams<M> {
    list: Vec<Stream<M>>,
    at: HashMap<M, usize>,
    /// Whose turn is next.
    next: usize,
    /// So many from `next` on, around the end of the list, are due.
    due: usize,
    /// Turns that were given, but for those that streams have put off with their coming or going.
    turns: u64,
}

impl<M: Copy + Eq + Hash> Streams<M> {
    pub(super) fn new() -> Self {
        Self {
            list: Vec::new(),
            at: HashMap::new(),
            next: 0,
            due: 0,
            turns: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream<M>> {
        self.list.iter_mut()
    }

    pub(super) fn get(&self, member: M) -> Option<&Stream<M>> {
        self.list.get(*self.at.get(&member)?)
    }

    pub(super) fn get_mut(&mut self, member: M) -> Option<&mut Stream<M>> {
        self.list.get_mut(*self.at.get(&member)?)
    }

    /// Puts a stream in, in place of the member's old one if it has one. It may be due in vain.
    pub(super) fn insert(&mut self, stream: Stream<M>) {
        if let Some(old) = self.get_mut(stream.member) {
            *old = stream;
        } else {
            // Where those that are due go on at the front of the list, the end of the list lies among them.
            if self.next + self.due > self.list.len() {
                self.due += 1;
                self.turns = self.turns.wrapping_sub(1);
            }
            self.at.insert(stream.member, self.list.len());
            self.list.push(stream);
        }
    }

    pub(super) fn remove(&mut self, member: M) {
        let Some(mut hole) = self.at.remove(&member) else {
            return;
        };
        // Who is moved may come before others who waited longer: their turn comes one later than was said.
        if self.is_due() {
            self.turns = self.turns.wrapping_sub(1);
        }
        // The list is a row of parts, due and not in turn. The last of each part fills the hole, so that nobody changes parts.
        let around = (self.next + self.due).checked_sub(self.list.len());
        match around.filter(|around| *around > 0) {
            Some(around) => {
                self.due -= usize::from(hole < around || hole >= self.next);
                hole = self.fill(hole, around);
                let next = self.next;
                self.next -= usize::from(hole < next);
                hole = self.fill(hole, next);
            }
            None => {
                let (next, end) = (self.next, self.next + self.due);
                self.due -= usize::from(hole >= next && hole < end);
                self.next -= usize::from(hole < next);
                hole = self.fill(hole, next);
                hole = self.fill(hole, end);
            }
        }
        let end = self.list.len();
        self.fill(hole, end);
        self.list.pop();
        if self.next >= self.list.len() {
            self.next = 0;
        }
    }

    /// Moves a hole that lies before `end` to right before it.
    fn fill(&mut self, hole: usize, end: usize) -> usize {
        if hole >= end {
            return hole;
        }
        let last = end - 1;
        if hole < last {
            self.list.swap(hole, last);
            self.at.insert(self.list[hole].member, hole);
        }
        last
    }

    /// Makes all of them due, from the one whose turn is next. Gives after which turn all of them will have had theirs, at the latest.
    pub(super) fn make_due(&mut self) -> u64 {
        self.due = self.list.len();
        self.turns.wrapping_add(self.due as u64)
    }

    /// Whether somebody who is due may have been so since [`make_due`](Self::make_due) gave `all_had`.
    pub(super) fn is_due_since(&self, all_had: u64) -> bool {
        self.is_due() && all_had.wrapping_sub(self.turns).cast_signed() > 0
    }

    pub(super) fn is_due(&self) -> bool {
        self.due > 0
    }

    /// The next one that is due. Its turn is over with that.
    pub(super) fn take_due(&mut self) -> Option<&mut Stream<M>> {
        self.due = self.due.checked_sub(1)?;
        self.turns = self.turns.wrapping_add(1);
        let at = self.next;
        self.next = if at + 1 < self.list.len() { at + 1 } else { 0 };
        self.list.get_mut(at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::stream::State;
    use super::*;
    use crate::{Cursor, UserId};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[derive(Debug, Clone)]
    enum Move {
        Insert(u8),
        Remove(u8),
        MakeDue,
        Take(u8),
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let one = prop_oneof![
            6 => (0..20_u8).prop_map(Move::Insert),
            5 => (0..20_u8).prop_map(Move::Remove),
            1 => Just(Move::MakeDue),
            3 => (0..8_u8).prop_map(Move::Take),
        ];
        proptest::collection::vec(one, 0..120)
    }

    fn stream(member: u8) -> Stream<u8> {
        Stream {
            member,
            user: UserId(uuid::Uuid::nil()),
            last: Cursor::BEGINNING,
            state: State::Live,
        }
    }

    /// Whoever was there when all became due gets a turn, and no one twice.
    fn check(moves: Vec<Move>) -> Result<(), TestCaseError> {
        let mut streams = Streams::new();
        let mut members = BTreeSet::new();
        let mut due = BTreeSet::new();
        // They may be due though nothing became due since they came.
        let mut new = BTreeSet::new();
        // When all became due, and who of them has not had a turn since.
        let mut since: Vec<(u64, BTreeSet<u8>)> = Vec::new();
        for step in moves {
            match step {
                Move::Insert(member) => {
                    streams.insert(stream(member));
                    if members.insert(member) {
                        new.insert(member);
                    }
                }
                Move::Remove(member) => {
                    streams.remove(member);
                    members.remove(&member);
                    due.remove(&member);
                    new.remove(&member);
                    since
                        .iter_mut()
                        .for_each(|(_, left)| left.retain(|one| *one != member));
                }
                Move::MakeDue => {
                    since.push((streams.make_due(), members.clone()));
                    due = members.clone();
                    new.clear();
                }
                Move::Take(count) => {
                    for _ in 0..count {
                        match streams.take_due().map(|stream| stream.member) {
                            Some(member) => {
                                prop_assert!(due.remove(&member) || new.remove(&member));
                                since
                                    .iter_mut()
                                    .for_each(|(_, left)| left.retain(|one| *one != member));
                            }
                            None => prop_assert!(due.is_empty()),
                        }
                    }
                }
            }
            prop_assert_eq!(streams.is_empty(), members.is_empty());
            for member in 0..20 {
                let found = streams.get(member).map(|stream| stream.member);
                prop_assert_eq!(found, members.contains(&member).then_some(member));
            }
            prop_assert!(streams.is_due() || due.is_empty());
            for (all_had, left) in &since {
                prop_assert!(streams.is_due_since(*all_had) || left.is_empty());
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn whoever_was_there_when_all_became_due_gets_a_turn_and_no_one_twice(moves in moves()) {
            check(moves)?;
        }
    }

    #[test]
    fn who_waited_longer_than_one_that_moves_up_is_still_waited_for() {
        let inserted = [0, 5, 4, 6, 1, 2].map(Move::Insert);
        let then = [
            Move::MakeDue,
            Move::Insert(3),
            Move::MakeDue,
            Move::Take(2),
            Move::Remove(5),
            Move::Take(4),
        ];
        check(inserted.into_iter().chain(then).collect()).unwrap();
    }
}
