//! `cargo xtask serve`: builds `suda` and becomes it.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{shell, web};

/// Build the server and run it: `cargo xtask serve -- --listen 127.0.0.1:9000`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Build with all optimisations: takes longer to build, serves more people.
    #[arg(long)]
    release: bool,
    /// Leave the web client as it was last built, or out.
    #[arg(long)]
    no_web: bool,
    /// Everything after `--` goes to `suda serve`.
    #[arg(last = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    if !args.no_web
        && let Err(error) = web::build()
    {
        // The chat works from terminals too: no reason to stand still.
        println!("The web client could not be built ({error:#}); going on without it.");
    }
    let profile = if args.release { "release" } else { "dev" };
    println!("Building suda ({profile} build; the first one takes some minutes) …");
    shell::run(shell::cargo().args([
        "build",
        "--package",
        "suda",
        "--bin",
        "suda",
        "--profile",
        profile,
    ]))?;

    let folder = if args.release { "release" } else { "debug" };
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map(PathBuf::from)
        .unwrap_or_else(|| "target".into());
    let binary = shell::root().join(target).join(folder).join("suda");
    println!("Running suda serve; Ctrl-C stops it.");
    // Becoming the server, instead of being its parent, lets signals reach it alone and only once.
    let error = Command::new(&binary)
        .arg("serve")
        .args(args.args)
        .current_dir(shell::root())
        .exec();
    Err(error).with_context(|| format!("could not run {}", binary.display()))
}
