//! From the journal to the workers: of every commit one hand-over to each, with the entries for whoever has the rooms open there and
//! the answers for those who wait there. Together, so that one write carries both to an author.

use super::shared_entry::SharedEntry;
use crate::journal::Ticket;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use suda_engine::Entry;
use suda_engine::journal::Answer;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// One commit's entries, shared by all workers.
pub(super) type Batch = Arc<[SharedEntry]>;
pub(super) type Answers = Vec<Answer<Ticket>>;

/// What one commit means to one worker.
#[derive(Debug)]
pub(super) struct HandedOn {
    /// None where there were no entries, or no room for them.
    pub(super) batch: Option<Batch>,
    pub(super) answers: Answers,
}

/// The journal's ends.
#[derive(Debug)]
pub(crate) struct Outlets {
    all: Vec<Outlet>,
    /// Batches that may wait for one worker.
    batches_max: usize,
}

#[derive(Debug)]
struct Outlet {
    // Bounded by what it carries: batches by `batches_max`, answers by the drafts of connections, of which each has few in flight.
    commits: UnboundedSender<HandedOn>,
    batches_waiting: Arc<AtomicUsize>,
    missed: Arc<Notify>,
}

/// A worker's end.
#[derive(Debug)]
pub(crate) struct Inlet {
    pub(super) commits: Commits,
    /// Told when a batch found no room and was dropped: the store has it.
    pub(super) missed: Arc<Notify>,
}

/// The commits that wait for a worker.
#[derive(Debug)]
pub(super) struct Commits {
    waiting: UnboundedReceiver<HandedOn>,
    batches_waiting: Arc<AtomicUsize>,
}

impl Outlets {
    /// Ends for that many workers.
    pub(crate) fn new(workers: usize, batches_max: usize) -> (Self, Vec<Inlet>) {
        let (all, inlets) = (0..workers)
            .map(|_| {
                let (commits, waiting_commits) = unbounded_channel();
                let batches_waiting = Arc::<AtomicUsize>::default();
                let missed = Arc::new(Notify::new());
                let inlet = Inlet {
                    commits: Commits {
                        waiting: waiting_commits,
                        batches_waiting: Arc::clone(&batches_waiting),
                    },
                    missed: Arc::clone(&missed),
                };
                let outlet = Outlet {
                    commits,
                    batches_waiting,
                    missed,
                };
                (outlet, inlet)
            })
            .unzip();
        let batches_max = batches_max.max(1);
        (Self { all, batches_max }, inlets)
    }

    /// Hands a commit's entries to every worker, and each answer to the one that waits for it. A worker for which too many batches
    /// wait gets a mark instead of the entries; nobody is waited for.
    pub(crate) fn committed(&self, entries: Vec<Arc<Entry>>, answers: Answers) {
        let batch: Option<Batch> =
            (!entries.is_empty()).then(|| entries.into_iter().map(SharedEntry::new).collect());
        let mut by_worker: Vec<Answers> = self.all.iter().map(|_| Vec::new()).collect();
        for answer in answers {
            if let Ticket::Connection { worker, .. } = answer.ticket
                && let Some(answers) = by_worker.get_mut(worker)
            {
                answers.push(answer);
            }
        }
        for (outlet, answers) in self.all.iter().zip(by_worker) {
            outlet.hand_on(batch.clone(), answers, self.batches_max);
        }
    }
}

impl Outlet {
    fn hand_on(&self, mut batch: Option<Batch>, answers: Answers, batches_max: usize) {
        if batch.is_some() {
            // Only this side adds, so that there is room still when it is taken.
            if self.batches_waiting.load(Ordering::Relaxed) < batches_max {
                self.batches_waiting.fetch_add(1, Ordering::Relaxed);
            } else {
                batch = None;
                self.missed.notify_one();
            }
        }
        if batch.is_some() || !answers.is_empty() {
            // A worker that has ended has no connection left that could wait.
            let _ = self.commits.send(HandedOn { batch, answers });
        }
    }
}

impl Commits {
    /// The next one; none once the journal has ended. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<HandedOn> {
        let commit = self.waiting.recv().await;
        commit.inspect(|commit| self.taken(commit))
    }

    /// The next one, if it is there already.
    pub(super) fn try_next(&mut self) -> Option<HandedOn> {
        let commit = self.waiting.try_recv().ok();
        commit.inspect(|commit| self.taken(commit))
    }

    fn taken(&self, commit: &HandedOn) {
        if commit.batch.is_some() {
            self.batches_waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use suda_engine::{Cursor, EntryId};
    use suda_protocol::v1::entry::What;
    use suda_protocol::v1::{self, MemberJoined};
    use uuid::Uuid;

    fn entry(seq: u64) -> Vec<Arc<Entry>> {
        let place = Cursor {
            seq,
            id: EntryId(Uuid::nil()),
        };
        let joined = What::MemberJoined(MemberJoined {});
        vec![Arc::new(Entry::new(
            Uuid::nil().into(),
            place,
            Uuid::nil().into(),
            "하늘",
            0,
            joined,
        ))]
    }

    fn answer(worker: usize, id: u64) -> Answers {
        let ticket = Ticket::Connection {
            worker,
            connection: 7,
        };
        let reply = v1::Reply { id, result: None };
        vec![Answer { ticket, reply }]
    }

    #[tokio::test]
    async fn a_worker_with_too_many_batches_gets_a_mark_and_the_others_their_batch() {
        let (outlets, mut inlets) = Outlets::new(2, 1);
        outlets.committed(entry(1), Vec::new());
        assert!(inlets[0].commits.try_next().unwrap().batch.is_some());
        outlets.committed(entry(2), Vec::new());
        assert!(inlets[0].commits.try_next().unwrap().batch.is_some());
        // The second worker has not taken the first batch yet.
        inlets[1].missed.notified().await;
        assert!(inlets[1].commits.next().await.unwrap().batch.is_some());
        assert!(inlets[1].commits.try_next().is_none());
        // Now there is room again.
        outlets.committed(entry(3), Vec::new());
        assert!(inlets[1].commits.try_next().unwrap().batch.is_some());
    }

    #[test]
    fn an_answer_goes_to_the_worker_that_waits_and_is_never_dropped() {
        let (outlets, mut inlets) = Outlets::new(2, 1);
        for id in 0..3 {
            outlets.committed(entry(id + 1), answer(1, id));
        }
        let answered = |commit: HandedOn| -> Vec<u64> {
            let ids = commit.answers.iter().map(|answer| answer.reply.id);
            ids.collect()
        };
        assert!(answered(inlets[0].commits.try_next().unwrap()).is_empty());
        assert!(inlets[0].commits.try_next().is_none());
        for id in 0..3 {
            let commit = inlets[1].commits.try_next().unwrap();
            // The batches after the first found no room, their answers did.
            assert_eq!(commit.batch.is_some(), id == 0);
            assert_eq!(answered(commit), [id]);
        }
    }

    #[test]
    fn what_concerns_a_worker_comes_to_it_at_once() {
        let (outlets, mut inlets) = Outlets::new(1, 1);
        outlets.committed(entry(1), answer(0, 5));
        let commit = inlets[0].commits.try_next().unwrap();
        assert!(commit.batch.is_some() && commit.answers.len() == 1);
        // A refusal has no entries beside it.
        outlets.committed(Vec::new(), answer(0, 6));
        assert!(inlets[0].commits.try_next().unwrap().batch.is_none());
        outlets.committed(Vec::new(), Vec::new());
        assert!(inlets[0].commits.try_next().is_none());
    }
}
