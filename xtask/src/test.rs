//! `cargo xtask test`: every check, in one run, the same on a laptop and in CI.
//!
//! A step that fails fails the run, but the steps after it still run: one run shows everything that is wrong.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::{audit, buf, loom, shell, web};

/// Seeds of the short simulation: minutes of simulated chat in seconds. `cargo xtask sim` runs as many as one likes.
const SIM_SEEDS: &str = "50";

/// Run every check, or only those named.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run only this step; may be given several times.
    #[arg(long, value_enum)]
    only: Vec<Step>,
}

/// The steps, in the order in which they run: what fails fastest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// rustfmt finds nothing to change.
    Fmt,
    /// buf finds nothing wrong in the protocol's schema.
    Buf,
    /// clippy has no warning, in any feature set of the WebSocket library.
    Clippy,
    /// rustdoc finds no broken link.
    Doc,
    /// The public items of the WebSocket library are those of its snapshot.
    Api,
    /// All tests of the workspace, documentation examples included.
    Unit,
    /// Every order in which threads may use a WebSocket connection.
    Loom,
    /// The web client: types, lints, logic, and both clients against the real server, in a browser and in a pseudo-terminal.
    Web,
    /// A short simulation.
    Sim,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let mut results = Vec::new();
    for &step in Step::value_variants() {
        if !args.only.is_empty() && !args.only.contains(&step) {
            continue;
        }
        shell::heading(step.title());
        let start = Instant::now();
        let result = step.run();
        let duration = start.elapsed();
        match &result {
            Ok(()) => println!("-- passed in {}", seconds(duration)),
            Err(error) => println!("-- FAILED in {}: {error:#}", seconds(duration)),
        }
        results.push((step, duration, result.is_ok()));
    }

    shell::heading("Summary");
    for (step, duration, passed) in &results {
        let word = if *passed { "passed" } else { "FAILED" };
        println!("{word}  {:>8}  {}", seconds(*duration), step.title());
    }
    let failed = results.iter().filter(|(_, _, passed)| !passed).count();
    if failed > 0 {
        bail!("{failed} of {} steps failed", results.len());
    }
    Ok(())
}

impl Step {
    fn title(self) -> &'static str {
        match self {
            Step::Fmt => "Format (rustfmt)",
            Step::Buf => "Schema (buf lint)",
            Step::Clippy => "Lints (clippy)",
            Step::Doc => "Documentation (rustdoc)",
            Step::Api => "Public face of the WebSocket library",
            Step::Unit => "Tests (cargo test)",
            Step::Loom => "Models (loom)",
            Step::Web => "Web client, and both clients side by side (Chromium)",
            Step::Sim => "Short simulation",
        }
    }

    fn run(self) -> Result<()> {
        match self {
            Step::Fmt => {
                shell::run(shell::cargo().args(["fmt", "--all", "--check"]))?;
                let bench = shell::root().join("bench");
                shell::run(
                    shell::cargo()
                        .args(["fmt", "--all", "--check"])
                        .current_dir(bench),
                )
            }
            Step::Buf => buf::lint(),
            Step::Clippy => {
                clippy(&["--workspace", "--all-targets"])?;
                // Without its tests, which would switch the features on again and hide what is dead without them.
                let bare = ["--package", "suda-websocket", "--no-default-features"];
                clippy(&bare)?;
                clippy(&[&bare[..], &["--features", "tokio"]].concat())?;
                clippy(&[
                    "--package",
                    "suda-websocket",
                    "--all-features",
                    "--all-targets",
                ])
            }
            Step::Doc => shell::run(
                shell::cargo()
                    .args(["doc", "--workspace", "--no-deps", "--all-features"])
                    .env("RUSTDOCFLAGS", "-D warnings"),
            ),
            Step::Api => audit::api(false),
            Step::Unit => shell::run(shell::cargo().args([
                "test",
                "--workspace",
                "--all-features",
                "--no-fail-fast",
            ])),
            Step::Loom => loom::run(loom::Args {}),
            Step::Web => web::test(),
            Step::Sim => {
                let own = std::env::current_exe().context("could not find xtask itself")?;
                shell::run(std::process::Command::new(own).args(["sim", "--seeds", SIM_SEEDS]))
            }
        }
    }
}

fn clippy(what: &[&str]) -> Result<()> {
    shell::run(
        shell::cargo()
            .arg("clippy")
            .args(what)
            .args(["--", "-D", "warnings"]),
    )
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
