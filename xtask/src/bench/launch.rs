//! Starting servers and the load generator, each on cores of its own.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::{build, servers::Way};

/// How long a server may take until it listens; under valgrind that is not at once.
const START_MAX: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What a server may still do after its first connection.
const SETTLING: Duration = Duration::from_millis(100);
/// Sets the soft limit of descriptors to the hard one and goes on as the command that follows.
const ALL_DESCRIPTORS: &str = r#"ulimit -Sn "$(ulimit -Hn)"; exec "$@""#;

/// A server that is stopped when it is no longer needed.
pub(super) struct Running {
    child: Child,
    pub(super) port: u16,
}

impl Running {
    /// Starts a server, as the argument of `wrapper` if that is not empty, and waits until it listens.
    pub(super) fn start(way: &Way, cpus: &str, wrapper: &[String]) -> Result<Self> {
        let mut command = on_cpus(cpus);
        command.args(wrapper).args(build::command(&way.program));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Self::spawn(&mut command, |command, port| {
            let args = way.args.replace("{port}", &port.to_string());
            command.args(args.split_whitespace());
        })
    }

    /// Starts `command`, to which `listen` adds the port, and waits until it listens.
    pub(super) fn spawn(
        command: &mut Command,
        listen: impl FnOnce(&mut Command, u16),
    ) -> Result<Self> {
        // Free now, and most likely still when the server asks for it.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        listen(command, port);
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .context("could not start a server")?;
        let mut server = Self { child, port };
        let start = Instant::now();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        while !is_served(address) {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended at once: {status}");
            }
            if start.elapsed() > START_MAX {
                bail!("the server does not listen");
            }
            sleep(LOOK_EVERY);
        }
        sleep(SETTLING);
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has the load generator do `load` to it; gives the figures.
    pub(super) fn load(
        &self,
        way: &Way,
        load: &[String],
        cpus: &str,
    ) -> Result<Map<String, Value>> {
        let mut command = on_cpus(cpus);
        command
            .arg(build::load_generator())
            .args(["--port", &self.port.to_string()])
            .args(["--pid", &self.child.id().to_string()])
            .args(way.raw.then_some("--raw"))
            .args(load);
        let output = command
            .output()
            .context("could not start the load generator")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let figures: Map<String, Value> = serde_json::from_str(&text)
            .with_context(|| format!("the load generator said {text:?}"))?;
        match figures.get("error").and_then(Value::as_str) {
            Some(error) => bail!("{error}"),
            None => Ok(figures),
        }
    }

    /// Asks it to end and waits for that: a tool around it then tells what it counted.
    pub(super) fn end(mut self) -> Result<()> {
        let pid = self.child.id().to_string();
        crate::shell::run(Command::new("kill").args(["-TERM", &pid]))?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended cannot be stopped, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a server listens there. A port that nobody listens to may be the one that the system picks for this end: such a connection is one
/// with itself, and holds the port that the server is about to ask for.
fn is_served(address: SocketAddr) -> bool {
    TcpStream::connect(address)
        .and_then(|stream| stream.local_addr())
        .is_ok_and(|own| own != address)
}

/// The command that is given as arguments: on these cores, with all the descriptors that there may be, under its own id.
pub(super) fn on_cpus(cpus: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", ALL_DESCRIPTORS, "sh", "taskset", "-c", cpus]);
    command
}
