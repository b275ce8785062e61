//! From the journal to the workers: every committed batch to each, every answer to the one that waits for it.

use super::shared_entry::SharedEntry;
use crate::journal::Ticket;
use std::sync::Arc;
use suda_engine::Entry;
use suda_engine::journal::Answer;
use tokio::sync::Notify;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{
    Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel,
};

/// One commit's entries, shared by all workers.
pub(super) type Batch = Arc<[SharedEntry]>;
pub(super) type Answers = Vec<Answer<Ticket>>;

/// The journal's ends.
#[derive(Debug)]
pub(crate) struct Outlets(Vec<Outlet>);

#[derive(Debug)]
struct Outlet {
    batches: Sender<Batch>,
    // Not bounded by itself, but by what it answers: drafts of connections, of which each has few in flight.
    answers: UnboundedSender<Answers>,
    missed: Arc<Notify>,
}

/// A worker's end.
#[derive(Debug)]
pub(crate) struct Inlet {
    pub(super) batches: Receiver<Batch>,
    pub(super) answers: UnboundedReceiver<Answers>,
    /// Told when a batch found the queue full and was dropped: the store has it.
    pub(super) missed: Arc<Notify>,
}

impl Outlets {
    /// Ends for that many workers.
    pub(crate) fn new(workers: usize, queue_max: usize) -> (Self, Vec<Inlet>) {
        let (outlets, inlets) = (0..workers)
            .map(|_| {
                let (batches, waiting_batches) = channel(queue_max.max(1));
                let (answers, waiting_answers) = unbounded_channel();
                let missed = Arc::new(Notify::new());
                let inlet = Inlet {
                    batches: waiting_batches,
                    answers: waiting_answers,
                    missed: Arc::clone(&missed),
                };
                (
                    Outlet {
                        batches,
                        answers,
                        missed,
                    },
                    inlet,
                )
            })
            .unzip();
        (Self(outlets), inlets)
    }

    /// Hands a batch to every worker. One whose queue is full gets a mark instead; nobody is waited for.
    pub(crate) fn committed(&self, entries: Vec<Arc<Entry>>) {
        if entries.is_empty() {
            return;
        }
        let batch: Batch = entries.into_iter().map(SharedEntry::new).collect();
        for outlet in &self.0 {
            if let Err(TrySendError::Full(_)) = outlet.batches.try_send(Arc::clone(&batch)) {
                outlet.missed.notify_one();
            }
        }
    }

    /// Hands each answer to the worker that waits for it.
    pub(crate) fn answers(&self, answers: Answers) {
        let mut by_worker: Vec<Answers> = self.0.iter().map(|_| Vec::new()).collect();
        for answer in answers {
            if let Ticket::Connection { worker, .. } = answer.ticket
                && let Some(answers) = by_worker.get_mut(worker)
            {
                answers.push(answer);
            }
        }
        for (outlet, answers) in self.0.iter().zip(by_worker) {
            if !answers.is_empty() {
                // A worker that has ended has no connection left that could wait.
                let _ = outlet.answers.send(answers);
            }
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

    #[tokio::test]
    async fn a_worker_with_a_full_queue_gets_a_mark_and_the_others_their_batch() {
        let (outlets, mut inlets) = Outlets::new(2, 1);
        outlets.committed(entry(1));
        assert!(inlets[0].batches.try_recv().is_ok());
        outlets.committed(entry(2));
        assert!(inlets[0].batches.try_recv().is_ok());
        // The second worker has not taken the first batch yet.
        inlets[1].missed.notified().await;
        assert!(inlets[1].batches.try_recv().is_ok());
        assert!(inlets[1].batches.try_recv().is_err());
    }

    #[test]
    fn an_answer_goes_to_the_worker_that_waits_and_is_never_dropped() {
        let (outlets, mut inlets) = Outlets::new(2, 1);
        for id in 0..3 {
            let ticket = Ticket::Connection {
                worker: 1,
                connection: 7,
            };
            let reply = v1::Reply { id, result: None };
            outlets.answers(vec![Answer { ticket, reply }]);
        }
        assert!(inlets[0].answers.try_recv().is_err());
        for id in 0..3 {
            let answers = inlets[1].answers.try_recv().unwrap();
            assert_eq!(answers[0].reply.id, id);
        }
    }
}
