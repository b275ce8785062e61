//! A room as one worker holds it: its streams and its most recent entries.

use std::collections::VecDeque;
use std::hash::Hash;

use super::stream::Streams;
use crate::{Cursor, Sequenced};

#[derive(Debug)]
pub(super) struct HeldRoom<M, E> {
    /// What its name is compared by; empty until the store has named it.
    pub(super) name_key: String,
    /// The newest entry that came through the batches.
    pub(super) top: Option<Cursor>,
    pub(super) streams: Streams<M>,
    /// Openings under way that rely on batches being noted here.
    pub(super) openings: usize,
    /// The newest entries, without a hole, ending at `top`.
    ring: VecDeque<E>,
}

impl<M: Copy + Eq + Hash, E: Sequenced> HeldRoom<M, E> {
    pub(super) fn new() -> Self {
        Self {
            name_key: String::new(),
            top: None,
            streams: Streams::new(),
            openings: 0,
            ring: VecDeque::new(),
        }
    }

    /// Keeps a committed entry. Before a hole nothing is kept, and what comes a second time is kept once.
    pub(super) fn note(&mut self, entry: &E, ring_entries_max: usize) {
        let cursor = entry.cursor();
        if let Some(top) = self.top {
            if cursor.seq <= top.seq {
                return;
            }
            if cursor.seq > top.seq + 1 {
                self.ring.clear();
            }
        }
        self.top = Some(cursor);
        self.ring.push_back(entry.clone());
        while self.ring.len() > ring_entries_max {
            self.ring.pop_front();
        }
    }

    /// The kept entry with this seq.
    pub(super) fn recent(&self, seq: u64) -> Option<&E> {
        let first = self.ring.front()?.cursor().seq;
        self.ring
            .get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    /// What is kept may not be followed by the next batch.
    pub(super) fn forget_ring(&mut self) {
        self.ring.clear();
    }

    pub(super) fn ring_len(&self) -> usize {
        self.ring.len()
    }

    pub(super) fn is_unheld(&self) -> bool {
        self.openings == 0 && self.streams.is_empty()
    }
}
