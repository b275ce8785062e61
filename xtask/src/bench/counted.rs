//! What a message or a handshake costs in things that can be counted, and so do not depend on what the machine does meanwhile: instructions in
//! the server's own code (callgrind), allocations (memcheck), system calls (strace).
//!
//! Each is counted over a short and a long run. The difference, divided by what the long run has more, is free of what
//! starting and opening connections cost.

use std::{
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Map;

use super::{
    Args,
    launch::Running,
    measure::Sample,
    rows::Row,
    servers::{Server, Way},
};
use crate::{apt, shell};

const CONNS: u64 = 8;
/// So many messages on each connection.
const SHORT_RUN: u64 = 200;
const LONG_RUN: u64 = 1200;
/// So many handshakes for each of those messages: a few are cut off at the end, which shows where there are not many.
const HANDSHAKES: u64 = 8;
/// Payload bytes and messages in flight.
const ECHOES: [(usize, usize, &str); 6] = [
    (16, 1, "16 B, 1 in flight"),
    (1 << 10, 1, "1 KiB, 1 in flight"),
    (16, 16, "16 B, 16 in flight"),
    (1 << 10, 16, "1 KiB, 16 in flight"),
    (64 << 10, 1, "64 KiB, 1 in flight"),
    (64 << 10, 16, "64 KiB, 16 in flight"),
];
pub(super) const HANDSHAKE: &str = "handshake";
pub(super) const INSTRUCTIONS: &str = "instructions";
pub(super) const SYSTEM_CALLS: &str = "system calls";
/// How long a tool may take to write what it counted.
const WRITING_MAX: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What a server is given to do, in a run of any length.
struct Load {
    title: &'static str,
    /// What the generator is told, but how much.
    command: String,
    /// The generator's option for how much.
    option: &'static str,
    /// What it is told there, and what is counted, for each unit of a run's length.
    told: u64,
    counted: u64,
}

impl Load {
    fn all() -> Vec<Self> {
        let echoes = ECHOES.map(|(size, in_flight, title)| Self {
            title,
            command: format!("echo --conns {CONNS} --size {size} --in-flight {in_flight}"),
            option: "--messages-per-conn",
            told: 1,
            counted: CONNS,
        });
        let handshakes = Self {
            title: HANDSHAKE,
            command: "handshake".to_owned(),
            option: "--handshakes",
            told: HANDSHAKES,
            counted: HANDSHAKES,
        };
        echoes.into_iter().chain([handshakes]).collect()
    }
}

#[derive(Clone, Copy)]
enum Tool {
    Callgrind,
    Memcheck,
    Strace,
}

impl Tool {
    const ALL: [Self; 3] = [Self::Callgrind, Self::Memcheck, Self::Strace];

    fn unit(self) -> &'static str {
        match self {
            Self::Callgrind => INSTRUCTIONS,
            Self::Memcheck => "allocations",
            Self::Strace => SYSTEM_CALLS,
        }
    }

    /// What stands before the server's command. `log` is where the count will be.
    fn wrapper(self, log: &Path, profile: &Path) -> Vec<String> {
        let (log, profile) = (log.display(), profile.display());
        match self {
            Self::Callgrind => vec![
                "valgrind".to_owned(),
                "--tool=callgrind".to_owned(),
                format!("--log-file={log}"),
                format!("--callgrind-out-file={profile}"),
            ],
            Self::Memcheck => vec![
                "valgrind".to_owned(),
                "--tool=memcheck".to_owned(),
                "--undef-value-errors=no".to_owned(),
                format!("--log-file={log}"),
            ],
            // -D: the server, not strace, is the process that we started.
            Self::Strace => ["strace", "-D", "-f", "-c", "-o"]
                .map(str::to_owned)
                .into_iter()
                .chain([log.to_string()])
                .collect(),
        }
    }

    /// The count in what the tool wrote, once it is there.
    fn count(self, text: &str) -> Option<u64> {
        let number = |word: &str| word.replace(',', "").parse().ok();
        match self {
            Self::Callgrind => {
                let rest = text.split("Collected : ").nth(1)?;
                number(rest.split_whitespace().next()?)
            }
            Self::Memcheck => {
                let rest = text.split("total heap usage: ").nth(1)?;
                number(rest.split_whitespace().next()?)
            }
            Self::Strace => {
                let line = text
                    .lines()
                    .rfind(|line| line.trim_end().ends_with("total"))?;
                // Per cent, seconds, microseconds per call, calls, maybe errors.
                number(line.split_whitespace().nth(3)?)
            }
        }
    }
}

/// Counts what is `wanted`, by the names of server and load.
pub(super) fn run(
    args: &Args,
    servers: &[Server],
    out: &Path,
    wanted: impl Fn(&str, &str) -> bool,
) -> Result<Vec<Sample>> {
    let missing: Vec<_> = ["valgrind", "strace"]
        .into_iter()
        .filter(|tool| !shell::exists(tool))
        .collect();
    if !missing.is_empty() && !apt::install(&missing) {
        bail!("{} is needed to count", missing.join(" and "));
    }
    let mut samples = Vec::new();
    for server in servers {
        let Some(way) = server.way(Row::Counted) else {
            continue;
        };
        for load in Load::all() {
            let title = load.title;
            if !wanted(&server.name, title) {
                continue;
            }
            for tool in Tool::ALL {
                let name = format!("{} {title}", server.name).replace([' ', ',', '(', ')'], "_");
                let value = per_unit(args, way, tool, &load, &out.join(name));
                samples.push(Sample {
                    row: Row::Counted,
                    cell: cell(title, tool.unit()),
                    server: server.name.clone(),
                    round: 0,
                    value: value.map_err(|error| format!("{error:#}")),
                    figures: Map::new(),
                });
            }
            println!("{}: {title}", server.name);
        }
    }
    Ok(samples)
}

/// The title of the cell that holds so many `unit` of a load.
pub(super) fn cell(load: &str, unit: &str) -> String {
    format!("{load}: {unit}")
}

fn per_unit(args: &Args, way: &Way, tool: Tool, load: &Load, base: &Path) -> Result<f64> {
    let short = count(args, way, tool, load, SHORT_RUN, base)?;
    let long = count(args, way, tool, load, LONG_RUN, base)?;
    let units = load.counted * (LONG_RUN - SHORT_RUN);
    Ok((long as f64 - short as f64) / units as f64)
}

fn count(args: &Args, way: &Way, tool: Tool, load: &Load, length: u64, base: &Path) -> Result<u64> {
    let log = with_ending(base, "log");
    if log.exists() {
        fs::remove_file(&log)?;
    }
    let wrapper = tool.wrapper(&log, &with_ending(base, "callgrind"));
    let server = Running::start(way, &args.server_cpus, &wrapper)?;
    let much = length * load.told;
    let load: Vec<_> = format!("{} {} {much}", load.command, load.option)
        .split(' ')
        .map(str::to_owned)
        .collect();
    server.load(way, &load, &args.load_cpus)?;
    server.end()?;
    let ended = Instant::now();
    loop {
        let text = fs::read_to_string(&log).unwrap_or_default();
        if let Some(count) = tool.count(&text) {
            fs::remove_file(&log).context("could not remove the tool's log")?;
            return Ok(count);
        }
        if ended.elapsed() > WRITING_MAX {
            bail!("no count of {} in {}", tool.unit(), log.display());
        }
        sleep(LOOK_EVERY);
    }
}

fn with_ending(base: &Path, ending: &str) -> PathBuf {
    let mut name = base.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_in_what_the_tools_write() {
        let callgrind = "==7== Events    : Ir\n==7== Collected : 1234567\n";
        assert_eq!(Tool::Callgrind.count(callgrind), Some(1_234_567));
        let memcheck = "==7==   total heap usage: 1,234 allocs, 1,200 frees, 9 bytes allocated\n";
        assert_eq!(Tool::Memcheck.count(memcheck), Some(1234));
        let strace = "% time     seconds  usecs/call     calls    errors syscall\n\
            ------ ----------- ----------- --------- --------- ----------------\n \
            60.00    0.000123           1       100           sendto\n\
            ------ ----------- ----------- --------- --------- ----------------\n\
            100.00    0.000204           1       321        12 total\n";
        assert_eq!(Tool::Strace.count(strace), Some(321));
        assert_eq!(Tool::Strace.count(""), None);
    }
}
