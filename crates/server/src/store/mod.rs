//! Where everything durable lies: one SQLite file.
//!
//! One connection writes (it belongs to the journal's thread), one moves the write-ahead log, a few read, each on its own thread. What is written
//! when, and what an answer waits for, is the journal's business; here is only how it is kept.

mod connection;
mod database_file;
mod entries;
mod failure;
mod readers;
mod schema;

pub(crate) mod accounts;
pub(crate) mod facts;
pub(crate) mod plan_rows;
pub(crate) mod reading;
mod rooms;
mod transaction;
mod write_ahead_log;

pub(crate) use connection::{open, open_for_log};
pub(crate) use database_file::DatabaseFile;
pub(crate) use failure::{Failure, end_if_unsafe};
pub(crate) use readers::{ReadError, Readers};
pub(crate) use transaction::Transaction;
pub(crate) use write_ahead_log::{Moved, move_log};
