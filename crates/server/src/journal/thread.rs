//! The thread itself: take, commit, hand on, now and then checkpoint.

use super::batch::{Batch, Work};
use super::commit::{Outcome, commit};
use super::{Journal, Ticket};
use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::store::end_if_unsafe;
use crate::worker::Outlets;
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

/// Pages in the write-ahead log from which on it is moved into the database, after the commit that reached it: 16 MiB. Moving takes some
/// ten milliseconds, in which nothing is committed; more of it at once would take longer, less of it would write the same pages more often.
const CHECKPOINT_PAGES: usize = 4 * 1024;

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
    let wal_pages = count_wal_pages(&mut start.writer);
    let mut checkpoint_at = CHECKPOINT_PAGES;
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
            checkpoint(&start.writer, "TRUNCATE");
            // The database is closed before the folder is free for others.
            drop(start.writer);
            drop(start.data_dir);
            return;
        }
        let pages = wal_pages.load(Ordering::Relaxed);
        if pages >= checkpoint_at {
            checkpoint(&start.writer, "PASSIVE");
            // Where a reader holds on to it, the log goes on growing, and the next attempt comes after as much again.
            checkpoint_at = pages + CHECKPOINT_PAGES;
        } else if pages < CHECKPOINT_PAGES {
            // It has begun anew.
            checkpoint_at = CHECKPOINT_PAGES;
        }
    }
}

/// How many pages the write-ahead log holds, as SQLite says after each commit.
fn count_wal_pages(writer: &mut Connection) -> Arc<AtomicUsize> {
    let pages = Arc::<AtomicUsize>::default();
    let told = Arc::clone(&pages);
    let counting = writer.wal_hook(Some(move |_: &mut Wal, pages: c_int| {
        told.store(
            usize::try_from(pages).unwrap_or_default(),
            Ordering::Relaxed,
        );
        Ok(())
    }));
    if let Err(error) = counting {
        // The log would grow until the server stops; nothing that was said is lost by that.
        tracing::error!(%error, "the write-ahead log cannot be watched");
    }
    pages
}

fn checkpoint(writer: &Connection, mode: &str) {
    let done = writer.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
    if let Err(error) = done {
        end_if_unsafe(&error);
        // Everything is in the write-ahead log still; the next checkpoint tries again.
        tracing::warn!(%error, "the write-ahead log could not be moved into the database");
    }
}
