//! `cargo xtask sim`: seeds of the simulator, then the hunt for the bugs that are planted in engine and client, which proves that the
//! simulator finds bugs.
//!
//! With `--interleavings` the properties that stand between single tests and whole histories are held against many more random cases than in
//! `cargo test`: for a night.
//!
//! The planted bugs exist only in builds with `--cfg suda_mutants`, which this command makes. The script that adds it stands before the
//! compiler of the project's own crates alone, so that all else is built once.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::shell;

/// Seeds that a planted bug may take to be found.
const SEEDS_PER_MUTANT_MAX: u64 = 200;

const PLANTER: &str = "xtask/plant-bugs.sh";

/// Run the simulator, then look for the planted bugs.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// Run this seed alone and show what happened.
    #[arg(long, conflicts_with_all = ["seeds", "mutants"])]
    seed: Option<u64>,
    /// Only look for the planted bugs.
    #[arg(long)]
    mutants: bool,
    /// Only hold the properties of turns against so many random interleavings, each.
    #[arg(long, value_name = "CASES", conflicts_with_all = ["seeds", "seed", "mutants", "unoptimised"])]
    interleavings: Option<u32>,
    /// Build as the tests are built, which shares their work: sooner done with few seeds, slower with many.
    #[arg(long)]
    unoptimised: bool,
    /// With --seed: switch this planted bug on.
    #[arg(long, requires = "seed")]
    mutant: Option<String>,
    /// With --seed: how many of the last happenings to show.
    #[arg(long, requires = "seed")]
    lines: Option<u64>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    ensure!(args.seeds > 0, "--seeds must be at least 1");
    if let Some(cases) = args.interleavings {
        return interleave(cases);
    }
    if let Some(seed) = args.seed {
        let mut rest = vec!["--seed".to_owned(), seed.to_string()];
        rest.extend(
            args.lines
                .iter()
                .flat_map(|lines| ["--lines".to_owned(), lines.to_string()]),
        );
        rest.extend(
            args.mutant
                .iter()
                .flat_map(|name| ["--mutant".to_owned(), name.clone()]),
        );
        return simulate(args.unoptimised, args.mutant.is_some(), &rest);
    }
    if !args.mutants {
        shell::heading("Seeds");
        simulate(
            args.unoptimised,
            false,
            &["--seeds".to_owned(), args.seeds.to_string()],
        )?;
    }
    shell::heading("Planted bugs");
    simulate(
        args.unoptimised,
        true,
        &[
            "--mutants".to_owned(),
            "--seeds".to_owned(),
            SEEDS_PER_MUTANT_MAX.to_string(),
        ],
    )
}

/// Runs the properties of the roster's turns and of the worker's, optimised.
fn interleave(cases: u32) -> Result<()> {
    shell::heading("Interleavings");
    let mut cargo = shell::cargo();
    cargo.args(["test", "--quiet", "--profile", "sim"]);
    cargo.args(["--package", "suda-engine", "--package", "suda-server"]);
    cargo.args(["--lib", "--test", "roster_interleavings"]);
    cargo.args(["--", "roster::streams", "worker::turn", "each_stream"]);
    cargo.env("PROPTEST_CASES", cases.to_string());
    shell::run(&mut cargo).context("an interleaving was found in which a property fails")
}

/// Builds the simulator and starts it.
fn simulate(unoptimised: bool, planted: bool, args: &[String]) -> Result<()> {
    let (mut cargo, folder) = if unoptimised {
        (shell::cargo_as_tested("build"), "debug")
    } else {
        let mut cargo = shell::cargo();
        cargo.args(["build", "--profile", "sim", "--package", "suda-simulator"]);
        (cargo, "sim")
    };
    cargo.args(["--quiet", "--bin", "suda-simulator"]);
    if planted {
        cargo.env("RUSTC_WORKSPACE_WRAPPER", shell::root().join(PLANTER));
    }
    shell::run(&mut cargo).context("the simulator could not be built")?;
    let simulator = shell::target().join(folder).join("suda-simulator");
    shell::run(Command::new(simulator).args(args)).context("the simulator found something")
}
