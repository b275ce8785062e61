//! `cargo xtask interop`: the WebSocket library and others talk with each other, in both roles, with and without compression, directly
//! and through reverse proxies. What was negotiated is printed as a table; whatever fails makes the run fail.
//!
//! The conversations themselves are in `crates/websocket/tests/interop` and in the example `interop_client`.

mod peers;
mod proxies;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

use crate::{process::Running, shell};
use peers::{Kit, Peer};

/// A conversation takes a second or two.
const TALK_MAX: Duration = Duration::from_secs(60);
/// As the peers have it, too.
const READ_LIMIT_BYTES: &str = "4194304";
/// Who talks over HTTP/2, as what, and in which test: a page, and a proxy from and to both versions of HTTP.
const OVER_HTTP2: [(&str, &str, &str); 2] = [
    (
        "chromium",
        "client over HTTP/2",
        "chromium::a_page_in_chromium_opens_a_websocket_over_http2",
    ),
    (
        "haproxy",
        "proxy over HTTP/2",
        "haproxy::websockets_go_through_haproxy_from_and_to_both_versions",
    ),
];
const DEFLATE: [&str; 3] = ["off", "no-takeover", "takeover"];

/// Let the WebSocket library talk with others, in both roles, and through reverse proxies.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these: websockets, aiohttp, ws, gorilla, chromium, nginx, haproxy; without, all.
    peers: Vec<String>,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let folder = target().join("interop");
    fs::create_dir_all(&folder)?;
    shell::run(shell::cargo().args(["build", "--package", "suda-websocket", "--examples"]))?;
    let wanted = |name: &str| args.peers.is_empty() || args.peers.iter().any(|peer| peer == name);
    let known = || Peer::ALL.map(Peer::name).into_iter().chain(proxies::NAMES);
    for name in &args.peers {
        ensure!(
            known().any(|known| known == name),
            "there is no {name} here"
        );
    }

    let mut table = Table::default();
    for peer in Peer::ALL.into_iter().filter(|peer| wanted(peer.name())) {
        let kit = match peer.install(&folder) {
            Ok(kit) => kit,
            Err(error) => {
                table.add(peer.name(), "", "", Err(error));
                continue;
            }
        };
        for deflate in DEFLATE {
            if peer.has_deflate(deflate) {
                let talk = || ours(deflate)?.talk(&mut kit.client(deflate));
                table.add(peer.name(), "client", deflate, talk());
            }
            if peer.is_server() && peer.has_deflate(deflate) {
                let talk =
                    || Server::start(&mut kit.server(deflate))?.talk(&mut our_client(deflate));
                table.add(peer.name(), "server", deflate, talk());
            }
        }
        if peer == Peer::Chromium {
            table.add(peer.name(), "pages", "", pages(&kit, &folder));
        }
    }
    for name in proxies::NAMES.into_iter().filter(|name| wanted(name)) {
        for deflate in DEFLATE {
            let talk = || {
                let server = ours(deflate)?;
                let proxy = proxies::start(name, &folder, &server.address)?;
                proxy.talk(&mut our_client(deflate))
            };
            table.add(name, "proxy", deflate, talk());
        }
    }
    for (name, role, test) in OVER_HTTP2 {
        if wanted(name) {
            table.add(name, role, "no-takeover", over_http2(name, test));
        }
    }
    table.print()
}

/// The conversation, and what is negotiated, is a test of the library's.
fn over_http2(program: &str, test: &str) -> Result<String> {
    ensure_program(program, &[program])?;
    shell::run(shell::cargo().args([
        "test",
        "--package",
        "suda-websocket",
        "--test",
        "rfc8441",
        "--",
        "--ignored",
        "--exact",
        test,
    ]))?;
    Ok("permessage-deflate".to_owned())
}

fn ours(deflate: &str) -> Result<Server> {
    Server::start(
        Command::new(example("echo_server"))
            .args(["--listen", "127.0.0.1:0", "--read-limit", READ_LIMIT_BYTES])
            .args(["--deflate", deflate]),
    )
}

/// The pages of the examples, in the browser.
fn pages(kit: &Kit, folder: &Path) -> Result<String> {
    let file = folder.join("watched.txt");
    write(&file, "as it was")?;
    let start = |name: &str, args: &[&str]| {
        let mut example = Command::new(example(name));
        Server::start(example.args(["--listen", "127.0.0.1:0"]).args(args))
    };
    let servers = [
        start("echo_server", &[])?,
        start("chat", &[])?,
        start("command", &["cat"])?,
        start("filewatch", &["--every", "20", &file.to_string_lossy()])?,
    ];
    let mut browser = kit.pages(&file);
    for server in &servers {
        browser.arg(format!("http://{}/", server.address));
    }
    said(&mut browser)
}

fn our_client(deflate: &str) -> Command {
    let mut client = Command::new(example("interop_client"));
    client.args(["--deflate", deflate]);
    client
}

/// A server that has said where it listens.
struct Server {
    _process: Running,
    address: String,
}

impl Server {
    fn start(command: &mut Command) -> Result<Self> {
        // Some tell of every client that leaves with a code of its own.
        let log = fs::File::create(target().join("interop/server.log"))?;
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut process = Running::start(command)?;
        let line = process.first_line()?;
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.strip_suffix('/'))
            .with_context(|| format!("the server said {line:?}"))?;
        Ok(Self {
            address: address.to_owned(),
            _process: process,
        })
    }

    /// Runs a client against it; gives what the client says was negotiated.
    fn talk(&self, client: &mut Command) -> Result<String> {
        said(client.arg(format!("ws://{}/ws", self.address)))
    }
}

/// Runs a client to its end; gives what it prints.
fn said(client: &mut Command) -> Result<String> {
    let log = target().join("interop/client.log");
    let out = fs::File::create(&log)?;
    client
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out);
    let status = Running::start(client)?.wait(TALK_MAX);
    let said = fs::read_to_string(&log)?;
    match status {
        Ok(status) if status.success() => Ok(said.trim().to_owned()),
        Ok(status) => bail!("{status}: {said}"),
        Err(error) => bail!("{error}: {said}"),
    }
}

#[derive(Default)]
struct Table {
    failed: usize,
    rows: Vec<[String; 4]>,
}

impl Table {
    fn add(&mut self, peer: &str, role: &str, deflate: &str, talk: Result<String>) {
        let result = match talk {
            Ok(negotiated) => negotiated,
            Err(error) => {
                self.failed += 1;
                format!("FAILED: {error:#}")
            }
        };
        println!("{peer} {role} {deflate}: {result}");
        let row = [
            peer,
            role,
            deflate,
            result.lines().next_back().unwrap_or_default(),
        ];
        self.rows.push(row.map(str::to_owned));
    }

    fn print(&self) -> Result<()> {
        shell::heading("What was negotiated");
        println!("| peer | its role | deflate asked for | negotiated |");
        println!("|---|---|---|---|");
        for [peer, role, deflate, result] in &self.rows {
            println!("| {peer} | {role} | {deflate} | {result} |");
        }
        ensure!(
            self.failed == 0,
            "{} of {} failed",
            self.failed,
            self.rows.len()
        );
        ensure!(!self.rows.is_empty(), "nothing was run");
        Ok(())
    }
}

fn sources() -> PathBuf {
    shell::root().join("crates/websocket/tests/interop")
}

fn target() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    shell::root().join(target)
}

fn example(name: &str) -> PathBuf {
    target().join("debug/examples").join(name)
}

/// A port that is free now, for programs that cannot take port 0.
fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}

/// Whether the program is there, or apt has brought it.
fn ensure_program(program: &str, packages: &[&str]) -> Result<()> {
    let is_there = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let sbin = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
        let mut folders = std::env::split_paths(&path).chain(sbin);
        folders.any(|folder| folder.join(program).is_file())
    };
    if is_there() || crate::apt::install(packages) && is_there() {
        return Ok(());
    }
    bail!(
        "{program} is missing and could not be installed: run `apt-get install {}` as root",
        packages.join(" ")
    )
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("could not write {}", path.display()))
}
