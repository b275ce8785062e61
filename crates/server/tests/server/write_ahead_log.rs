//! The write-ahead log is moved into the database while people go on writing, and nothing that is in its way stops them.

use crate::support::{Running, TempDir};
use std::path::{Path, PathBuf};
use suda_protocol::Codec;

/// The log is moved here by the journal itself at the latest (32 MiB), after a commit of at most that much more.
const WAL_BYTES_MAX: u64 = 36 * 1024 * 1024;
const TEXT_CHARS: usize = 5_000;

fn database(data: &TempDir) -> PathBuf {
    data.path().join("data/suda.db")
}

fn wal_bytes(data: &TempDir) -> u64 {
    std::fs::metadata(data.path().join("data/suda.db-wal")).map_or(0, |wal| wal.len())
}

/// Says at least that much, many at the same time. Gives how many texts it took.
async fn say(running: &Running, token: &str, bytes: u64) -> u64 {
    const WRITERS: u64 = 8;
    /// As many as a session may send without waiting.
    const POSTS_EACH: u64 = 190;
    let text = "가".repeat(TEXT_CHARS);
    let mut count = 0;
    while count * (text.len() as u64) < bytes {
        let mut writing = Vec::new();
        for _ in 0..WRITERS {
            let mut writer = running.chat(Codec::Proto, token).await;
            let text = text.clone();
            writing.push(tokio::spawn(async move {
                for _ in 0..POSTS_EACH {
                    writer.post("lobby", &text).await;
                }
            }));
        }
        for writing in writing {
            writing.await.unwrap();
        }
        count += WRITERS * POSTS_EACH;
    }
    count
}

/// How many entries the lobby has in the database's file alone, without a log beside it.
fn entries_in(file: &Path, copies: &TempDir) -> u64 {
    let copy = copies.path().join("copy.db");
    std::fs::copy(file, &copy).unwrap();
    let copy = rusqlite::Connection::open(copy).unwrap();
    copy.query_row("SELECT max(top_seq) FROM rooms", [], |row| row.get(0))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_does_not_grow_with_what_is_said_and_is_empty_after_a_stop() {
    let running = Running::new().await;
    let token = running.set_up().await;
    let said = say(&running, &token, 2 * WAL_BYTES_MAX).await;
    let grown = wal_bytes(&running.data);
    assert!(grown < WAL_BYTES_MAX, "{grown}");

    // The stop comes while the log may be under way to the database, and waits for that.
    running.server.stop().await;
    assert_eq!(wal_bytes(&running.data), 0);
    assert_eq!(
        entries_in(&database(&running.data), &TempDir::new()),
        said + 1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_moved_stops_nobody_and_is_moved_later() {
    let running = Running::new().await;
    let token = running.set_up().await;
    let mut other_program = rusqlite::Connection::open(database(&running.data)).unwrap();
    // A backup that takes its time: the log is needed as it is.
    let backup = other_program.transaction().unwrap();
    let seen = |backup: &rusqlite::Transaction<'_>| -> u64 {
        backup
            .query_row("SELECT max(top_seq) FROM rooms", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(seen(&backup), 1);
    let mut said = say(&running, &token, 2 * WAL_BYTES_MAX).await;
    assert!(wal_bytes(&running.data) > WAL_BYTES_MAX);
    assert_eq!(seen(&backup), 1);
    drop(backup);

    // It is tried again after each 16 MiB; the first commit after that cuts the file.
    said += say(&running, &token, 2 * WAL_BYTES_MAX).await;
    let left = wal_bytes(&running.data);
    assert!(left <= WAL_BYTES_MAX, "{left}");
    running.server.stop().await;
    drop(other_program);
    assert_eq!(
        entries_in(&database(&running.data), &TempDir::new()),
        said + 1
    );
}
