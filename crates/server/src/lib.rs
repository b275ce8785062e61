//! The shell around the engine: store, journal, workers, accounts, HTTP.
//!
//! [`Server::start`] opens the data folder, starts the threads and listens; [`Server::stop`] ends it so that clients come
//! back by themselves. What the chat's rules are stands in `suda-engine`; what is said on the wire, in `suda-protocol`.
//!
//! Who runs where:
//!
//! - HTTP (pages, accounts, the upgrade) runs on the runtime that calls [`Server::start`];
//! - each worker is a thread with its own event loop and its own chat sockets;
//! - the journal is one thread, the only one that writes to the database;
//! - a few threads read the database, a few others hash passwords.

mod accounts;
mod clock;
mod config;
mod data_dir;
mod error;
mod http;
mod journal;
mod server;
mod store;
mod worker;

pub use config::{Config, Limits, SignUp};
pub use error::StartError;
pub use server::Server;
