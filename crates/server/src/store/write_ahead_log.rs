//! Moving the write-ahead log into the database: what SQLite calls a checkpoint.

use super::end_if_unsafe;
use rusqlite::Connection;

/// How far the log was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Pages of the log that are in the database now.
    pub(crate) pages: usize,
    /// Pages that the log held when moving began.
    pub(crate) of: usize,
}

impl Moved {
    /// Whether nothing was left. Where a reader still needs a part as it was, that part and what follows is.
    pub(crate) fn is_all(self) -> bool {
        self.pages == self.of
    }
}

/// Moves what can be moved. `mode` is SQLite's. SQLite waits for the disk to have it only where no commit came meanwhile, before the log
/// begins anew: a thread that moves while another commits has to see to that itself. None where nothing was: it failed, which is told in the log of
/// the server, or somebody else is moving. What is in the write-ahead log stays there, and the next call tries again.
pub(crate) fn move_log(connection: &Connection, mode: &str) -> Option<Moved> {
    let pragma = format!("PRAGMA wal_checkpoint({mode})");
    let moved = connection.query_row(&pragma, [], |row| {
        let (of, pages): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok((usize::try_from(of), usize::try_from(pages)))
    });
    match moved {
        Ok((Ok(of), Ok(pages))) => Some(Moved { pages, of }),
        // SQLite says -1 for what it could not do.
        Ok(_) => None,
        Err(error) => {
            end_if_unsafe(&error);
            tracing::warn!(%error, "the write-ahead log could not be moved into the database");
            None
        }
    }
}
