//! Lints the protocol's schema with `buf`, at the version that `tools/buf/package-lock.json` pins.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{npm, shell};

/// Runs `buf lint` over the schema; installs buf on first use and whenever the pinned version changes.
pub(crate) fn lint() -> Result<()> {
    shell::run(
        Command::new(program()?)
            .arg("lint")
            .current_dir(shell::root().join("crates/protocol/proto")),
    )?;
    println!("The schema is clean.");
    Ok(())
}

/// Where buf is; installs it first where that is needed.
pub(crate) fn program() -> Result<PathBuf> {
    let tool = shell::root().join("tools/buf");
    npm::ensure(&tool)?;
    Ok(tool.join("node_modules/.bin/buf"))
}
