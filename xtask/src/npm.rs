//! npm packages at the versions that a folder's `package-lock.json` pins.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::{apt, shell};

/// Installs what the folder's lock names, on first use and whenever the lock changes.
pub(crate) fn ensure(folder: &Path) -> Result<()> {
    if is_installed(folder) {
        return Ok(());
    }
    if !shell::exists("npm") && (!apt::install(&["npm"]) || !shell::exists("npm")) {
        bail!(
            "npm is missing and could not be installed: install Node.js 20.19 or newer with npm, then run this again"
        );
    }
    // Not `npm ci`: that refuses a lock without the binaries of every platform, and not every registry carries them all. What the
    // lock names is taken and verified by it, and without saving the lock stays as it is.
    shell::run(
        Command::new("npm")
            .args(["install", "--no-save", "--no-audit", "--no-fund"])
            .current_dir(folder),
    )
}

/// npm writes its own copy of the lock when an install is complete: older than ours means outdated or broken off.
fn is_installed(folder: &Path) -> bool {
    let changed = |path: &str| fs::metadata(folder.join(path)).and_then(|file| file.modified());
    match (
        changed("node_modules/.package-lock.json"),
        changed("package-lock.json"),
    ) {
        (Ok(installed), Ok(pinned)) => installed >= pinned,
        _ => false,
    }
}
