//! `cargo xtask bench`: the WebSocket library beside its peers, and the chat server, under load on this machine.
//!
//! Every cell of every row is measured once for each server, in a new order, before the next round begins, so that what the
//! machine does meanwhile meets all alike; ratios are taken within a round. What the figures mean is told in bench/README.md.

mod build;
mod chat;
mod counted;
mod launch;
mod measure;
mod report;
mod rows;
mod servers;
mod statistics;
mod verdict;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};

use rows::Row;

/// Rounds unless set otherwise: the least for which the interval leaves out the best and the worst.
const ROUNDS_DEFAULT: usize = 9;
/// CPU time of the server for one sample, in seconds.
const CPU_SECS_DEFAULT: f64 = 0.3;

/// Measure the WebSocket library beside its peers.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Measure only these rows; all but `counted` if none is named.
    #[arg(long, value_enum, num_args = 1.., value_delimiter = ',')]
    rows: Vec<Row>,
    /// How often each cell is measured.
    #[arg(long, default_value_t = ROUNDS_DEFAULT)]
    rounds: usize,
    /// Measure only the servers whose names hold one of these words. The floor and our own are always measured.
    #[arg(long, num_args = 1.., value_delimiter = ',')]
    peers: Vec<String>,
    /// Measure another build of ours, too: NAME=FOLDER with its suda-echo, suda-broadcast and suda, as far as the rows need them.
    #[arg(long = "build", value_name = "NAME=FOLDER")]
    builds: Vec<String>,
    /// Only cells whose titles hold this, as in "1 KiB".
    #[arg(long)]
    cell: Option<String>,
    /// CPU time of the server that a sample takes, in seconds.
    #[arg(long, default_value_t = CPU_SECS_DEFAULT)]
    cpu_secs: f64,
    /// Cores of the servers, as taskset has it.
    #[arg(long, default_value = "0")]
    server_cpus: String,
    /// Core of the load generator.
    #[arg(long, default_value = "1")]
    load_cpus: String,
    /// Take the programs as they are.
    #[arg(long)]
    no_build: bool,
    /// Folder for the report and all samples.
    #[arg(long, default_value = "bench/out")]
    out: PathBuf,
}

pub(crate) fn run(args: Args) -> Result<()> {
    ensure!(args.rounds > 0, "--rounds must be at least 1");
    let rows: Vec<Row> = if args.rows.is_empty() {
        [&Row::TIMED[..], &Row::CHAT].concat()
    } else {
        args.rows.clone()
    };
    let mut wanted = servers::all(&args.builds)?;
    wanted.retain(|server| server.is_wanted(&args.peers));
    let (servers, not_run) = build::programs(wanted, &rows, args.no_build)?;
    for (name, reason) in &not_run {
        println!("{name}: not run: {reason}");
    }
    ensure!(
        !servers.is_empty() || rows.iter().all(|row| Row::CHAT.contains(row)),
        "no server is there to be measured"
    );

    let out = crate::shell::root().join(&args.out);
    fs::create_dir_all(&out).context("could not make the folder for the report")?;
    let report = |samples: &[measure::Sample]| -> Result<String> {
        let text = report::markdown(&args, samples, &servers, &not_run);
        fs::write(out.join("bench.md"), &text)?;
        Ok(text)
    };
    let mut samples = measure::run(&args, &rows, &servers, &out, |samples| {
        report(samples).map(drop)
    })?;
    count_what_is_open(&args, &servers, &out, &mut samples)?;
    println!("\n{}", report(&samples)?);
    println!("{}", out.join("bench.md").display());
    let failed = samples
        .iter()
        .filter(|sample| sample.value.is_err())
        .count();
    ensure!(failed == 0, "{failed} samples failed, see the report");
    Ok(())
}

/// Where intervals overlap, counts decide: counts ours and the peer for just those loads.
fn count_what_is_open(
    args: &Args,
    servers: &[servers::Server],
    out: &std::path::Path,
    samples: &mut Vec<measure::Sample>,
) -> Result<()> {
    let open = report::Table { samples, servers }.to_count();
    if open.is_empty() {
        return Ok(());
    }
    crate::shell::heading(Row::Counted.title());
    let is_open = |server: &str, load: &str| open.contains(&(server.to_owned(), load.to_owned()));
    match counted::run(args, servers, out, is_open) {
        Ok(counted) => samples.extend(counted),
        // The verdicts say that these stay open.
        Err(error) => println!("not counted: {error:#}"),
    }
    measure::write(samples, out)
}

impl Args {
    /// Whether a cell of that title is to be measured.
    fn wants(&self, title: &str) -> bool {
        self.cell
            .as_ref()
            .is_none_or(|wanted| title.contains(wanted.as_str()))
    }
}
