//! The simulated server's journal thread: the real journal over the simulated disk.

use suda_engine::memory::MemoryStore;
use suda_engine::{Draft, Plan, Refusal};
use suda_protocol::v1::reply::Result as Reply;
use suda_protocol::{ErrorCode, v1};

use crate::checker::Checker;
use crate::mutant;
use crate::stats::Mark;
use crate::timeline::{ConnId, Happening};
use crate::world::World;

/// Drafts that wait for the journal; over that the author is told that the server is busy.
const QUEUE_DRAFTS_MAX: usize = 6;

/// Drafts in one batch.
const BATCH_DRAFTS_MAX: usize = 5;

/// What the disk does with a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Durable,
    RolledBack(ErrorCode),
    /// The disk does not say what became of it.
    Unknown {
        durable: bool,
    },
}

impl World {
    pub(crate) fn submit(&mut self, conn: ConnId, draft: Draft) {
        let Some(node) = &mut self.node else { return };
        if draft
            .objection
            .is_some_and(|refusal| refusal.code == ErrorCode::RateLimited)
        {
            self.stats.mark(Mark::RateLimited);
        }
        if node.stopping || node.queue.len() >= QUEUE_DRAFTS_MAX {
            self.stats.mark(Mark::QueueFull);
            return self.answer(conn, Refusal::new(ErrorCode::Busy).reply(draft.command_id));
        }
        node.queue.push_back((conn, draft));
        self.begin_commit();
    }

    /// Plans the next batch, unless one is under way.
    pub(crate) fn begin_commit(&mut self) {
        let boot = self.boot;
        let wall = self.now() + self.wall_offset;
        let Some(node) = self
            .node
            .as_mut()
            .filter(|node| node.committing.is_none() && !node.queue.is_empty())
        else {
            return;
        };
        let count = node.queue.len().min(BATCH_DRAFTS_MAX);
        let batch: Vec<(ConnId, Draft)> = node.queue.drain(..count).collect();
        let facts = self.store.facts(&node.journal.lookup(&batch));
        if !facts.unsettled.is_empty() {
            self.stats.mark(Mark::SettledUnknown);
        }
        let faulty = self.chaos && self.faults;
        let rng = &mut self.rng;
        let plan = node.journal.plan(wall, batch, facts, &mut || rng.uuid());
        let fate = match rng.between(0, 99) {
            0..=3 if faulty => Fate::RolledBack(ErrorCode::Unavailable),
            4 if faulty => Fate::RolledBack(ErrorCode::StorageFull),
            5..=8 if faulty => Fate::Unknown {
                durable: rng.chance(50),
            },
            _ => Fate::Durable,
        };
        let ms = if rng.chance(97) {
            rng.between(1, 12)
        } else {
            rng.between(50, 400)
        };
        let early = if mutant!("publish-before-commit") {
            plan.entries().to_vec()
        } else {
            Vec::new()
        };
        node.committing = Some((plan, fate));
        self.hand_on(early);
        self.timeline.after(ms, Happening::Commit { boot });
    }

    pub(crate) fn commit(&mut self) {
        let Some(node) = &mut self.node else { return };
        let Some((plan, fate)) = node.committing.take() else {
            return;
        };
        let entries = plan.entries().len();
        self.trace.line(self.timeline.now(), || {
            format!("commit of {entries} entries: {fate:?}")
        });
        let answers = match fate {
            Fate::Durable => {
                write(&mut self.store, &plan, &mut self.checker);
                self.stats.entries += entries as u64;
                let committed = node.journal.committed(plan);
                self.hand_on(committed.entries);
                committed.answers
            }
            Fate::RolledBack(code) => {
                self.stats.mark(Mark::CommitRolledBack);
                node.journal.rolled_back(plan, Refusal::new(code))
            }
            Fate::Unknown { durable } => {
                self.stats.mark(if durable {
                    Mark::CommitUnknownKept
                } else {
                    Mark::CommitUnknownLost
                });
                if durable {
                    write(&mut self.store, &plan, &mut self.checker);
                    self.stats.entries += entries as u64;
                }
                for draft in node.journal.unknown(plan).into_iter().rev() {
                    node.queue.push_front(draft);
                }
                Vec::new()
            }
        };
        for answer in answers {
            match &answer.reply.result {
                Some(Reply::Posted(v1::Posted {
                    duplicate: true, ..
                })) => self.stats.mark(Mark::Duplicate),
                Some(Reply::Error(error)) if !error.retryable => self.stats.mark(Mark::Refused),
                _ => {}
            }
            self.answer(answer.ticket, answer.reply);
        }
        self.begin_commit();
        self.stop_if_idle();
    }
}

/// A commit becomes durable.
pub(crate) fn write(store: &mut MemoryStore, plan: &Plan<ConnId>, checker: &mut Checker) {
    store.write(plan);
    checker.durable(plan.entries(), store);
}
