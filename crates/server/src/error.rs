//! Why a server did not start: one sentence each, which says what to do.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why [`Server::start`](crate::Server::start) failed. Each variant's text is meant to be shown to a person as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another program listens on the address.
    #[error(
        "{address} is in use by another program. Stop that one, or choose another address with --listen."
    )]
    AddressInUse {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The address cannot be listened on for another reason.
    #[error(
        "Cannot listen on {address}: {source}. Choose another address or port with --listen (ports below 1024 need extra rights)."
    )]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The data folder cannot be made or written to.
    #[error(
        "The data folder {} cannot be written to: {source}. Give it to the user that runs suda, or choose another with --data.",
        path.display()
    )]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another server works on the same data folder.
    #[error(
        "Another suda uses the data folder {}. Stop that one, or choose another folder with --data.",
        path.display()
    )]
    DataFolderLocked {
        /// The folder.
        path: PathBuf,
    },
    /// The database was written by a newer suda.
    #[error(
        "The database {} was written by a newer suda (its version is {found}, this suda knows up to {known}). Run a newer suda, or restore a backup.",
        path.display()
    )]
    DatabaseTooNew {
        /// The file.
        path: PathBuf,
        /// The version that it has.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The database is of a build from before the first release, with other tables. Nothing carries them over.
    #[error(
        "The database {} was written by a suda from before the first release, whose tables this one cannot read. Move the file away, or choose another folder with --data, to begin anew.",
        path.display()
    )]
    DatabaseUnreleased {
        /// The file.
        path: PathBuf,
    },
    /// The database cannot be opened or migrated.
    #[error(
        "The database {} cannot be opened: {source}. If the file is damaged, restore a backup.",
        path.display()
    )]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A setting has a value that makes no sense.
    #[error("The setting {setting} is wrong: {problem}.")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The system gave no thread or no randomness.
    #[error("The system refused {what}: {source}. Check its limits on processes and memory.")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What it says.
        source: std::io::Error,
    },
}
