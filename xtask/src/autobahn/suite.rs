//! The Autobahn|Testsuite itself: a Python 2.7 to run it, its installation, and its two fuzzers.

use std::{
    env, fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::RUN_MAX;
use crate::{process::Running, shell};

const REQUIREMENTS: &str = include_str!("../../autobahn/requirements.txt");
/// The last virtualenv that makes environments for Python 2.7.
const VIRTUALENV: &str = "virtualenv==20.15.1";
/// Python takes its time to import the suite.
const START_MAX: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) struct Suite {
    wstest: PathBuf,
}

impl Suite {
    /// Installs the pinned suite below `folder`, unless it is there.
    pub(super) fn install(folder: &Path) -> Result<Self> {
        let environment = folder.join("python");
        let wstest = environment.join("bin").join("wstest");
        let stamp = environment.join("requirements.txt");
        if wstest.exists() && fs::read_to_string(&stamp).is_ok_and(|pins| pins == REQUIREMENTS) {
            return Ok(Self { wstest });
        }
        let python = python27().context(
            "no CPython 2.7 found, which the Autobahn|Testsuite needs: `pyenv install 2.7.18`, or name one in PYTHON27",
        )?;
        println!(
            "Installing the Autobahn|Testsuite with {} …",
            python.display()
        );
        for old in [&environment, &folder.join("virtualenv")] {
            if old.exists() {
                fs::remove_dir_all(old)?;
            }
        }
        fs::create_dir_all(folder)?;
        let virtualenv = folder.join("virtualenv");
        let pins = folder.join("requirements.txt");
        fs::write(&pins, REQUIREMENTS)?;
        shell::run(
            quiet(
                Command::new(&python)
                    .args(["-m", "pip", "install", "-q", "--target"])
                    .arg(&virtualenv),
            )
            .arg(VIRTUALENV),
        )?;
        shell::run(
            quiet(
                Command::new(&python)
                    .args(["-m", "virtualenv", "-q", "-p"])
                    .arg(&python),
            )
            .arg(&environment)
            .env("PYTHONPATH", &virtualenv),
        )?;
        shell::run(
            quiet(&mut Command::new(environment.join("bin").join("pip")))
                .args(["install", "-q", "-r"])
                .arg(&pins),
        )?;
        // Last: a half-made environment has no stamp and is made again.
        fs::write(&stamp, REQUIREMENTS)?;
        Ok(Self { wstest })
    }

    /// Tests the server at `url` to the end; gives the fuzzer's log.
    pub(super) fn fuzzing_client(
        &self,
        out: &Path,
        cases: &[String],
        agent: &str,
        url: &str,
    ) -> Result<String> {
        let spec = json!({
            "outdir": out,
            "servers": [{ "agent": agent, "url": url }],
            "options": { "failByDrop": false },
            "cases": cases,
            "exclude-cases": [],
            "exclude-agent-cases": {},
        });
        let log = out.join("wstest.log");
        let status = self
            .start("fuzzingclient", out, &log, &spec)?
            .wait(RUN_MAX)?;
        let text = fs::read_to_string(&log)?;
        ensure!(
            status.success(),
            "the fuzzing client failed ({status}):\n{text}"
        );
        Ok(text)
    }

    /// Starts a server that tests whoever connects.
    pub(super) fn fuzzing_server(&self, out: &Path, cases: &[String]) -> Result<Fuzzer> {
        // The suite cannot take port 0, so a port that is free now has to do.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let url = format!("ws://{address}");
        let spec = json!({
            "url": url,
            "outdir": out,
            "options": { "failByDrop": false },
            "cases": cases,
            "exclude-cases": [],
            "exclude-agent-cases": {},
        });
        let log = out.join("wstest.log");
        let mut process = self.start("fuzzingserver", out, &log, &spec)?;
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if process.has_ended()? || start.elapsed() > START_MAX {
                bail!(
                    "the fuzzing server did not start:\n{}",
                    fs::read_to_string(&log)?
                );
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(Fuzzer { process, url, log })
    }

    fn start(
        &self,
        mode: &str,
        out: &Path,
        log: &Path,
        spec: &serde_json::Value,
    ) -> Result<Running> {
        let file = out.join("spec.json");
        fs::write(&file, spec.to_string())?;
        let log = fs::File::create(log)?;
        // Port 0: no web page beside the tests.
        let page: &[&str] = if mode == "fuzzingserver" {
            &["-u", "0"]
        } else {
            &[]
        };
        Running::start(
            Command::new(&self.wstest)
                .args(["-m", mode, "-s"])
                .arg(&file)
                .args(page)
                .current_dir(out)
                .env("PYTHONUNBUFFERED", "1")
                .env("PYTHONWARNINGS", "ignore")
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log),
        )
    }
}

/// A running fuzzing server.
pub(super) struct Fuzzer {
    process: Running,
    url: String,
    log: PathBuf,
}

impl Fuzzer {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Stops it; gives its log.
    pub(super) fn stop(self) -> Result<String> {
        drop(self.process);
        Ok(fs::read_to_string(self.log)?)
    }
}

/// How many cases the suite said it would run.
pub(super) fn announced(log: &str) -> Result<usize> {
    log.split("will run ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .and_then(|count| count.parse().ok())
        .with_context(|| format!("the suite did not say how many cases it runs:\n{log}"))
}

fn quiet(command: &mut Command) -> &mut Command {
    command
        .env("PYTHONWARNINGS", "ignore")
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
}

fn python27() -> Option<PathBuf> {
    let named = env::var_os("PYTHON27").map(PathBuf::from);
    let on_path = ["python2.7", "python2"].map(PathBuf::from);
    named
        .into_iter()
        .chain(on_path)
        .chain(of_pyenv())
        .find(|python| works(python))
}

/// The versions 2.7 that pyenv has, whether or not it is on the path.
fn of_pyenv() -> Vec<PathBuf> {
    let root = env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv")));
    let versions = root.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let mut found: Vec<_> = versions
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("2.7"))
        })
        .map(|path| path.join("bin").join("python2.7"))
        .collect();
    found.sort();
    found
}

/// Whether this is a Python 2.7 that was built with what the suite imports.
fn works(python: &Path) -> bool {
    Command::new(python)
        .args([
            "-c",
            "import ssl, sys, zlib; sys.exit(sys.version_info[:2] != (2, 7))",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
