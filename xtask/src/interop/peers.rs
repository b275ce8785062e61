//! The other libraries: where they come from, and how they are started.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, bail};

use super::{ensure_program, sources, write};
use crate::{npm, shell};

const REQUIREMENTS: &str = include_str!("../../interop/requirements.txt");
/// Where Debian keeps the sources of Go's packages.
const GOPATH: &str = "/usr/share/gocode";
const GORILLA: &str = "src/github.com/gorilla/websocket/conn.go";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// Python's websockets.
    Websockets,
    /// Python's aiohttp.
    Aiohttp,
    /// npm's ws.
    Ws,
    /// Go's gorilla/websocket.
    Gorilla,
    /// A browser.
    Chromium,
}

impl Peer {
    pub(super) const ALL: [Self; 5] = [
        Self::Websockets,
        Self::Aiohttp,
        Self::Ws,
        Self::Gorilla,
        Self::Chromium,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Websockets => "websockets",
            Self::Aiohttp => "aiohttp",
            Self::Ws => "ws",
            Self::Gorilla => "gorilla",
            Self::Chromium => "chromium",
        }
    }

    pub(super) fn is_server(self) -> bool {
        self != Self::Chromium
    }

    /// gorilla has no context takeover. (Where a peer has no switch, our side's decides.)
    pub(super) fn has_deflate(self, deflate: &str) -> bool {
        self != Self::Gorilla || deflate != "takeover"
    }

    /// Installs what is missing below `folder`.
    pub(super) fn install(self, folder: &Path) -> Result<Kit> {
        let start = match self {
            Self::Websockets | Self::Aiohttp => {
                let python = python(folder)?;
                vec![python, sources().join("peer.py"), self.name().into()]
            }
            Self::Ws | Self::Chromium => {
                let web = shell::root().join("web");
                npm::ensure(&web)?;
                let script = sources().join("peer.mjs");
                vec!["node".into(), script, web, self.name().into()]
            }
            Self::Gorilla => vec![gorilla(folder)?],
        };
        Ok(Kit { start })
    }
}

/// How a peer is started.
pub(super) struct Kit {
    start: Vec<PathBuf>,
}

impl Kit {
    pub(super) fn server(&self, deflate: &str) -> Command {
        self.command(&["server", deflate])
    }

    pub(super) fn client(&self, deflate: &str) -> Command {
        self.command(&["client", deflate])
    }

    /// Visits the pages at the addresses that are added, in the browser; changes the file.
    pub(super) fn pages(&self, file: &Path) -> Command {
        let mut command = self.command(&["pages"]);
        command.arg(file);
        command
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.start[0]);
        command.args(&self.start[1..]).args(args);
        command
    }
}

/// A Python environment with the pinned libraries.
fn python(folder: &Path) -> Result<PathBuf> {
    let environment = folder.join("python");
    let python = environment.join("bin/python");
    let stamp = environment.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|pins| pins == REQUIREMENTS) {
        return Ok(python);
    }
    ensure_program("python3", &["python3", "python3-venv"])?;
    shell::run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&environment),
    )?;
    let pins = folder.join("requirements.txt");
    write(&pins, REQUIREMENTS)?;
    shell::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "-q", "-r"])
            .arg(&pins),
    )?;
    // Last: a half-made environment has no stamp and is made again.
    write(&stamp, REQUIREMENTS)?;
    Ok(python)
}

/// The program in Go, built from Debian's sources: no module is downloaded.
fn gorilla(folder: &Path) -> Result<PathBuf> {
    let packages = ["golang-go", "golang-github-gorilla-websocket-dev"];
    ensure_program("go", &packages)?;
    let library = Path::new(GOPATH).join(GORILLA);
    if !library.exists() && (!crate::apt::install(&packages) || !library.exists()) {
        bail!(
            "gorilla/websocket is missing: run `apt-get install {}` as root",
            packages[1]
        );
    }
    let program = folder.join("gorilla");
    shell::run(
        Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg("main.go")
            .current_dir(sources().join("gorilla"))
            .env("GO111MODULE", "off")
            .env("GOPATH", GOPATH)
            .env("GOFLAGS", ""),
    )?;
    Ok(program)
}
