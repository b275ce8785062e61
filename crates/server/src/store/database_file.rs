//! The database's file beside SQLite's own descriptors of it.

use super::failure::end_now;
use std::fs::File;
use std::sync::Arc;

/// The database's file, open. Clones share one descriptor.
///
/// SQLite holds POSIX locks on this file, and to close any descriptor of it takes all of the process's away. So it is opened before the
/// first connection, and everybody with a connection keeps a clone until after that is closed.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseFile {
    file: Arc<File>,
}

impl DatabaseFile {
    pub(crate) fn new(file: File) -> Self {
        Self {
            file: Arc::new(file),
        }
    }

    /// Waits until all that was written to the database is on disk, by whichever thread. Ends the process where the disk has failed.
    pub(crate) fn sync(&self) {
        // With its length, which is all that is needed of the rest to read it.
        if let Err(error) = self.file.sync_data() {
            end_now(&error);
        }
    }
}
