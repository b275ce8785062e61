//! Making the programs: the load generator, our examples, and the peers.
//!
//! Each package is built on its own, so that one's features do not change another's dependencies, and all with the same flags.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use super::{
    rows::Row,
    servers::{Program, Server, UWEBSOCKETS_VARIABLE},
};
use crate::{apt, npm, shell};

/// What the compiler may assume of the processor, for all programs alike: AVX2, which valgrind knows, too.
#[cfg(target_arch = "x86_64")]
const RUSTFLAGS: &str = "-C target-cpu=x86-64-v3";
#[cfg(not(target_arch = "x86_64"))]
const RUSTFLAGS: &str = "";
const LOAD_PACKAGE: &str = "bench-load";

/// Servers, and why they are not run.
pub(super) type NotRun = Vec<(String, String)>;

/// Builds what the rows need of `servers`; gives those that are there.
pub(super) fn programs(
    servers: Vec<Server>,
    rows: &[Row],
    no_build: bool,
) -> Result<(Vec<Server>, NotRun)> {
    if !no_build && !rows.iter().all(|row| Row::CHAT.contains(row)) {
        shell::heading("Load generator");
        package(LOAD_PACKAGE)?;
    }
    let (mut ready, mut not_run) = (Vec::new(), Vec::new());
    let mut built = BTreeSet::new();
    for mut server in servers {
        server
            .ways
            .retain(|way| rows.iter().any(|row| way.rows.contains(row)));
        if server.ways.is_empty() {
            continue;
        }
        server.ways.retain(|way| {
            let made = if no_build {
                Ok(())
            } else {
                make(&way.program, &mut built)
            };
            let reason = match made {
                Err(error) => format!("{error:#}"),
                Ok(()) if !path(&way.program).is_file() => missing(&way.program),
                Ok(()) => return true,
            };
            let line = (server.name.clone(), reason);
            if !not_run.contains(&line) {
                not_run.push(line);
            }
            false
        });
        if !server.ways.is_empty() {
            ready.push(server);
        }
    }
    Ok((ready, not_run))
}

pub(super) fn load_generator() -> PathBuf {
    release(LOAD_PACKAGE)
}

/// The command that starts a program.
pub(super) fn command(program: &Program) -> Vec<String> {
    let path = path(program).to_string_lossy().into_owned();
    if *program == Program::NodeWs {
        vec!["node".to_owned(), path]
    } else {
        vec![path]
    }
}

fn path(program: &Program) -> PathBuf {
    match program {
        Program::Package { binary, .. } => release(binary),
        Program::File(path) => path.clone(),
        Program::Gorilla => folder().join("peers/gorilla/gorilla"),
        Program::NodeWs => folder().join("peers/ws/server.mjs"),
        Program::UWebSockets => std::env::var_os(UWEBSOCKETS_VARIABLE)
            .map(PathBuf::from)
            .unwrap_or_default(),
    }
}

fn missing(program: &Program) -> String {
    match program {
        Program::UWebSockets => format!("{UWEBSOCKETS_VARIABLE} names no server"),
        other => format!("{} is missing", path(other).display()),
    }
}

fn make(program: &Program, built: &mut BTreeSet<String>) -> Result<()> {
    let name = format!("{program:?}");
    if !built.insert(match program {
        Program::Package { package, .. } => (*package).to_owned(),
        _ => name,
    }) {
        return Ok(());
    }
    match program {
        Program::Package { package: name, .. } => {
            shell::heading(name);
            package(name)
        }
        Program::Gorilla => gorilla(),
        Program::NodeWs => npm::ensure(&folder().join("peers/ws")),
        Program::File(_) | Program::UWebSockets => Ok(()),
    }
}

fn package(name: &str) -> Result<()> {
    shell::run(
        shell::cargo()
            .args(["build", "--release", "--package", name])
            .env("RUSTFLAGS", RUSTFLAGS)
            .env_remove("CARGO_TARGET_DIR")
            .current_dir(folder()),
    )
}

/// With Debian's packages, which need no module proxy.
fn gorilla() -> Result<()> {
    const SOURCES: &str = "/usr/share/gocode";
    const LIBRARY: &str = "src/github.com/gorilla/websocket";
    shell::heading("gorilla");
    if !Path::new(SOURCES).join(LIBRARY).is_dir() {
        apt::install(&["golang-go", "golang-github-gorilla-websocket-dev"]);
    }
    shell::run(
        Command::new("go")
            .args(["build", "-o", "gorilla", "."])
            .env("GOPATH", SOURCES)
            .env("GO111MODULE", "off")
            .current_dir(folder().join("peers/gorilla")),
    )
}

fn folder() -> PathBuf {
    shell::root().join("bench")
}

fn release(binary: &str) -> PathBuf {
    folder().join("target/release").join(binary)
}
