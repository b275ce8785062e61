//! When, and on which thread, the write-ahead log is moved into the database.
//!
//! Moving 16 MiB takes some ten milliseconds, in which the journal's thread would commit nothing. So a thread of its own does it, over a
//! connection of its own, while commits go on, and waits for the disk to have it, which SQLite would not do there. It cannot finish: the
//! log goes on growing, and begins anew only once all of it was moved, and nobody reads in it. The little that came meanwhile is moved by
//! the journal's thread, between two commits, and its fsync finds little more than that.

use crate::error::StartError;
use crate::store::{DatabaseFile, Moved, move_log};
use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

/// Pages in the log from which on it is moved: 16 MiB. To move it earlier would write the same pages of the database more often.
const MOVE_PAGES: usize = 4 * 1024;
/// Pages that the journal's thread moves by itself, so that the log can begin anew: 2 MiB. Where more came while the other thread was
/// moving, that one goes once more; and so it does after so many where somebody reads in the log, so that it could not begin anew.
const REST_PAGES_MAX: usize = 512;
/// Pages in the log at which the journal's thread commits no more until all of them are moved that can be: 32 MiB.
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
    pub(super) fn start(
        writer: &mut Connection,
        other: Connection,
        file: DatabaseFile,
    ) -> Result<Self, StartError> {
        Ok(Self {
            pages: count_pages(writer),
            mover: Mover::start(other, file)?,
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
                        0 => self.ask_at = pages + REST_PAGES_MAX,
                        rest if too_long || rest <= REST_PAGES_MAX => self.move_here(writer, pages),
                        _ => self.mover.ask(),
                    }
                    return;
                }
                // Where somebody reads in it the log goes on growing. Most are done soon.
                Some(Some(_)) => self.ask_at = pages + REST_PAGES_MAX,
                // Where the disk refused, the next attempt comes after as much again.
                Some(None) => self.ask_at = pages + MOVE_PAGES,
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
        // Where the next commit begins anew both are as at the start again. Where somebody reads, it does not, whether or not all was moved.
        self.ask_at = pages + REST_PAGES_MAX;
        self.here_at = (pages + MOVE_PAGES).max(LOG_PAGES_MAX);
    }

    /// After the last commit: all of the log, and its file is empty then.
    pub(super) fn finish(self, writer: &Connection) {
        self.mover.stop();
        move_log(writer, "TRUNCATE");
    }
}

impl Mover {
    fn start(connection: Connection, file: DatabaseFile) -> Result<Self, StartError> {
        let (requests, asked) = channel::<()>();
        let (answers, results) = channel();
        let thread = std::thread::Builder::new()
            .name("suda-checkpoint".to_owned())
            .spawn(move || {
                while asked.recv().is_ok() {
                    let moved = move_log(&connection, "PASSIVE");
                    if moved.is_some() {
                        file.sync();
                    }
                    if answers.send(moved).is_err() {
                        break;
                    }
                }
                drop(connection);
                drop(file);
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
    use rusqlite::OpenFlags;
    use std::fs::File;
    use std::path::PathBuf;

    const PAGE_BYTES: u64 = 4096;

    /// A database with a table for ballast, in a folder of its own.
    struct Database {
        writer: Connection,
        // After the writer: it may be closed only then.
        file: DatabaseFile,
        folder: PathBuf,
    }

    impl Database {
        fn new() -> Self {
            let folder = std::env::temp_dir().join(format!("suda-log-{}", uuid::Uuid::new_v4()));
            std::fs::create_dir(&folder).unwrap();
            let path = folder.join("suda.db");
            let file = DatabaseFile::new(File::create(&path).unwrap());
            let writer = open(&path, None).unwrap();
            writer
                .execute_batch("CREATE TABLE ballast (bytes BLOB)")
                .unwrap();
            Self {
                writer,
                file,
                folder,
            }
        }

        fn path(&self) -> PathBuf {
            self.folder.join("suda.db")
        }

        fn checkpoints(&mut self) -> Checkpoints {
            let other = open_for_log(&self.path()).unwrap();
            Checkpoints::start(&mut self.writer, other, self.file.clone()).unwrap()
        }

        /// Commits 1 MiB. Gives the bytes that the log's file has then.
        fn write(&self, checkpoints: &mut Checkpoints) -> u64 {
            self.writer
                .execute("INSERT INTO ballast VALUES (zeroblob(1048576))", [])
                .unwrap();
            checkpoints.between_commits(&self.writer);
            self.log_bytes()
        }

        /// A hundred times. Gives the most bytes that the log's file had.
        fn write_much(&self, checkpoints: &mut Checkpoints) -> u64 {
            (0..100)
                .map(|_| self.write(checkpoints))
                .max()
                .unwrap_or_default()
        }

        fn log_bytes(&self) -> u64 {
            let log = std::fs::metadata(self.folder.join("suda.db-wal")).unwrap();
            log.len()
        }

        fn remove(self) {
            let folder = self.folder.clone();
            drop(self);
            std::fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn where_the_other_thread_moves_nothing_the_journal_goes_on_and_moves_it_itself() {
        let mut database = Database::new();
        // A database without a log: each request comes to nothing.
        let other = Connection::open_in_memory().unwrap();
        let file = database.file.clone();
        let mut checkpoints = Checkpoints::start(&mut database.writer, other, file).unwrap();
        let bytes_max = database.write_much(&mut checkpoints);
        let limit = (LOG_PAGES_MAX + 2 * REST_PAGES_MAX) as u64 * PAGE_BYTES;
        assert!(bytes_max <= limit, "{bytes_max}");
        checkpoints.finish(&database.writer);
        database.remove();
    }

    #[test]
    fn after_the_end_all_is_in_the_database_and_the_log_is_empty() {
        let mut database = Database::new();
        let mut checkpoints = database.checkpoints();
        database.write_much(&mut checkpoints);
        // Whether or not the other thread is at it.
        checkpoints.mover.ask();
        checkpoints.finish(&database.writer);
        assert_eq!(database.log_bytes(), 0);
        database.remove();
    }

    #[test]
    fn a_reader_of_ours_keeps_what_it_sees_and_soon_after_it_the_log_begins_anew() {
        let mut database = Database::new();
        let mut checkpoints = database.checkpoints();
        database.write(&mut checkpoints);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut reader = Connection::open_with_flags(database.path(), flags).unwrap();
        let reading = reader.transaction().unwrap();
        let seen = |reading: &Connection| -> u64 {
            reading
                .query_row("SELECT count(*) FROM ballast", [], |row| row.get(0))
                .unwrap()
        };
        assert_eq!(seen(&reading), 1);
        // Nobody waits for it, though each move is a part only.
        let grown = database.write_much(&mut checkpoints);
        assert!(grown > LOG_PAGES_MAX as u64 * PAGE_BYTES, "{grown}");
        assert_eq!(seen(&reading), 1);
        drop(reading);

        // The file is cut by the first commit of the log that begins anew. At the latest the journal's own next attempt leads to it.
        let more_max = (MOVE_PAGES + 2 * REST_PAGES_MAX) as u64 * PAGE_BYTES / (1024 * 1024);
        let cut = (0..more_max).any(|_| database.write(&mut checkpoints) < grown);
        assert!(cut, "{}", database.log_bytes());
        drop(reader);
        checkpoints.finish(&database.writer);
        database.remove();
    }
}
