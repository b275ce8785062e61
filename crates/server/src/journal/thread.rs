//! The thread itself: take, commit, hand on, now and then checkpoint.

use super::batch::{Batch, Work};
use super::commit::{Outcome, commit};
use super::{Journal, Ticket};
use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::store::end_if_unsafe;
use crate::worker::Outlets;
use rusqlite::Connection;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// Entries and account changes after which the write-ahead log is moved into the database: keeps that log near 4 MiB.
const CHECKPOINT_ROWS: usize = 4_000;

/// A journal that is about to start.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) writer: Connection,
    /// Held until the last commit is done, so that no other server writes before.
    pub(crate) data_dir: DataDir,
    pub(crate) queue_max: usize,
    pub(crate) batch_max: usize,
    pub(crate) outlets: Outlets,
}

/// Starts the thread. It ends after [`Journal::stop`], or once the last handle is gone.
pub(crate) fn start(start: Start) -> Result<(Journal, JoinHandle<()>), StartError> {
    let (queue, waiting) = sync_channel(start.queue_max.max(1));
    let handle = std::thread::Builder::new()
        .name("suda-journal".to_owned())
        .spawn(move || run(start, &waiting))
        .map_err(|source| StartError::System {
            what: "a thread",
            source,
        })?;
    Ok((Journal { queue }, handle))
}

fn run(mut start: Start, waiting: &Receiver<Work>) {
    let mut journal = suda_engine::Journal::<Ticket>::new();
    let mut rows_since_checkpoint = 0;
    loop {
        let mut batch = Batch::take(waiting, start.batch_max);
        let health = std::mem::take(&mut batch.health);
        let last = batch.last;
        if batch.writes() {
            rows_since_checkpoint += batch.drafts.len() + batch.accounts.len();
            let Outcome { answers, entries } = commit(&mut start.writer, &mut journal, batch);
            // Entries first: whoever reads an answer can then find what it speaks of in the stream behind it.
            start.outlets.committed(entries);
            start.outlets.answers(answers);
        }
        for answer in health {
            // A prober that has gone away needs no answer.
            let _ = answer.send(Ok(()));
        }
        if last {
            checkpoint(&start.writer, "TRUNCATE");
            // The database is closed before the folder is free for others.
            drop(start.writer);
            drop(start.data_dir);
            return;
        }
        if rows_since_checkpoint >= CHECKPOINT_ROWS {
            rows_since_checkpoint = 0;
            checkpoint(&start.writer, "PASSIVE");
        }
    }
}

fn checkpoint(writer: &Connection, mode: &str) {
    let done = writer.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
    if let Err(error) = done {
        end_if_unsafe(&error);
        // Everything is in the write-ahead log still; the next checkpoint tries again.
        tracing::warn!(%error, "the write-ahead log could not be moved into the database");
    }
}
