//! `cargo xtask loom`: the models of what a WebSocket connection's handles share, in every order that threads may take.
//!
//! The models are unit tests of the library, built with `--cfg suda_loom`, which puts loom's locks in the place of std's: see
//! `crates/websocket/tests/models`. Only the library is built so, not what it depends on.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::shell;

/// Run the models of what a WebSocket connection's handles share.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// What cargo tells of an artifact that it has built.
#[derive(Deserialize)]
struct Built {
    executable: Option<String>,
}

pub(crate) fn run(_: Args) -> Result<()> {
    let mut cargo = shell::cargo();
    // As the tests are built, whose dependencies it shares: see `shell::cargo_as_tested`.
    cargo.args(["test", "--workspace", "--all-features"]);
    cargo.args(["--test", "loom_models", "--no-run"]);
    cargo.arg("--message-format=json-render-diagnostics");
    let mut building = cargo.stdout(Stdio::piped()).spawn()?;
    let told = building.stdout.take().context("cargo has no output")?;
    let mut executable = None;
    for line in BufReader::new(told).lines() {
        // Other lines tell of other things.
        if let Ok(Built {
            executable: Some(path),
        }) = serde_json::from_str(&line?)
        {
            executable = Some(path);
        }
    }
    if !building.wait()?.success() {
        bail!("the models could not be built");
    }
    let executable = executable.context("cargo built no tests")?;
    let output = Command::new(executable)
        .arg("loom_models")
        // loom traces each step to standard error.
        .stderr(Stdio::null())
        .output()?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    if !output.status.success() {
        bail!("a model failed");
    }
    Ok(())
}
