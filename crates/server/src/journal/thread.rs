//! The thread itself: take, commit, hand on, see to the write-ahead log.

use super::batch::{Batch, Work};
use super::checkpoints::Checkpoints;
use super::commit::{Outcome, commit};
use super::{Journal, Ticket};
use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::worker::Outlets;
use rusqlite::Connection;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

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

/// Starts the thread, and with it one that moves the write-ahead log over a connection of its own. It ends after [`Journal::stop`], or once
/// the last handle is gone; the other one before it.
pub(crate) fn start(
    mut start: Start,
    log_mover: Connection,
) -> Result<(Journal, JoinHandle<()>), StartError> {
    let file = start.data_dir.database_file();
    let checkpoints = Checkpoints::start(&mut start.writer, log_mover, file)?;
    let (queue, waiting) = sync_channel(start.queue_max.max(1));
    let handle = std::thread::Builder::new()
        .name("suda-journal".to_owned())
        .spawn(move || run(start, checkpoints, &waiting))
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

fn run(mut start: Start, mut checkpoints: Checkpoints, waiting: &Receiver<Work>) {
    let _end = EndWithJournal;
    let mut journal = suda_engine::Journal::<Ticket>::new();
    loop {
        let mut batch = Batch::take(waiting, start.batch_max);
        let health = std::mem::take(&mut batch.health);
        let last = batch.last;
        if batch.writes() {
            let Outcome { answers, entries } = commit(&mut start.writer, &mut journal, batch);
            start.outlets.committed(entries, answers);
        }
        for answer in health {
            // A prober that has gone away needs no answer.
            let _ = answer.send(Ok(()));
        }
        if last {
            checkpoints.finish(&start.writer);
            // The database is closed before the folder is free for others.
            drop(start.writer);
            drop(start.data_dir);
            return;
        }
        checkpoints.between_commits(&start.writer);
    }
}
