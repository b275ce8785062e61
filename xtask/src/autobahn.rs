//! `cargo xtask autobahn`: the Autobahn|Testsuite against the WebSocket library, as server and as client.
//!
//! Strict: every case of the groups has to be run and to be OK or INFORMATIONAL, in what it says of the behaviour and of the
//! closing. Where the suite cannot run, this is not green.

mod report;
mod suite;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::{process::Running, shell};
use report::Report;
use suite::Suite;

/// Groups 1–10: all of RFC 6455.
const PLAIN_GROUPS: &[u32] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
/// How many cases these groups have.
const PLAIN_CASES: usize = 301;
/// permessage-deflate, RFC 7692.
const DEFLATE_GROUPS: &[u32] = &[12, 13];
/// How many cases these groups have.
const DEFLATE_CASES: usize = 216;
/// Longest message of the suite is 16 MiB.
const READ_LIMIT_BYTES: usize = 32 << 20;
/// A run of one role takes a minute or two; one that takes this long hangs.
const RUN_MAX: Duration = Duration::from_secs(30 * 60);
const AGENT: &str = "suda-websocket";

/// Run the Autobahn|Testsuite against the echo server and the echoing client.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Test only this role.
    #[arg(long, value_enum)]
    role: Option<Role>,
    /// Run the groups of compression, too: all 517 cases, in about a quarter of an hour for each role.
    #[arg(long, conflicts_with = "cases")]
    all: bool,
    /// Whether contexts are kept from message to message where compression is used.
    #[arg(long, value_enum, default_value_t = Deflate::Takeover)]
    deflate: Deflate,
    /// Run only these cases, as in `2.*` or `7.1.3`; may be given several times.
    #[arg(long = "case")]
    cases: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    Server,
    Client,
}

/// What `--deflate` of the two examples takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deflate {
    Off,
    NoTakeover,
    Takeover,
}

impl Deflate {
    fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::NoTakeover => "no-takeover",
            Self::Takeover => "takeover",
        }
    }
}

pub(crate) fn run(args: Args) -> Result<()> {
    let folder = target().join("autobahn");
    let suite = Suite::install(&folder)?;
    shell::run(shell::cargo().args([
        "build",
        "--release",
        "--package",
        "suda-websocket",
        "--example",
        "echo_server",
        "--example",
        "autobahn_client",
    ]))?;

    let groups = |groups: &[u32]| groups.iter().map(|group| format!("{group}.*")).collect();
    let (cases, strict_count): (Vec<String>, _) = if !args.cases.is_empty() {
        (args.cases, None)
    } else if args.all {
        let all = [PLAIN_GROUPS, DEFLATE_GROUPS].concat();
        (groups(&all), Some(PLAIN_CASES + DEFLATE_CASES))
    } else {
        (groups(PLAIN_GROUPS), Some(PLAIN_CASES))
    };
    let deflate = args.deflate.name();
    let mut bad = 0;
    for &role in Role::value_variants() {
        if args.role.is_some_and(|only| only != role) {
            continue;
        }
        let name = if role == Role::Server {
            "server"
        } else {
            "client"
        };
        shell::heading(&format!("Autobahn: {AGENT} as {name}"));
        let out = folder.join(name);
        if out.exists() {
            fs::remove_dir_all(&out)?;
        }
        fs::create_dir_all(&out)?;
        let announced = match role {
            Role::Server => test_server(&suite, &out, &cases, deflate)?,
            Role::Client => test_client(&suite, &out, &cases, deflate)?,
        };
        let report = Report::read(&out)?;
        report.print();
        println!("reports: {}", out.join("index.html").display());
        let expected = strict_count.unwrap_or(announced);
        ensure!(
            report.len() == expected && announced == expected,
            "{} of {expected} cases have a result ({announced} announced)",
            report.len()
        );
        bad += report.bad();
    }
    if bad > 0 {
        bail!("{bad} cases are not strictly right");
    }
    Ok(())
}

/// The fuzzing client against our server. Gives how many cases it said it would run.
fn test_server(suite: &Suite, out: &Path, cases: &[String], deflate: &str) -> Result<usize> {
    let mut server = Running::start(
        Command::new(example("echo_server"))
            .args([
                "--listen",
                "127.0.0.1:0",
                "--read-limit",
                &READ_LIMIT_BYTES.to_string(),
                "--deflate",
                deflate,
            ])
            .stderr(Stdio::null())
            .stdout(Stdio::piped()),
    )?;
    let line = server.first_line()?;
    let address = line
        .split("http://")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .with_context(|| format!("the echo server said {line:?}"))?;
    let log = suite.fuzzing_client(out, cases, AGENT, &format!("ws://{address}/ws"))?;
    suite::announced(&log)
}

/// Our client against the fuzzing server.
fn test_client(suite: &Suite, out: &Path, cases: &[String], deflate: &str) -> Result<usize> {
    let fuzzer = suite.fuzzing_server(out, cases)?;
    let mut client = Running::start(Command::new(example("autobahn_client")).args([
        "--agent",
        AGENT,
        "--url",
        fuzzer.url(),
        "--deflate",
        deflate,
    ]))?;
    let status = client.wait(RUN_MAX)?;
    ensure!(status.success(), "the client failed: {status}");
    suite::announced(&fuzzer.stop()?)
}

fn target() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    shell::root().join(target)
}

fn example(name: &str) -> PathBuf {
    target().join("release").join("examples").join(name)
}
