//! The writer's transaction.

use rusqlite::Connection;
use std::ops::Deref;

/// A transaction of the writer, rolled back unless it is committed. Unlike rusqlite's own, its statements are prepared once for all commits.
#[derive(Debug)]
pub(crate) struct Transaction<'a> {
    connection: &'a Connection,
}

impl<'a> Transaction<'a> {
    /// Takes the write lock first, so that nothing read in here can change before the commit.
    pub(crate) fn begin(connection: &'a mut Connection) -> rusqlite::Result<Self> {
        let connection: &Connection = connection;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Self { connection })
    }

    /// Comes back once all of it is on disk. On an error it is rolled back.
    pub(crate) fn commit(self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // After a commit, and where SQLite has rolled back by itself, there is none.
        if self.connection.is_autocommit() {
            return;
        }
        if let Err(error) = self.connection.execute_batch("ROLLBACK") {
            // The next one cannot begin then, and says so.
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(connection: &Connection) -> u64 {
        let count = connection.query_row("SELECT count(*) FROM kept", [], |row| row.get(0));
        count.unwrap()
    }

    #[test]
    fn what_is_not_committed_is_rolled_back_and_the_next_can_begin() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE kept (number INTEGER UNIQUE)")
            .unwrap();
        for _again in 0..2 {
            let transaction = Transaction::begin(&mut connection).unwrap();
            transaction
                .execute("INSERT INTO kept VALUES (1)", [])
                .unwrap();
            drop(transaction);
            assert_eq!(count(&connection), 0);
        }
        for number in 1..=2 {
            let transaction = Transaction::begin(&mut connection).unwrap();
            transaction
                .execute("INSERT INTO kept VALUES (?1)", [number])
                .unwrap();
            transaction.commit().unwrap();
            assert_eq!(count(&connection), number);
        }
    }

    #[test]
    fn a_commit_that_fails_leaves_nothing_behind() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = ON;
                 CREATE TABLE owners (id INTEGER PRIMARY KEY);
                 CREATE TABLE kept (owner INTEGER REFERENCES owners (id) DEFERRABLE INITIALLY DEFERRED)",
            )
            .unwrap();
        let transaction = Transaction::begin(&mut connection).unwrap();
        transaction
            .execute("INSERT INTO kept VALUES (1)", [])
            .unwrap();
        assert!(transaction.commit().is_err());
        assert!(connection.is_autocommit());
        assert_eq!(count(&connection), 0);
        Transaction::begin(&mut connection)
            .unwrap()
            .commit()
            .unwrap();
    }
}
