//! Programs, data folders with accounts in them, servers, and runs of the load generator.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use super::super::{
    Args, build,
    launch::{Running, on_cpus},
    rows::Row,
    servers::{self, Family, Server as Peer},
};
use crate::shell;

/// Accounts that every data folder begins with. A password's hash takes 20 ms, so they are made once for each program.
pub(super) const USERS: usize = 1_000;
/// What the server prints before the token with which the first person signs up.
const SETUP_MARK: &str = "/setup#";
const ACCOUNTS_FILE: &str = "accounts.jsonl";

/// A build of the server.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) name: String,
    path: PathBuf,
}

/// All that the rows need.
#[derive(Debug)]
pub(in crate::bench) struct Kit {
    pub(super) programs: Vec<Program>,
    /// What is measured beside them: the floor, and the library's example.
    pub(super) peers: Vec<Peer>,
    /// Where folders are made and thrown away. On the disk that is measured.
    folder: PathBuf,
    server_cpus: String,
    load_cpus: String,
}

/// A data folder and its accounts.
#[derive(Debug, Clone)]
pub(super) struct Data {
    folder: PathBuf,
    /// As the load generator takes them; for whatever port the server had then.
    accounts: String,
}

/// A server that runs on a copy of some data.
pub(super) struct Server {
    running: Running,
    data: Data,
    load_cpus: String,
}

impl Kit {
    /// Builds the server, unless told not to. Other builds that hold a `suda` are measured, too.
    pub(in crate::bench) fn new(args: &Args, rows: &[Row], out: &Path) -> Result<Self> {
        if !args.no_build {
            shell::heading("suda");
            shell::run(shell::cargo().args(["build", "--release", "--package", "suda"]))?;
        }
        let mut programs = vec![Program {
            name: "suda".to_owned(),
            path: shell::root().join("target/release/suda"),
        }];
        for build in &args.builds {
            if let Some((name, folder)) = build.split_once('=') {
                let path = std::path::absolute(Path::new(folder).join("suda"))?;
                if path.is_file() {
                    let name = name.to_owned();
                    programs.push(Program { name, path });
                }
            }
        }
        for program in &programs {
            let path = program.path.display();
            ensure!(program.path.is_file(), "{path} is missing");
        }
        let mut peers = servers::all(&[])?;
        peers.retain(|peer| matches!(peer.family, Family::Floor | Family::Ours));
        let rows = match rows.contains(&Row::ChatFanout) || rows.contains(&Row::ChatGrowth) {
            // Not chat, but what a chat's rows are held against.
            true => &[Row::Fanout, Row::ChatGrowth][..],
            false => &[],
        };
        let (peers, _) = build::programs(peers, rows, args.no_build)?;
        let folder = std::path::absolute(out.join("chat"))?;
        if folder.exists() {
            fs::remove_dir_all(&folder).context("could not remove the last run's data")?;
        }
        fs::create_dir_all(&folder)?;
        Ok(Self {
            programs,
            peers,
            folder,
            server_cpus: args.server_cpus.clone(),
            load_cpus: args.load_cpus.clone(),
        })
    }

    /// Cores of their own for the server and the generator.
    pub(super) fn apart(&self) -> (String, String) {
        (self.server_cpus.clone(), self.load_cpus.clone())
    }

    /// All cores for both.
    pub(super) fn together(&self) -> (String, String) {
        let all = format!("{},{}", self.server_cpus, self.load_cpus);
        (all.clone(), all)
    }

    /// A data folder with accounts and nothing else. Made once for each program.
    pub(super) fn accounts(&self, program: &Program) -> Result<Data> {
        let folder = self.folder.join(&program.name).join("accounts");
        let file = folder.with_extension("jsonl");
        if let (true, Ok(accounts)) = (folder.exists(), fs::read_to_string(&file)) {
            return Ok(Data { folder, accounts });
        }
        shell::heading(&format!("{USERS} accounts ({})", program.name));
        fs::create_dir_all(&folder)?;
        let cpus = self.together().0;
        let (running, log) = start(program, &folder, &cpus)?;
        let token = log
            .split_once(SETUP_MARK)
            .and_then(|(_, rest)| rest.split_whitespace().next())
            .context("the server printed no setup token")?;
        let users = USERS.to_string();
        generate(
            &cpus,
            running.port,
            &file,
            &[
                "--setup",
                token,
                "--users",
                &users,
                "--rate",
                "0",
                "--seconds",
                "0",
            ],
        )?;
        running.end()?;
        let accounts = fs::read_to_string(&file)?;
        Ok(Data { folder, accounts })
    }

    /// What is in the folder of that name; `fill` fills it, on a copy of the accounts, where it is not there yet.
    pub(super) fn filled(
        &self,
        program: &Program,
        name: &str,
        fill: impl Fn(&Server) -> Result<()>,
    ) -> Result<Data> {
        let accounts = self.accounts(program)?;
        let folder = self.folder.join(&program.name).join(name);
        if !folder.exists() {
            let server = self.serve(program, &accounts, self.together())?;
            fill(&server)?;
            let Server { running, data, .. } = server;
            running.end()?;
            fs::rename(&data.folder, &folder)?;
        }
        let accounts = accounts.accounts;
        Ok(Data { folder, accounts })
    }

    /// Starts a server on a copy of the data. The cores of server and generator are `cpus`.
    pub(super) fn serve(
        &self,
        program: &Program,
        data: &Data,
        cpus: (String, String),
    ) -> Result<Server> {
        let folder = self.folder.join(&program.name).join("running");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        shell::run(Command::new("cp").arg("-r").args([&data.folder, &folder]))?;
        let (running, _) = start(program, &folder, &cpus.0)?;
        let accounts = for_port(&data.accounts, running.port)?;
        // Beside the folder, since a server's folder is the server's.
        let data = Data { folder, accounts };
        fs::write(data.accounts_file(), &data.accounts)?;
        let load_cpus = cpus.1;
        Ok(Server {
            running,
            data,
            load_cpus,
        })
    }
}

impl Drop for Kit {
    fn drop(&mut self) {
        // The data, left behind, is in nobody's way.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Data {
    fn accounts_file(&self) -> PathBuf {
        self.folder.with_file_name(ACCOUNTS_FILE)
    }
}

impl Server {
    /// Runs the load generator against it; gives its report. It fails where the generator found a fault.
    pub(super) fn load(&self, load: &str) -> Result<Map<String, Value>> {
        let pid = self.running.pid().to_string();
        // Beside the database: the disk is the same, and the folder is the server's.
        let disk = self.data.folder.parent().unwrap_or(&self.data.folder);
        let disk = disk.to_string_lossy();
        let mut args = vec!["--pid", &pid];
        if load.contains("--disk") {
            args.extend(["--disk", &*disk]);
        }
        args.extend(load.split_whitespace().filter(|word| *word != "--disk"));
        generate(
            &self.load_cpus,
            self.running.port,
            &self.data.accounts_file(),
            &args,
        )
    }
}

/// Starts a server; gives what it printed until it listened.
fn start(program: &Program, data: &Path, cpus: &str) -> Result<(Running, String)> {
    let log = data.with_extension("log");
    let mut command = on_cpus(cpus);
    command.arg(&program.path).arg("serve");
    command.arg("--data").arg(data);
    // A line for each of ten thousand connections is no part of what is measured.
    command.args(["--log-filter", "warn"]);
    command.stderr(Stdio::null());
    command.stdout(fs::File::create(&log)?);
    let running = Running::spawn(&mut command, |command, port| {
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
    })?;
    let printed = fs::read_to_string(&log)?;
    Ok((running, printed))
}

fn generate(cpus: &str, port: u16, accounts: &Path, load: &[&str]) -> Result<Map<String, Value>> {
    let output = on_cpus(cpus)
        .arg(shell::root().join("target/release/suda"))
        .args(["load", "--json", "--server"])
        .arg(format!("http://127.0.0.1:{port}"))
        .arg("--accounts")
        .arg(accounts)
        .args(load)
        .output()
        .context("could not start the load generator")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        let last = errors.lines().last().unwrap_or_default();
        bail!("the load generator failed: {last} {text}");
    }
    serde_json::from_str(&text).with_context(|| format!("the load generator said {text:?}"))
}

/// The accounts as those of a server on this port.
fn for_port(accounts: &str, port: u16) -> Result<String> {
    let mut lines = String::new();
    for line in accounts.lines() {
        let mut account: Map<String, Value> = serde_json::from_str(line)?;
        let server = format!("http://127.0.0.1:{port}");
        account.insert("server".to_owned(), Value::String(server));
        lines += &serde_json::to_string(&account)?;
        lines += "\n";
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_follow_their_server_to_another_port() {
        let before = "{\"server\":\"http://127.0.0.1:1\",\"name\":\"a\",\"token\":\"t\"}\n";
        let after = for_port(before, 7).unwrap();
        let account: Map<String, Value> = serde_json::from_str(&after).unwrap();
        assert_eq!(account["server"], "http://127.0.0.1:7");
        assert_eq!(account["token"], "t");
    }
}
