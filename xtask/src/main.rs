//! Everything that a developer or CI runs, as `cargo xtask COMMAND`. A laptop and CI run the same code.
//!
//! One file per command. What a command needs from the system and lacks, it installs or names.

mod apt;
mod audit;
mod autobahn;
mod bench;
mod buf;
mod fuzz;
mod interop;
mod loom;
mod npm;
mod process;
mod screenshots;
mod serve;
mod shell;
mod sim;
mod test;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The tasks of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the server and run it.
    Serve(serve::Args),
    /// Run every check: format, lints, schema, tests, a short simulation.
    Test(test::Args),
    /// Run the Autobahn test suite against the WebSocket library, both roles.
    Autobahn(autobahn::Args),
    /// Measure the WebSocket library beside its peers.
    Bench(bench::Args),
    /// Check the WebSocket library's public face, and all dependencies.
    Audit(audit::Args),
    /// Fuzz the WebSocket library, with AddressSanitizer.
    Fuzz(fuzz::Args),
    /// Let the WebSocket library talk with others, in both roles, and through proxies.
    Interop(interop::Args),
    /// Try every order in which threads may use a WebSocket connection (loom).
    Loom(loom::Args),
    /// Run the simulator: real engine and client, simulated clock, network and disk.
    Sim(sim::Args),
    /// Take the README's pictures anew.
    Screenshots(screenshots::Args),
    /// Build the web client, which the next build of the binary takes in.
    Web(web::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Serve(args) => serve::run(args),
        Task::Test(args) => test::run(args),
        Task::Autobahn(args) => autobahn::run(args),
        Task::Bench(args) => bench::run(args),
        Task::Audit(args) => audit::run(args),
        Task::Fuzz(args) => fuzz::run(args),
        Task::Interop(args) => interop::run(args),
        Task::Loom(args) => loom::run(args),
        Task::Sim(args) => sim::run(args),
        Task::Screenshots(args) => screenshots::run(args),
        Task::Web(args) => web::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
