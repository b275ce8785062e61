//! What waits for the journal, and the part of it that one commit takes.

use super::account_work::AccountWork;
use super::{Answer, Ticket};
use std::sync::mpsc::Receiver;
use suda_engine::Draft;

/// One thing that waits.
#[derive(Debug)]
pub(super) enum Work {
    Draft(Ticket, Draft),
    Account(AccountWork),
    Health(Answer<()>),
    Stop,
}

/// What one commit takes, in the order of arrival.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) drafts: Vec<(Ticket, Draft)>,
    pub(super) accounts: Vec<AccountWork>,
    pub(super) health: Vec<Answer<()>>,
    /// Whether nothing more is to be taken afterwards.
    pub(super) last: bool,
}

impl Batch {
    /// Waits for the first piece of work, then takes what is there already, up to `size_max`.
    pub(super) fn take(queue: &Receiver<Work>, size_max: usize) -> Self {
        let mut batch = Self::default();
        match queue.recv() {
            Ok(work) => batch.add(work),
            Err(_) => batch.last = true,
        }
        let mut size = 1;
        while !batch.last && size < size_max {
            let Ok(work) = queue.try_recv() else { break };
            batch.add(work);
            size += 1;
        }
        batch
    }

    pub(super) fn writes(&self) -> bool {
        !self.drafts.is_empty() || !self.accounts.is_empty()
    }

    fn add(&mut self, work: Work) {
        match work {
            Work::Draft(ticket, draft) => self.drafts.push((ticket, draft)),
            Work::Account(account) => self.accounts.push(account),
            Work::Health(answer) => self.health.push(answer),
            Work::Stop => self.last = true,
        }
    }
}
