//! Opening the database: durable for the writer and for whoever moves its log, read-only for the readers.

use super::schema;
use crate::error::StartError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// Prepared statements that a connection keeps.
const STATEMENTS_MAX: usize = 64;
/// Memory for pages of the database that the writer keeps. What a commit touches is spread over the indexes; what does not fit is read
/// anew, and a commit that does not fit is written out in parts, some of them twice.
const WRITER_CACHE_BYTES: i64 = 64 * 1024 * 1024;
/// Bytes of the write-ahead log's file that are kept for reuse after a time in which it had to grow (a long backup, say).
const WAL_BYTES_KEPT: i64 = 16 * 1024 * 1024;
/// How long a statement waits for a lock that another program (a backup, a shell) holds.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Opens the database for writing, and migrates it where it is older than this program.
pub(crate) fn open(path: &Path, bytes_max: Option<u64>) -> Result<Connection, StartError> {
    let refused = |source: rusqlite::Error| StartError::Database {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let mut writer = Connection::open(path).map_err(refused)?;
    let found = schema::found(&writer).map_err(refused)?;
    if found > schema::VERSION {
        return Err(StartError::DatabaseTooNew {
            path: path.to_owned(),
            found,
            known: schema::VERSION,
        });
    }
    if found == schema::UNRELEASED {
        return Err(StartError::DatabaseUnreleased {
            path: path.to_owned(),
        });
    }
    prepare_writer(&writer, bytes_max).map_err(refused)?;
    if found < schema::VERSION {
        schema::migrate(&mut writer, found).map_err(refused)?;
    }
    Ok(writer)
}

fn prepare_writer(writer: &Connection, bytes_max: Option<u64>) -> rusqlite::Result<()> {
    keep_statements(writer)?;
    writer.busy_timeout(LOCK_WAIT)?;
    writer.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: a commit returns only after the write-ahead log is on disk. Acknowledgements rest on this.
    writer.pragma_update(None, "synchronous", "FULL")?;
    writer.pragma_update(None, "foreign_keys", true)?;
    // A negative number is in KiB. It is taken as it is needed, not at once.
    writer.pragma_update(None, "cache_size", -WRITER_CACHE_BYTES / 1024)?;
    // The journal checkpoints by itself, between commits: SQLite's automatic one hides its errors, a failed fsync too.
    writer.pragma_update(None, "wal_autocheckpoint", 0)?;
    writer.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_KEPT, |_| Ok(()))?;
    if let Some(bytes_max) = bytes_max {
        let page_bytes: i64 = writer.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes_max).unwrap_or(i64::MAX) / page_bytes.max(1);
        writer.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))?;
    }
    Ok(())
}

/// Has statements prepared once.
fn keep_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Otherwise SQLite prepares some of them anew for each value that is bound, to look for a better plan. It has no statistics by which it
    // could find one.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Opens the database once more, to move its write-ahead log.
pub(crate) fn open_for_log(path: &Path) -> Result<Connection, StartError> {
    let open = || -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mover = Connection::open_with_flags(path, flags)?;
        mover.busy_timeout(LOCK_WAIT)?;
        // What was moved is on disk before the log begins anew.
        mover.pragma_update(None, "synchronous", "FULL")?;
        mover.pragma_update(None, "wal_autocheckpoint", 0)?;
        // The first read is what opens the log.
        mover.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(mover)
    };
    open().map_err(|source| StartError::Database {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

/// Opens the database for reading only.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags)?;
    keep_statements(&reader)?;
    reader.busy_timeout(LOCK_WAIT)?;
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every acknowledgement rests on, and what no test can see from outside: killing a process takes nothing out
    /// of the system's caches, only a power loss does.
    #[test]
    fn each_commit_waits_for_the_disk() {
        let folder = std::env::temp_dir().join(format!("suda-store-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("suda.db");
        for _first_and_later_start in 0..2 {
            let writer = open(&path, None).unwrap();
            let number = |name| -> i64 {
                writer
                    .pragma_query_value(None, name, |row| row.get(0))
                    .unwrap()
            };
            const FULL: i64 = 2;
            assert_eq!(number("synchronous"), FULL);
            assert_eq!(number("wal_autocheckpoint"), 0);
            let mode: String = writer
                .pragma_query_value(None, "journal_mode", |row| row.get(0))
                .unwrap();
            assert_eq!(mode, "wal");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
