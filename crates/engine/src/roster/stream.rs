//! One member's place in one room.

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
    /// Has everything that this worker knows of, but for what is recent and comes with its next turn.
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
