//! A room as one worker holds it: its streams and its most recent entries.

use std::collections::VecDeque;
use std::hash::Hash;

use super::streams::Streams;
use crate::{Cursor, Sequenced, mutant};

#[derive(Debug)]
pub(super) struct HeldRoom<M, E> {
    /// What its name is compared by; empty until the store has named it.
    pub(super) name_key: String,
    /// The newest entry that came through the batches.
    pub(super) top: Option<Cursor>,
    pub(super) streams: Streams<M>,
    /// The roster will come to give turns.
    pub(super) is_listed_due: bool,
    /// Openings under way that rely on batches being noted here.
    pub(super) openings: usize,
    /// The newest entries, without a hole, ending at `top`.
    ring: VecDeque<E>,
    /// For each of them, after which turn all streams had it.
    all_had: VecDeque<u64>,
}

impl<M: Copy + Eq + Hash, E: Sequenced> HeldRoom<M, E> {
    pub(super) fn new() -> Self {
        Self {
            name_key: String::new(),
            top: None,
            streams: Streams::new(),
            is_listed_due: false,
            openings: 0,
            ring: VecDeque::new(),
            all_had: VecDeque::new(),
        }
    }

    /// Keeps a committed entry and makes all streams due; gives whether it is a new one. Before a hole nothing is kept, and what comes a
    /// second time is kept once.
    pub(super) fn note(&mut self, entry: &E, ring_entries_max: usize) -> bool {
        let cursor = entry.cursor();
        if let Some(top) = self.top {
            if cursor.seq <= top.seq {
                return false;
            }
            if cursor.seq > top.seq + 1 {
                self.forget_ring();
            }
        }
        self.top = Some(cursor);
        self.ring.push_back(entry.clone());
        self.all_had.push_back(self.streams.make_due());
        while self.ring.len() > ring_entries_max {
            self.ring.pop_front();
            self.all_had.pop_front();
        }
        true
    }

    /// Whether the next entry to be kept takes the place of one that somebody waits for.
    pub(super) fn must_hurry(&self, ring_entries_max: usize) -> bool {
        let oldest = self.all_had.front();
        self.ring.len() >= ring_entries_max
            && oldest.is_some_and(|all_had| self.streams.is_due_since(*all_had))
    }

    /// The streams, and what is kept, in order.
    pub(super) fn parts(&mut self) -> (&mut Streams<M>, &[E]) {
        (&mut self.streams, self.ring.make_contiguous())
    }

    /// The kept entry with this seq.
    pub(super) fn recent(&self, seq: u64) -> Option<&E> {
        let first = self.ring.front()?.cursor().seq;
        self.ring
            .get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    /// The newest entry that a member may be told of: the top, or what removed the member, but nothing that came after that. Where not all
    /// is kept that it has not got, the removal may be among the rest: it is told of what it has.
    pub(super) fn top_for(&self, member: M) -> Option<Cursor> {
        let stream = self.streams.get(member)?;
        let last = stream.last;
        let is_kept = self.recent(last.seq + 1).is_some() || mutant!("tell-of-later-top");
        let Some(top) = self.top.filter(|top| top.seq > last.seq && is_kept) else {
            return Some(last);
        };
        let begin = self
            .ring
            .partition_point(|entry| entry.cursor().seq <= last.seq);
        let removal =
            (self.ring.iter().skip(begin)).find(|entry| entry.removes() == Some(stream.user));
        Some(removal.map_or(top, Sequenced::cursor))
    }

    /// What is kept may not be followed by the next batch.
    pub(super) fn forget_ring(&mut self) {
        self.ring.clear();
        self.all_had.clear();
    }

    pub(super) fn ring_len(&self) -> usize {
        self.ring.len()
    }

    pub(super) fn is_unheld(&self) -> bool {
        self.openings == 0 && self.streams.is_empty()
    }
}
