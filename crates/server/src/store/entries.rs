//! Entries as rows of the log, and messages as what the log says of them.

use prost::Message as _;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use suda_engine::{Cursor, Entry, EntryId, RoomId, UserId};
use suda_protocol::v1::{self, entry::What};

/// The columns that [`entry_of`] reads, in its order.
pub(super) const ENTRY: &str = "seq, id, author, author_name, at_ms, what";

/// The place of `what` among them.
const WHAT: usize = 5;

/// An entry of that room.
pub(super) fn entry_of(room: RoomId, row: &Row<'_>) -> rusqlite::Result<Entry> {
    let place = Cursor {
        seq: row.get(0)?,
        id: EntryId(row.get(1)?),
    };
    let author = UserId(row.get(2)?);
    let name: String = row.get(3)?;
    Ok(Entry::new(
        room,
        place,
        author,
        name,
        row.get(4)?,
        what_of(row)?,
    ))
}

fn what_of(row: &Row<'_>) -> rusqlite::Result<What> {
    let damaged = |error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(WHAT, Type::Blob, error)
    };
    let bytes = row.get_ref(WHAT)?.as_blob()?;
    let entry = v1::Entry::decode(bytes).map_err(|error| damaged(error.into()))?;
    entry
        .what
        .ok_or_else(|| damaged("nothing that this program knows happened in this entry".into()))
}

/// The seq of the room's newest message; 0 where it has none.
pub(super) fn newest_message(connection: &Connection, room: RoomId) -> rusqlite::Result<u64> {
    let newest = connection
        .prepare_cached(
            "SELECT newest_message FROM entries WHERE room = ?1 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([room.0], |row| row.get(0))
        .optional()?;
    Ok(newest.unwrap_or_default())
}

/// A room's messages, newest first. What lies between two of them is stepped over, however much it is.
#[derive(Debug)]
pub(super) struct Messages {
    room: RoomId,
    up_to_seq: i64,
}

impl Messages {
    pub(super) fn up_to(room: RoomId, up_to_seq: i64) -> Self {
        Self { room, up_to_seq }
    }

    pub(super) fn next(
        &mut self,
        connection: &Connection,
    ) -> rusqlite::Result<Option<v1::Message>> {
        let mut newest = connection.prepare_cached(
            "SELECT newest_message FROM entries WHERE room = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1",
        )?;
        let seq: Option<i64> = newest
            .query_row(params![self.room.0, self.up_to_seq], |row| row.get(0))
            .optional()?;
        let Some(seq) = seq.filter(|seq| *seq > 0) else {
            return Ok(None);
        };
        self.up_to_seq = seq - 1;
        let room = self.room;
        let entry = connection
            .prepare_cached(&format!(
                "SELECT {ENTRY} FROM entries WHERE room = ?1 AND seq = ?2"
            ))?
            .query_row(params![room.0, seq], |row| entry_of(room, row))?;
        Ok(Some(message_of(&entry)))
    }
}

/// A message as it now is.
fn message_of(entry: &Entry) -> v1::Message {
    let (text, reply_to) = match entry.what() {
        Some(What::MessagePosted(posted)) => (posted.text.clone(), posted.reply_to),
        _ => Default::default(),
    };
    let wire = entry.wire();
    v1::Message {
        seq: wire.seq,
        id: wire.id.clone(),
        author: wire.author.clone(),
        author_name: wire.author_name.clone(),
        at_ms: wire.at_ms,
        text,
        reply_to,
    }
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::*;
    use uuid::Uuid;

    /// Writes entries 1 to the number of words: messages, and joins where the word is empty.
    fn write(connection: &Connection, room: RoomId, words: &[&str]) {
        let mut newest = 0;
        for (seq, word) in (1_i64..).zip(words) {
            let what = if word.is_empty() {
                What::MemberJoined(v1::MemberJoined {})
            } else {
                newest = seq;
                What::MessagePosted(v1::MessagePosted {
                    text: (*word).to_owned(),
                    reply_to: 0,
                })
            };
            let mut bytes = Vec::new();
            what.encode(&mut bytes);
            connection
                .execute(
                    "INSERT INTO entries VALUES (?1, ?2, zeroblob(16), zeroblob(16), '하늘', 5, ?3, ?4)",
                    params![room.0, seq, newest, bytes],
                )
                .unwrap();
        }
    }

    fn texts(connection: &Connection, room: RoomId, up_to_seq: i64) -> Vec<String> {
        let mut messages = Messages::up_to(room, up_to_seq);
        std::iter::from_fn(|| messages.next(connection).unwrap())
            .map(|message| message.text)
            .collect()
    }

    #[test]
    fn messages_are_found_over_whatever_lies_between_them() {
        let folder = std::env::temp_dir().join(format!("suda-entries-{}", Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let connection = open(&folder.join("suda.db"), None).unwrap();
        let (room, other) = (RoomId(Uuid::from_u128(1)), RoomId(Uuid::from_u128(2)));
        write(&connection, room, &["", "하나", "", "", "둘", "셋", "", ""]);
        write(&connection, other, &["", ""]);
        assert_eq!(texts(&connection, room, i64::MAX), ["셋", "둘", "하나"]);
        assert_eq!(texts(&connection, room, 5), ["둘", "하나"]);
        assert_eq!(texts(&connection, room, 4), ["하나"]);
        assert_eq!(texts(&connection, room, 1), [""; 0]);
        assert_eq!(texts(&connection, other, i64::MAX), [""; 0]);
        assert_eq!(newest_message(&connection, room).unwrap(), 6);
        assert_eq!(newest_message(&connection, other).unwrap(), 0);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
