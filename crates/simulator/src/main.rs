//! `suda-simulator`: runs many seeds, or one, or looks for planted bugs. `cargo xtask sim` builds and starts it.

mod report;
mod seeds;

use std::process::ExitCode;

use clap::Parser;

/// Seeds from which on each fault and each way of catching up must have occurred.
const FULL_RUN_SEEDS_MIN: u64 = 200;

/// Runs the real engine and client on a simulated clock, network and disk.
#[derive(Debug, Parser)]
struct Cli {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// Run this seed alone, and show what happened.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Look for the planted bugs instead. Only in a build with `--cfg suda_mutants`.
    #[arg(long)]
    mutants: bool,
    /// With --seed: switch this planted bug on. Only in a build with `--cfg suda_mutants`.
    #[arg(long, requires = "seed")]
    mutant: Option<String>,
    /// How many of the last happenings are shown when a seed fails.
    #[arg(long, default_value_t = 60)]
    lines: usize,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // A history that panics is reported as one that failed; the message of each would only be noise between the lines.
    std::panic::set_hook(Box::new(|_| {}));
    let good = match (&cli.mutant, cli.seed) {
        _ if cli.mutants => seeds::hunt(cli.seeds),
        (Some(name), _) if !seeds::switch(name) => {
            eprintln!("error: there is no planted bug {name:?} in this build");
            false
        }
        (_, Some(seed)) => seeds::replay(seed, cli.lines),
        (_, None) => seeds::run(cli.seeds, FULL_RUN_SEEDS_MIN, cli.lines),
    };
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
