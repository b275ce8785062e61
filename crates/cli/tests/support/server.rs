//! A server process: started, stopped politely, killed, started again on the same port and data.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc;

use super::{DEADLINE, Folder, suda};

pub struct Server {
    child: Child,
    port: u16,
    data: PathBuf,
    setup_token: Option<String>,
    /// Everything that the server logs, over all its lives.
    log: PathBuf,
}

impl Server {
    /// Starts a server on a new data folder.
    pub fn start(folder: &Folder) -> Server {
        Server::start_with(folder, &[])
    }

    /// Starts one with further arguments, which a restart doesn't repeat.
    pub fn start_with(folder: &Folder, args: &[&str]) -> Server {
        let port = free_port();
        let (data, log) = (folder.join("data"), folder.join("server.log"));
        let (child, setup_token) = spawn(port, &data, &log, args);
        Server {
            child,
            port,
            data,
            setup_token,
            log,
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn data(&self) -> &std::path::Path {
        &self.data
    }

    /// The token that the server printed for the first administrator.
    pub fn setup_token(&self) -> &str {
        self.setup_token
            .as_deref()
            .expect("a setup token was printed")
    }

    pub fn has_setup_token(&self) -> bool {
        self.setup_token.is_some()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, and waits until the process is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and waits until the process has ended by itself.
    pub fn terminate(&mut self) -> ExitStatus {
        let signalled = std::process::Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.child.id())])
            .status()
            .unwrap();
        assert!(signalled.success());
        self.child.wait().unwrap()
    }

    /// Starts again, on the same port and data.
    pub fn restart(&mut self) {
        (self.child, self.setup_token) = spawn(self.port, &self.data, &self.log, &[]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("--- the server's log\n{log}---");
        }
    }
}

/// A port that nobody listens on, below the range from which the system takes the ports of outgoing connections:
/// while the server is down, a client's attempt could otherwise be given that very port and connect to itself.
pub fn free_port() -> u16 {
    loop {
        let random = uuid::Uuid::new_v4().as_u128();
        let port = 20_000 + u16::try_from(random % 12_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Starts the process and waits until it says that it listens.
fn spawn(
    port: u16,
    data: &std::path::Path,
    log: &std::path::Path,
    args: &[&str],
) -> (Child, Option<String>) {
    let log_file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(log)
        .unwrap();
    let mut child = suda()
        .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data"])
        .arg(data)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log_file)
        .spawn()
        .unwrap();
    // A thread reads for the whole life of the process, so that it never writes into a closed pipe.
    let (line, lines) = mpsc::channel();
    let output = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        for text in output.lines().map_while(Result::ok) {
            let _ = line.send(text);
        }
    });
    let mut token = None;
    loop {
        match lines.recv_timeout(DEADLINE) {
            // The last line that it prints.
            Ok(text) if text.contains("listening on") => return (child, token),
            Ok(text) => {
                if let Some((_, found)) = text.split_once("--setup ") {
                    token = Some(found.trim().to_owned());
                }
            }
            Err(_) => {
                let _ = child.kill();
                let status = child.wait();
                let log = std::fs::read_to_string(log).unwrap_or_default();
                panic!("the server did not come up ({status:?}):\n{log}");
            }
        }
    }
}
