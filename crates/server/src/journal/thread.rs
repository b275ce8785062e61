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

/// About how much goes into the write-ahead log before it is moved into the database. Moving takes a few milliseconds, in
/// which nothing is committed; more of it at once would take longer, less of it would write the same pages more often.
const CHECKPOINT_BYTES: usize = 4 * 1024 * 1024;

/// The process ends with this status (EX_SOFTWARE) where the journal's thread panics.
const EXIT_JOURNAL_FAILED: i32 = 70;

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

/// Ends the process if the journal panics. Without its only writer a server could answer nothing and would look alive; a
/// restart goes on from what is on disk.
struct EndWithJournal;

impl Drop for EndWithJournal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(
                "the journal has failed; stopping now. Start suda again and report this"
            );
            std::process::exit(EXIT_JOURNAL_FAILED);
        }
    }
}

fn run(mut start: Start, waiting: &Receiver<Work>) {
    let _end = EndWithJournal;
    let mut journal = suda_engine::Journal::<Ticket>::new();
    let mut bytes_since_checkpoint = 0;
    loop {
        let mut batch = Batch::take(waiting, start.batch_max);
        let health = std::mem::take(&mut batch.health);
        let last = batch.last;
        if batch.writes() {
            let Outcome {
                answers,
                entries,
                written_bytes,
            } = commit(&mut start.writer, &mut journal, batch);
            bytes_since_checkpoint += written_bytes;
            start.outlets.committed(entries, answers);
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
        if bytes_since_checkpoint >= CHECKPOINT_BYTES {
            bytes_since_checkpoint = 0;
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
