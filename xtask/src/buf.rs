//! Lints the protocol's schema with `buf`, at the version that `tools/buf/package-lock.json` pins.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::shell;

/// Runs `buf lint` over the schema; installs buf on first use and whenever the pinned version changes.
pub(crate) fn lint() -> Result<()> {
    let tool = shell::root().join("tools/buf");
    if !is_installed(&tool) {
        install(&tool)?;
    }
    shell::run(
        Command::new(tool.join("node_modules/.bin/buf"))
            .arg("lint")
            .current_dir(shell::root().join("crates/protocol/proto")),
    )?;
    println!("The schema is clean.");
    Ok(())
}

/// npm writes its own copy of the lock when an install is complete: older than ours means outdated or broken off.
fn is_installed(tool: &Path) -> bool {
    let changed = |path: &str| fs::metadata(tool.join(path)).and_then(|file| file.modified());
    match (
        changed("node_modules/.package-lock.json"),
        changed("package-lock.json"),
    ) {
        (Ok(installed), Ok(pinned)) => installed >= pinned,
        _ => false,
    }
}

fn install(tool: &Path) -> Result<()> {
    if !shell::exists("npm") {
        println!("npm is missing; installing it with apt-get …");
        let installed = Command::new("apt-get")
            .args(["install", "-y", "--no-install-recommends", "npm"])
            .stdin(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !installed || !shell::exists("npm") {
            bail!(
                "npm is missing and could not be installed: install Node.js 20 or newer with npm, then run this again"
            );
        }
    }
    // Not `npm ci`: that refuses a lock without the binaries of every platform, and not every registry carries them all. The version
    // is pinned exactly, what the lock knows is verified by it, and without saving the lock stays as it is.
    shell::run(
        Command::new("npm")
            .args(["install", "--no-save", "--no-audit", "--no-fund"])
            .current_dir(tool),
    )
}
