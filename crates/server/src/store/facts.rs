//! Reads, inside the journal's transaction, what a batch of drafts has to know.

use super::entries::{ENTRY, entry_of};
use super::rooms::{find, is_member};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, Statement, params};
use std::sync::Arc;
use suda_engine::journal::{AnsweredKind, AnsweredRow};
use suda_engine::{ClientId, EntryId, Facts, Lookup, RoomId, RoomRef, UserId};

const ANSWERED: &str = "SELECT digest, kind, room, seq, id, at_ms, members FROM answered WHERE client_id = ?2 AND author = ?1";

pub(crate) fn facts(connection: &Connection, lookup: &Lookup) -> rusqlite::Result<Facts> {
    let mut facts = Facts::default();
    let mut answered = connection.prepare_cached(ANSWERED)?;
    for (author, client_id) in &lookup.answered {
        if let Some(row) = answered_row(&mut answered, *author, *client_id)? {
            facts.answered.insert((*author, *client_id), row);
        }
    }
    drop(answered);
    for room in &lookup.rooms {
        facts.rooms.extend(find(connection, room)?);
    }
    for (room, user) in &lookup.members {
        if let Some(room) = id_of(connection, room)?
            && is_member(connection, room, *user)?
        {
            facts.members.insert((room, *user));
        }
    }
    for (room, seq) in &lookup.messages {
        if let Some(room) = id_of(connection, room)?
            && is_message(connection, room, *seq)?
        {
            facts.messages.insert((room, *seq));
        }
    }
    for unsettled in &lookup.unsettled {
        let room = unsettled.room;
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {ENTRY} FROM entries WHERE room = ?1 AND seq > ?2 ORDER BY seq"
        ))?;
        let rows = statement.query_map(params![room.0, unsettled.after_seq], |row| {
            entry_of(room, row)
        })?;
        for entry in rows {
            facts.unsettled.push(Arc::new(entry?));
        }
    }
    Ok(facts)
}

fn id_of(connection: &Connection, room: &RoomRef) -> rusqlite::Result<Option<RoomId>> {
    match room {
        RoomRef::Id(id) => Ok(Some(*id)),
        RoomRef::Name(_) => Ok(find(connection, room)?.map(|room| room.id)),
    }
}

fn is_message(connection: &Connection, room: RoomId, seq: u64) -> rusqlite::Result<bool> {
    let Ok(seq) = i64::try_from(seq) else {
        // Larger than any number that SQLite holds, so there is none.
        return Ok(false);
    };
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM entries WHERE room = ?1 AND seq = ?2 AND newest_message = ?2)",
        )?
        .query_row(params![room.0, seq], |row| row.get(0))
}

fn answered_row(
    answered: &mut Statement<'_>,
    author: UserId,
    client_id: ClientId,
) -> rusqlite::Result<Option<AnsweredRow>> {
    answered
        .query_row(params![author.0, client_id.0], |row| {
            Ok(AnsweredRow {
                author,
                client_id,
                digest: row.get(0)?,
                kind: kind_of(row)?,
                room: RoomId(row.get(2)?),
                seq: row.get(3)?,
                id: EntryId(row.get(4)?),
                at: row.get(5)?,
                member_count: row.get(6)?,
            })
        })
        .optional()
}

fn kind_of(row: &Row<'_>) -> rusqlite::Result<AnsweredKind> {
    let number: u8 = row.get(1)?;
    AnsweredKind::from_number(number).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(
            1,
            Type::Integer,
            format!("{number} is no kind of command").into(),
        )
    })
}
