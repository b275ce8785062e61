//! When, and on which thread, the write-ahead log is moved into the database.
//!
//! Moving 16 MiB takes some ten milliseconds, in which the journal's thread would commit nothing. So a thread of its own does it, over a
//! connection of its own, while commits go on. It cannot finish: the log goes on growing, and begins anew only once all of it was moved.
//! The little that came meanwhile is moved by the journal's thread, between two commits.

use crate::error::StartError;
use crate::store::{Moved, move_log};
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

/// Pages in the log from which on it is moved: 16 MiB. To move it earlier would write the same pages of the database more often.
const MOVE_PAGES: usize = 4 * 1024;
/// Pages that the journal's thread moves by itself, so that the log can begin anew: 2 MiB, a few milliseconds. Where more came while the
/// other thread was moving, that one goes once more.
const REST_PAGES_MAX: usize = 512;
/// Pages in the log at which the journal's thread commits no more until all of them are moved: 32 MiB.
const LOG_PAGES_MAX: usize = 8 * 1024;

/// The journal's view of the log.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// Pages in the log, as SQLite says after each commit.
    pages: Arc<AtomicUsize>,
    mover: Mover,
    /// From so many pages on the other thread is asked.
    ask_at: usize,
    /// From so many on the log is moved here.
    here_at: usize,
}

/// The thread that moves, and the ways to it and back.
#[derive(Debug)]
struct Mover {
    requests: Sender<()>,
    results: Receiver<Option<Moved>>,
    thread: JoinHandle<()>,
    /// It was asked, and has not answered yet.
    busy: bool,
}

impl Checkpoints {
    /// Watches the writer's log, and starts a thread that works on another connection to the same database.
    pub(super) fn start(writer: &mut Connection, other: Connection) -> Result<Self, StartError> {
        Ok(Self {
            pages: count_pages(writer),
            mover: Mover::start(other)?,
            ask_at: MOVE_PAGES,
            here_at: LOG_PAGES_MAX,
        })
    }

    /// What is to be done between two commits. Waits for the other thread only where the log has become too long.
    pub(super) fn between_commits(&mut self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < MOVE_PAGES {
            // It has begun anew.
            self.ask_at = MOVE_PAGES;
            self.here_at = LOG_PAGES_MAX;
        }
        let too_long = pages >= self.here_at;
        if self.mover.busy {
            let answer = if too_long {
                Some(self.mover.wait())
            } else {
                self.mover.answer()
            };
            match answer {
                None => return,
                Some(Some(moved)) if moved.is_all() => {
                    match pages.saturating_sub(moved.pages) {
                        // All is moved: the next commit begins anew, or has done so already.
                        0 => self.ask_at = pages + MOVE_PAGES,
                        rest if too_long || rest <= REST_PAGES_MAX => self.move_here(writer, pages),
                        _ => self.mover.ask(),
                    }
                    return;
                }
                // Where a reader holds on to it, or the disk refused, the log goes on growing. The next attempt comes after as much again.
                Some(_) => self.ask_at = pages + MOVE_PAGES,
            }
        }
        if too_long {
            self.move_here(writer, pages);
        } else if pages >= self.ask_at {
            self.mover.ask();
        }
    }

    fn move_here(&mut self, writer: &Connection, pages: usize) {
        move_log(writer, "PASSIVE");
        self.ask_at = pages + MOVE_PAGES;
        self.here_at = pages + LOG_PAGES_MAX;
    }

    /// After the last commit: all of the log, and its file is empty then.
    pub(super) fn finish(self, writer: &Connection) {
        self.mover.stop();
        move_log(writer, "TRUNCATE");
    }
}

impl Mover {
    fn start(connection: Connection) -> Result<Self, StartError> {
        let (requests, asked) = channel::<()>();
        let (answers, results) = channel();
        let thread = std::thread::Builder::new()
            .name("suda-checkpoint".to_owned())
            .spawn(move || {
                while asked.recv().is_ok() {
                    if answers.send(move_log(&connection, "PASSIVE")).is_err() {
                        return;
                    }
                }
            })
            .map_err(|source| StartError::System {
                what: "a thread",
                source,
            })?;
        Ok(Self {
            requests,
            results,
            thread,
            busy: false,
        })
    }

    fn ask(&mut self) {
        // Where the thread has ended it cannot be asked, and the journal's thread moves a log that has become too long.
        self.busy = self.requests.send(()).is_ok();
    }

    /// What became of the request, if that is known already: none where nothing could be moved.
    fn answer(&mut self) -> Option<Option<Moved>> {
        let answer = match self.results.try_recv() {
            Ok(moved) => moved,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => None,
        };
        self.busy = false;
        Some(answer)
    }

    /// The same, once it is known.
    fn wait(&mut self) -> Option<Moved> {
        self.busy = false;
        self.results.recv().ok().flatten()
    }

    fn stop(self) {
        drop(self.requests);
        if self.thread.join().is_err() {
            tracing::error!("the thread that moves the write-ahead log ended badly");
        }
    }
}

/// How many pages the log holds, as SQLite says after each commit.
fn count_pages(writer: &mut Connection) -> Arc<AtomicUsize> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{open, open_for_log};
    use std::path::{Path, PathBuf};

    const PAGE_BYTES: u64 = 4096;

    /// A database with a table for ballast, in a folder that the test removes.
    fn database() -> (PathBuf, Connection) {
        let folder = std::env::temp_dir().join(format!("suda-log-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let writer = open(&folder.join("suda.db"), None).unwrap();
        writer
            .execute_batch("CREATE TABLE ballast (bytes BLOB)")
            .unwrap();
        (folder, writer)
    }

    /// Commits 1 MiB, a hundred times. Gives the most bytes that the log's file had.
    fn write(writer: &Connection, checkpoints: &mut Checkpoints, folder: &Path) -> u64 {
        let mut bytes_max = 0;
        for _ in 0..100 {
            writer
                .execute("INSERT INTO ballast VALUES (zeroblob(1048576))", [])
                .unwrap();
            checkpoints.between_commits(writer);
            let log = std::fs::metadata(folder.join("suda.db-wal")).unwrap();
            bytes_max = bytes_max.max(log.len());
        }
        bytes_max
    }

    #[test]
    fn where_the_other_thread_moves_nothing_the_journal_goes_on_and_moves_it_itself() {
        let (folder, mut writer) = database();
        // A database without a log: each request comes to nothing.
        let other = Connection::open_in_memory().unwrap();
        let mut checkpoints = Checkpoints::start(&mut writer, other).unwrap();
        let bytes_max = write(&writer, &mut checkpoints, &folder);
        let limit = (LOG_PAGES_MAX + 2 * REST_PAGES_MAX) as u64 * PAGE_BYTES;
        assert!(bytes_max <= limit, "{bytes_max}");
        checkpoints.finish(&writer);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn after_the_end_all_is_in_the_database_and_the_log_is_empty() {
        let (folder, mut writer) = database();
        let other = open_for_log(&folder.join("suda.db")).unwrap();
        let mut checkpoints = Checkpoints::start(&mut writer, other).unwrap();
        write(&writer, &mut checkpoints, &folder);
        // Whether or not the other thread is at it.
        checkpoints.mover.ask();
        checkpoints.finish(&writer);
        let log = std::fs::metadata(folder.join("suda.db-wal")).unwrap();
        assert_eq!(log.len(), 0);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
