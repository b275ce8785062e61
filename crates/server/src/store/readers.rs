//! A bounded pool of threads that read, each with its own read-only connection.

use super::DatabaseFile;
use super::connection::open_reader;
use crate::error::StartError;
use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// Too many reads are waiting.
    #[error("too many reads are waiting")]
    Busy,
    /// The store is closing.
    #[error("the store is closing")]
    Closed,
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

/// The pool. Cloned handles share it; the threads end once the last handle is gone.
#[derive(Clone, Debug)]
pub(crate) struct Readers {
    jobs: SyncSender<Job>,
}

impl Readers {
    /// Opens `threads` connections and starts their threads.
    pub(crate) fn start(
        path: &Path,
        file: &DatabaseFile,
        threads: usize,
        queue_max: usize,
    ) -> Result<(Self, Vec<JoinHandle<()>>), StartError> {
        let (jobs, waiting) = sync_channel(queue_max.max(1));
        let waiting = Arc::new(Mutex::new(waiting));
        let mut handles = Vec::new();
        for number in 0..threads.max(1) {
            let connection = open_reader(path).map_err(|source| StartError::Database {
                path: path.to_owned(),
                source: Box::new(source),
            })?;
            let waiting = Arc::clone(&waiting);
            let file = file.clone();
            let handle = std::thread::Builder::new()
                .name(format!("suda-reader-{number}"))
                .spawn(move || run(connection, &waiting, &file))
                .map_err(|source| StartError::System {
                    what: "a thread",
                    source,
                })?;
            handles.push(handle);
        }
        Ok((Self { jobs }, handles))
    }

    /// Runs `read` in one read transaction, so that all its statements see the same commit.
    ///
    /// Dropping the future leaves the read to finish unheard.
    ///
    /// # Errors
    ///
    /// [`ReadError::Busy`] at once where the queue is full, else what `read` gives.
    pub(crate) async fn read<R, F>(&self, read: F) -> Result<R, ReadError>
    where
        R: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<R> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection
                .transaction()
                .and_then(|transaction| read(&transaction));
            // Nobody listens any more where the asker's connection is gone.
            let _ = answer.send(result);
        });
        match self.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(ReadError::Busy),
            Err(TrySendError::Disconnected(_)) => return Err(ReadError::Closed),
        }
        match answered.await {
            Ok(result) => Ok(result?),
            Err(_) => Err(ReadError::Closed),
        }
    }
}

/// `_kept` lives until after the connection.
fn run(mut connection: Connection, waiting: &Mutex<Receiver<Job>>, _kept: &DatabaseFile) {
    loop {
        // The lock is held while waiting: the others stand behind it, which is the same as waiting themselves.
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        match job {
            Ok(job) => job(&mut connection),
            Err(_) => return,
        }
    }
}
