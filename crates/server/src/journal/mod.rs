//! The journal's thread: the only writer. It takes what is waiting, commits once, then answers and hands on.
//!
//! What a draft leads to is decided by the engine's journal; here are the queue, the transaction and the thread.
//! Changes of accounts go the same road, so that they share the commit.

mod account_work;
mod batch;
mod checkpoints;
mod commit;
mod thread;
mod ticket;

pub(crate) use account_work::{NewDevice, NewUser};
pub(crate) use thread::{Start, start};
pub(crate) use ticket::Ticket;

use crate::store::accounts::TokenHash;
use account_work::AccountWork;
use batch::Work;
use std::sync::mpsc::{SyncSender, TrySendError};
use suda_engine::Draft;
use suda_protocol::v1::{self, ErrorCode};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Where the writer's thread sends an answer to somebody who waits for it.
type Answer<T> = oneshot::Sender<Result<T, v1::Error>>;

/// The way to the journal. No call waits for room in its queue.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    queue: SyncSender<Work>,
}

impl Journal {
    /// Hands over a draft. The answer comes to the ticket's worker, after the commit.
    ///
    /// # Errors
    ///
    /// `BUSY` where the queue is full, `UNAVAILABLE` where the journal has stopped. Nothing was or will be done then.
    pub(crate) fn submit(&self, ticket: Ticket, draft: Draft) -> Result<(), ErrorCode> {
        self.offer(Work::Draft(ticket, draft))
    }

    /// Adds a user, with a first device. The first administrator gets a room besides: the lobby.
    pub(crate) async fn sign_up(&self, new: NewUser) -> Result<(), v1::Error> {
        self.ask(|answer| Work::Account(AccountWork::AddUser(new, answer)))
            .await
    }

    /// Adds a device.
    pub(crate) async fn sign_in(&self, new: NewDevice) -> Result<(), v1::Error> {
        self.ask(|answer| Work::Account(AccountWork::AddDevice(new, answer)))
            .await
    }

    /// Removes the token's device and gives its id; none where there is no such token.
    pub(crate) async fn sign_out(&self, token: TokenHash) -> Result<Option<Uuid>, v1::Error> {
        self.ask(|answer| Work::Account(AccountWork::RemoveDevice(token, answer)))
            .await
    }

    /// Comes back once the thread has worked off what was before this in its queue.
    pub(crate) async fn health(&self) -> Result<(), v1::Error> {
        self.ask(Work::Health).await
    }

    /// Has the thread finish what is before this in its queue, and end. Waits for room in the queue.
    pub(crate) fn stop(&self) {
        // It has ended already where nobody receives.
        let _ = self.queue.send(Work::Stop);
    }

    async fn ask<T>(&self, work: impl FnOnce(Answer<T>) -> Work) -> Result<T, v1::Error> {
        let (answer, answered) = oneshot::channel();
        self.offer(work(answer))?;
        answered
            .await
            .unwrap_or_else(|_| Err(ErrorCode::Unavailable.into()))
    }

    fn offer(&self, work: Work) -> Result<(), ErrorCode> {
        self.queue.try_send(work).map_err(|error| match error {
            TrySendError::Full(_) => ErrorCode::Busy,
            TrySendError::Disconnected(_) => ErrorCode::Unavailable,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;
    use suda_engine::Intent;

    fn draft() -> Draft {
        Draft {
            command_id: 1,
            author: Uuid::nil().into(),
            author_name: "하늘".to_owned(),
            client_id: Uuid::nil().into(),
            intent: Intent::CreateRoom {
                name: "수다방".to_owned(),
            },
            objection: None,
        }
    }

    #[tokio::test]
    async fn a_full_queue_says_busy_at_once_and_an_ended_journal_says_so() {
        let (queue, waiting) = sync_channel(1);
        let journal = Journal { queue };
        assert_eq!(journal.submit(Ticket::Nobody, draft()), Ok(()));
        assert_eq!(
            journal.submit(Ticket::Nobody, draft()),
            Err(ErrorCode::Busy)
        );
        assert_eq!(journal.health().await.unwrap_err().code(), ErrorCode::Busy);
        drop(waiting);
        assert_eq!(
            journal.submit(Ticket::Nobody, draft()),
            Err(ErrorCode::Unavailable)
        );
    }
}
