//! The tables, as a list of migrations. A migration that has been released is never edited; a change is a new one.

use rusqlite::Connection;

/// Builds that were never released wrote databases of this version, with other tables. Nothing brings them further.
pub(super) const UNRELEASED: i64 = 1;

/// The first makes the tables, which is version 2; each further one brings the database to the next.
const MIGRATIONS: &[&str] = &[INITIAL];

/// The version that this program writes.
pub(super) const VERSION: i64 = UNRELEASED + MIGRATIONS.len() as i64;

const INITIAL: &str = "
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- name_key is what two names are compared by, so that two users cannot look the same.
CREATE TABLE users (
  id            BLOB PRIMARY KEY,
  name          TEXT NOT NULL,
  name_key      TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  administrator INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every sign-in makes a device. What is signed out is a device, with its token and its connections.
CREATE TABLE devices (
  id            BLOB PRIMARY KEY,
  user          BLOB NOT NULL REFERENCES users (id),
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_of_user ON devices (user);

-- Only a token's SHA-256 is kept: whoever reads this file cannot sign in with it.
CREATE TABLE tokens (
  hash   BLOB PRIMARY KEY,
  device BLOB NOT NULL REFERENCES devices (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_of_device ON tokens (device);

CREATE TABLE rooms (
  id            BLOB PRIMARY KEY,
  name          TEXT NOT NULL,
  name_key      TEXT NOT NULL UNIQUE,
  created_by    BLOB NOT NULL REFERENCES users (id),
  created_at_ms INTEGER NOT NULL,
  top_seq       INTEGER NOT NULL,
  top_id        BLOB NOT NULL,
  member_count  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX rooms_by_name ON rooms (name);

CREATE TABLE members (
  room BLOB NOT NULL REFERENCES rooms (id),
  user BLOB NOT NULL REFERENCES users (id),
  -- The entry with which the membership began.
  since_seq INTEGER NOT NULL,
  PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX rooms_of_member ON members (user, room);

-- The log, each room's entries side by side. A row is never changed. what is the Protobuf encoding of an entry that has nothing but what
-- happened; the rest of it stands in the other columns. newest_message is the seq of the room's newest message up to here, its own
-- where it is one: so whoever wants messages steps over everything else at once.
CREATE TABLE entries (
  room           BLOB NOT NULL,
  seq            INTEGER NOT NULL,
  id             BLOB NOT NULL,
  author         BLOB NOT NULL,
  author_name    TEXT NOT NULL,
  at_ms          INTEGER NOT NULL,
  newest_message INTEGER NOT NULL,
  what           BLOB NOT NULL,
  PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;

-- What each accepted mutating command was answered, so that a retry gets the same answer, for ever. By the client id first: our clients'
-- grow with time, so that new rows stand together, however many authors there are and however much is kept.
CREATE TABLE answered (
  client_id BLOB NOT NULL,
  author    BLOB NOT NULL,
  digest    BLOB NOT NULL,
  kind      INTEGER NOT NULL,
  room      BLOB NOT NULL,
  seq       INTEGER NOT NULL,
  id        BLOB NOT NULL,
  at_ms     INTEGER NOT NULL,
  -- How many members the room had when this was answered.
  members   INTEGER NOT NULL,
  PRIMARY KEY (client_id, author)
) STRICT, WITHOUT ROWID;
";

/// The version that the file says it has.
pub(super) fn found(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings an older (or empty) database to [`VERSION`], all or nothing.
pub(super) fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let done = usize::try_from(from - UNRELEASED).unwrap_or_default();
    for migration in MIGRATIONS.iter().skip(done) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_database_becomes_the_newest() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(found(&connection).unwrap(), 0);
        migrate(&mut connection, 0).unwrap();
        assert_eq!(found(&connection).unwrap(), VERSION);
        migrate(&mut connection, VERSION).unwrap();
    }
}
