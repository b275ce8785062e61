//! The data folder: made for its owner alone, held by one server at a time.

use crate::error::StartError;
use crate::store::DatabaseFile;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const DATABASE_FILE: &str = "suda.db";
const LOCK_FILE: &str = "suda.lock";
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// A data folder that is ours until this value is dropped.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    database: DatabaseFile,
    // The system releases the lock with the file, also when the process is killed.
    _lock: File,
}

impl DataDir {
    /// Makes the folder and the database file where they are missing, and locks the folder.
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        let refused = |source| StartError::DataFolder {
            path: path.to_owned(),
            source,
        };
        make_folder(path).map_err(refused)?;
        let lock = private_file(&path.join(LOCK_FILE)).map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StartError::DataFolderLocked {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(refused(source)),
        }
        // SQLite gives its journal files the database's own mode, so making the file here settles all of them.
        let database = private_file(&path.join(DATABASE_FILE)).map_err(refused)?;
        sync_folder(path).map_err(refused)?;
        Ok(Self {
            path: path.to_owned(),
            database: DatabaseFile::new(database),
            _lock: lock,
        })
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE_FILE)
    }

    /// For whoever opens a connection to the database, to be kept until after that one is closed.
    pub(crate) fn database_file(&self) -> DatabaseFile {
        self.database.clone()
    }
}

/// Makes the folder, and those above it, where they are missing.
fn make_folder(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(path)?;
    for parent in missing.into_iter().filter_map(Path::parent) {
        sync_folder(parent)?;
    }
    Ok(())
}

/// Puts a folder's list of names on disk. Without it a power loss could take a whole new database away, however durable its content.
fn sync_folder(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    File::open(path)?.sync_all()
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE)
        .open(path)
}
