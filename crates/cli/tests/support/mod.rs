//! What the tests of the binary share: a temporary folder, a server that can be killed, people with accounts, terminals.
//!
//! Nothing here sleeps: waiting means reading output until it says what is waited for, with one overall deadline.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

pub mod person;
pub mod server;
pub mod terminal;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long anything may take before the test fails. Generous: it says "never", it measures nothing.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// The binary under test, with nothing of the developer's own environment in it.
pub fn suda() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suda"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("SUDA_") || name == "PORT" {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    // Whoever runs the tests may have a keyring, which is theirs.
    command.env("SUDA_CREDENTIALS", "file");
    command
}

/// A folder that is gone when the test is over.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        let path = std::env::temp_dir().join(format!("suda-test-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
