//! `cargo xtask autobahn`.

use anyhow::{Result, bail};

/// Not in this tree yet.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: Args) -> Result<()> {
    bail!("`cargo xtask autobahn` has not landed yet")
}
