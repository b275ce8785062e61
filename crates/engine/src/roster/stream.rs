//! One member's place in one room.

use std::collections::HashMap;
use std::hash::Hash;

use super::{Offered, Outboxes};
use crate::{Cursor, Sequenced, UserId, mutant};

#[derive(Debug)]
pub(super) struct Stream<M> {
    pub(super) member: M,
    pub(super) user: UserId,
    /// The last entry that was offered and taken.
    pub(super) last: Cursor,
    pub(super) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Has everything that this worker knows of; takes the next entry as it is committed.
    Live,
    /// The store was asked for what is missing.
    Filling {
        request: u64,
        /// Something may have been committed that neither the answer nor a batch will show: ask once more after it.
        again: bool,
    },
    /// Something is missing, and the outbox has no room for it.
    Stalled {
        /// Only the store knows how much is missing.
        again: bool,
    },
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Taken,
    /// The member had it already.
    Lower,
    /// Something before it is missing.
    Hole,
    Full,
    /// It was taken, or there was no room for it; either way it is the last that this member may see.
    Removed,
}

impl<M: Copy> Stream<M> {
    /// Offers the entry if it is the next one.
    pub(super) fn step<E: Sequenced>(&mut self, entry: &E, out: &mut impl Outboxes<M, E>) -> Step {
        if entry.cursor().seq <= self.last.seq {
            return Step::Lower;
        }
        let removed = entry.removes() == Some(self.user) && !mutant!("ignore-removal");
        match out.offer(self.member, entry) {
            Offered::Full if mutant!("live-despite-full-outbox") => self.last = entry.cursor(),
            Offered::Taken => self.last = entry.cursor(),
            Offered::Full if removed => return Step::Removed,
            Offered::Full => return Step::Full,
        }
        if removed { Step::Removed } else { Step::Taken }
    }
}

/// The streams of one room, found by member and walked in an order that depends on nothing but the calls made.
#[derive(Debug)]
pub(super) struct Streams<M> {
    list: Vec<Stream<M>>,
    at: HashMap<M, usize>,
}

impl<M: Copy + Eq + Hash> Streams<M> {
    pub(super) fn new() -> Self {
        Self {
            list: Vec::new(),
            at: HashMap::new(),
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

    /// Puts a stream in, in place of the member's old one if it has one.
    pub(super) fn insert(&mut self, stream: Stream<M>) {
        if let Some(old) = self.get_mut(stream.member) {
            *old = stream;
        } else {
            self.at.insert(stream.member, self.list.len());
            self.list.push(stream);
        }
    }

    pub(super) fn remove(&mut self, member: M) {
        let Some(at) = self.at.remove(&member) else {
            return;
        };
        self.list.swap_remove(at);
        if let Some(moved) = self.list.get(at) {
            self.at.insert(moved.member, at);
        }
    }
}
