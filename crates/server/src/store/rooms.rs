//! Rooms and memberships as rows, for whoever reads them.

use rusqlite::{Connection, OptionalExtension, Row, params};
use suda_engine::{Cursor, EntryId, RoomFacts, RoomId, RoomRef, UserId};

/// The columns that [`room_of`] reads, in its order.
pub(super) const COLUMNS: &str =
    "rooms.id, rooms.name, rooms.top_seq, rooms.top_id, rooms.member_count";

pub(super) fn room_of(row: &Row<'_>) -> rusqlite::Result<RoomFacts> {
    Ok(RoomFacts {
        id: RoomId(row.get(0)?),
        name: row.get(1)?,
        top: Cursor {
            seq: row.get(2)?,
            id: EntryId(row.get(3)?),
        },
        member_count: row.get(4)?,
    })
}

/// The room that is pointed at.
pub(super) fn find(connection: &Connection, room: &RoomRef) -> rusqlite::Result<Option<RoomFacts>> {
    match room {
        RoomRef::Id(id) => connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM rooms WHERE id = ?1"))?
            .query_row([id.0], room_of),
        RoomRef::Name(key) => connection
            .prepare_cached(&format!("SELECT {COLUMNS} FROM rooms WHERE name_key = ?1"))?
            .query_row([key], room_of),
    }
    .optional()
}

pub(super) fn is_member(
    connection: &Connection,
    room: RoomId,
    user: UserId,
) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM members WHERE room = ?1 AND user = ?2)")?
        .query_row(params![room.0, user.0], |row| row.get(0))
}
