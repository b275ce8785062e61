//! Writes what the engine's journal has planned: the log, the answers, and the projections of both.

use super::entries::newest_message;
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::collections::hash_map::Entry as Known;
use suda_engine::Plan;
use suda_protocol::v1::entry::What;

pub(crate) fn write<T>(transaction: &Connection, plan: &Plan<T>) -> rusqlite::Result<()> {
    write_rooms(transaction, plan)?;
    write_entries(transaction, plan)?;
    write_members(transaction, plan)?;
    write_answered(transaction, plan)?;
    write_tops(transaction, plan)
}

fn write_rooms<T>(transaction: &Connection, plan: &Plan<T>) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO rooms (id, name, name_key, created_by, created_at_ms, top_seq, top_id, member_count)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, zeroblob(16), 0)",
    )?;
    for room in plan.rooms() {
        insert.execute(params![
            room.id.0,
            room.name,
            room.name_key,
            room.author.0,
            room.at
        ])?;
    }
    Ok(())
}

fn write_entries<T>(transaction: &Connection, plan: &Plan<T>) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO entries (room, seq, id, author, author_name, at_ms, newest_message, what)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let mut newest_messages = HashMap::new();
    let mut what_happened = Vec::new();
    for entry in plan.entries() {
        let newest_message = match newest_messages.entry(entry.room()) {
            Known::Occupied(known) => known.into_mut(),
            Known::Vacant(unknown) => unknown.insert(newest_message(transaction, entry.room())?),
        };
        if matches!(entry.what(), Some(What::MessagePosted(_))) {
            *newest_message = entry.seq();
        }
        what_happened.clear();
        if let Some(what) = entry.what() {
            what.encode(&mut what_happened);
        }
        insert.execute(params![
            entry.room().0,
            entry.seq(),
            entry.id().0,
            entry.author().0,
            entry.wire().author_name,
            entry.at(),
            *newest_message,
            what_happened,
        ])?;
    }
    Ok(())
}

fn write_members<T>(transaction: &Connection, plan: &Plan<T>) -> rusqlite::Result<()> {
    for change in plan.member_changes() {
        if change.member {
            transaction
                .prepare_cached("INSERT INTO members (room, user, since_seq) VALUES (?1, ?2, ?3)")?
                .execute(params![change.room.0, change.user.0, change.seq])?;
        } else {
            transaction
                .prepare_cached("DELETE FROM members WHERE room = ?1 AND user = ?2")?
                .execute(params![change.room.0, change.user.0])?;
        }
    }
    Ok(())
}

fn write_answered<T>(transaction: &Connection, plan: &Plan<T>) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO answered (client_id, author, digest, kind, room, seq, id, at_ms, members)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for row in plan.answered() {
        insert.execute(params![
            row.client_id.0,
            row.author.0,
            row.digest.as_slice(),
            row.kind as u8,
            row.room.0,
            row.seq,
            row.id.0,
            row.at,
            row.member_count,
        ])?;
    }
    Ok(())
}

fn write_tops<T>(transaction: &Connection, plan: &Plan<T>) -> rusqlite::Result<()> {
    let mut update = transaction.prepare_cached(
        "UPDATE rooms SET top_seq = ?2, top_id = ?3, member_count = ?4 WHERE id = ?1",
    )?;
    for top in plan.tops() {
        update.execute(params![
            top.room.0,
            top.top.seq,
            top.top.id.0,
            top.member_count
        ])?;
    }
    Ok(())
}
