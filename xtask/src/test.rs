//! `cargo xtask test`: every check, in one run, the same on a laptop and in CI.
//!
//! A step that fails fails the run, but the steps after it still run: one run shows everything that is wrong. What can be checked of the web
//! client without a server is checked beside the steps that compile; what there is to say of it is told in its turn.
//!
//! Most of a run from nothing is compiling, so the steps build what they share in the same way: see [`shell::cargo_as_tested`], and the profiles in
//! the workspace's `Cargo.toml`. The web client is built before the tests, which then build the binary that the browser gets.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, ValueEnum)]
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
    /// The web client: types, lints, logic, and its build.
    Web,
    /// All tests of the workspace, documentation examples included.
    Unit,
    /// Every order in which threads may use a WebSocket connection.
    Loom,
    /// Both clients against the real server, in a browser and in a pseudo-terminal.
    Browser,
    /// A short simulation.
    Sim,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let mut steps = Step::value_variants().to_vec();
    steps.retain(|step| args.only.is_empty() || args.only.contains(step));
    let mut results = Vec::new();
    let mut beside = None;
    for &step in &steps {
        // Not before buf, whose packages both would install.
        if beside.is_none() && step > Step::Buf && steps.contains(&Step::Web) {
            beside = Some(Beside::start()?);
        }
        shell::heading(step.title());
        let start = Instant::now();
        let result = match (step, beside.take_if(|_| step == Step::Web)) {
            (Step::Web, Some(checked)) => checked.finish().and_then(|()| web::build()),
            (Step::Browser, _) if !steps.contains(&Step::Web) => {
                web::build().and_then(|()| step.run())
            }
            _ => step.run(),
        };
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
            Step::Web => "Web client",
            Step::Unit => "Tests (cargo test)",
            Step::Loom => "Models (loom)",
            Step::Browser => "Both clients, in Chromium and in a terminal",
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
                // The tests switch every feature on in any case. To say so spares another set of dependencies.
                clippy(&["--workspace", "--all-targets", "--all-features"])?;
                // Without its tests, which would switch the features on again and hide what is dead without them.
                let bare = ["--package", "suda-websocket", "--no-default-features"];
                clippy(&bare)?;
                clippy(&[&bare[..], &["--features", "tokio"]].concat())
            }
            Step::Doc => audit::document(),
            Step::Api => audit::api(false),
            Step::Web => web::check().and_then(|()| web::build()),
            Step::Unit => shell::run(shell::cargo().args([
                "test",
                "--workspace",
                "--all-features",
                "--no-fail-fast",
            ])),
            Step::Loom => loom::run(loom::Args {}),
            Step::Browser => web::in_browser(&[]),
            Step::Sim => shell::run(own()?.args(["sim", "--seeds", SIM_SEEDS, "--unoptimised"])),
        }
    }
}

/// The web client's checks, under way beside other steps.
struct Beside {
    child: Child,
    log: PathBuf,
}

impl Beside {
    fn start() -> Result<Self> {
        let folder = shell::target();
        fs::create_dir_all(&folder)?;
        let log = folder.join("web-check.log");
        let file = File::create(&log).context("could not make a log")?;
        let mut command = own()?;
        command.args(["web", "--check"]);
        command.stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().context("could not start xtask itself")?;
        Ok(Self { child, log })
    }

    /// Waits for it and prints what it said.
    fn finish(mut self) -> Result<()> {
        let status = self.child.wait()?;
        print!("{}", fs::read_to_string(&self.log)?);
        ensure!(status.success(), "see above");
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // One that has ended cannot be stopped, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn own() -> Result<Command> {
    let own = std::env::current_exe().context("could not find xtask itself")?;
    Ok(Command::new(own))
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
