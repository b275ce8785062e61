//! What readers ask for: the log, messages as they now are, lists of rooms. Each call runs in one read transaction.
//!
//! Whether the asker may have it is decided by the engine, over what is read here.

use super::entries::{ENTRY, Messages, entry_of};
use super::rooms::{COLUMNS, find, is_member, room_of};
use prost::Message as _;
use rusqlite::{Connection, OptionalExtension, params};
use suda_engine::reading::{MessageFacts, ReadFacts};
use suda_engine::{Cursor, Entry, EntryId, RoomFacts, RoomId, RoomRef, UserId};
use suda_protocol::limits::PAGE_BYTES_MAX;

/// The room, the reader's place in it, and up to `count_max` entries after the cursor.
///
/// Without a cursor the reader wants only what comes from now on: no entries then.
pub(crate) fn log(
    connection: &Connection,
    room: &RoomRef,
    reader: UserId,
    after: Option<Cursor>,
    count_max: usize,
) -> rusqlite::Result<ReadFacts<Entry>> {
    let mut facts = ReadFacts {
        room: find(connection, room)?,
        member: false,
        at_cursor: None,
        entries: Vec::new(),
    };
    let Some(room) = &facts.room else {
        return Ok(facts);
    };
    facts.member = is_member(connection, room.id, reader)?;
    let Some(after) = after else {
        return Ok(facts);
    };
    // A cursor beyond the top holds no entry; larger numbers than SQLite's are beyond every top.
    let (true, Ok(after_seq)) = (facts.member, i64::try_from(after.seq)) else {
        return Ok(facts);
    };
    facts.at_cursor = id_at(connection, room.id, after_seq)?;
    facts.entries = entries_after(connection, room.id, after_seq, count_max)?;
    Ok(facts)
}

fn id_at(connection: &Connection, room: RoomId, seq: i64) -> rusqlite::Result<Option<EntryId>> {
    connection
        .prepare_cached("SELECT id FROM entries WHERE room = ?1 AND seq = ?2")?
        .query_row(params![room.0, seq], |row| row.get(0).map(EntryId))
        .optional()
}

fn entries_after(
    connection: &Connection,
    room: RoomId,
    after_seq: i64,
    count_max: usize,
) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries WHERE room = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![room.0, after_seq, sql_count(count_max)])?;
    let mut entries = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let entry = entry_of(room, row)?;
        bytes += entry.wire().encoded_len();
        if bytes > PAGE_BYTES_MAX && !entries.is_empty() {
            break;
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// The room and up to `count_max` of its messages before `before_seq`, newest first.
pub(crate) fn messages(
    connection: &Connection,
    room: &RoomRef,
    reader: UserId,
    before_seq: Option<u64>,
    count_max: usize,
) -> rusqlite::Result<MessageFacts> {
    let mut facts = MessageFacts {
        room: find(connection, room)?,
        member: false,
        messages: Vec::new(),
        more: false,
    };
    let Some(room) = &facts.room else {
        return Ok(facts);
    };
    facts.member = is_member(connection, room.id, reader)?;
    if !facts.member {
        return Ok(facts);
    }
    let before_seq = before_seq
        .and_then(|seq| i64::try_from(seq).ok())
        .unwrap_or(i64::MAX);
    let mut newest_first = Messages::up_to(room.id, before_seq.saturating_sub(1));
    let mut bytes = 0;
    while let Some(message) = newest_first.next(connection)? {
        bytes += message.encoded_len();
        let full = bytes > PAGE_BYTES_MAX && !facts.messages.is_empty();
        if full || facts.messages.len() == count_max {
            facts.more = true;
            break;
        }
        facts.messages.push(message);
    }
    Ok(facts)
}

/// A page of rooms.
#[derive(Debug)]
pub(crate) struct RoomPage {
    /// The rooms by name, each with whether the asker is a member.
    pub(crate) rooms: Vec<(RoomFacts, bool)>,
    /// Whether there are more after the last.
    pub(crate) more: bool,
}

/// Up to `count_max` rooms whose names come after `after_name`.
pub(crate) fn rooms(
    connection: &Connection,
    asker: UserId,
    mine: bool,
    after_name: &str,
    count_max: usize,
) -> rusqlite::Result<RoomPage> {
    let join = if mine { "JOIN" } else { "LEFT JOIN" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, members.user IS NOT NULL
         FROM rooms {join} members ON members.room = rooms.id AND members.user = ?1
         WHERE rooms.name > ?2 ORDER BY rooms.name LIMIT ?3",
    ))?;
    let rows = statement.query_map(
        params![asker.0, after_name, sql_count(count_max.saturating_add(1))],
        |row| Ok((room_of(row)?, row.get(5)?)),
    )?;
    let mut rooms = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let more = rooms.len() > count_max;
    rooms.truncate(count_max);
    Ok(RoomPage { rooms, more })
}

fn sql_count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
