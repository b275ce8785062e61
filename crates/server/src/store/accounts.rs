//! Users, their devices and the devices' tokens, as rows.

use rusqlite::{Connection, OptionalExtension, params};
use suda_protocol::names;
use uuid::Uuid;

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) administrator: bool,
}

/// Whom a token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedIn {
    pub(crate) user: User,
    pub(crate) device: Uuid,
}

/// SHA-256 of a token.
pub(crate) type TokenHash = [u8; 32];

pub(crate) fn administrator_exists(connection: &Connection) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM users WHERE administrator)")?
        .query_row([], |row| row.get(0))
}

pub(crate) fn name_taken(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM users WHERE name_key = ?1)")?
        .query_row([names::key(name)], |row| row.get(0))
}

/// The user of that name and the hash of the password.
pub(crate) fn user_by_name(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Option<(User, String)>> {
    connection
        .prepare_cached(
            "SELECT id, name, administrator, password_hash FROM users WHERE name_key = ?1",
        )?
        .query_row([names::key(name)], |row| {
            Ok((
                User {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    administrator: row.get(2)?,
                },
                row.get(3)?,
            ))
        })
        .optional()
}

pub(crate) fn signed_in(
    connection: &Connection,
    token: &TokenHash,
) -> rusqlite::Result<Option<SignedIn>> {
    connection
        .prepare_cached(
            "SELECT users.id, users.name, users.administrator, devices.id
             FROM tokens JOIN devices ON devices.id = tokens.device JOIN users ON users.id = devices.user
             WHERE tokens.hash = ?1",
        )?
        .query_row([token.as_slice()], |row| {
            Ok(SignedIn {
                user: User {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    administrator: row.get(2)?,
                },
                device: row.get(3)?,
            })
        })
        .optional()
}

pub(crate) fn insert_user(
    connection: &Connection,
    user: &User,
    password_hash: &str,
    now_ms: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO users (id, name, name_key, password_hash, administrator, created_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![user.id, user.name, names::key(&user.name), password_hash, user.administrator, now_ms])?;
    Ok(())
}

pub(crate) fn insert_device(
    connection: &Connection,
    device: Uuid,
    user: Uuid,
    token: &TokenHash,
    now_ms: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO devices (id, user, created_at_ms) VALUES (?1, ?2, ?3)")?
        .execute(params![device, user, now_ms])?;
    connection
        .prepare_cached("INSERT INTO tokens (hash, device) VALUES (?1, ?2)")?
        .execute(params![token.as_slice(), device])?;
    Ok(())
}

/// Forgets the token's device, and the token with it. Gives the device, or none where the token stands for nothing.
pub(crate) fn delete_device_of(
    connection: &Connection,
    token: &TokenHash,
) -> rusqlite::Result<Option<Uuid>> {
    let device: Option<Uuid> = connection
        .prepare_cached("SELECT device FROM tokens WHERE hash = ?1")?
        .query_row([token.as_slice()], |row| row.get(0))
        .optional()?;
    if let Some(device) = device {
        connection
            .prepare_cached("DELETE FROM tokens WHERE device = ?1")?
            .execute([device])?;
        connection
            .prepare_cached("DELETE FROM devices WHERE id = ?1")?
            .execute([device])?;
    }
    Ok(device)
}
