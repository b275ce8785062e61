//! A program that is stopped when it is no longer needed.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(crate) struct Running {
    child: Child,
    name: String,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .spawn()
            .with_context(|| format!("could not start {name}"))?;
        Ok(Self { child, name })
    }

    /// The first line that it prints; its output has to be piped.
    pub(crate) fn first_line(&mut self) -> Result<String> {
        let mut line = String::new();
        let stdout = self
            .child
            .stdout
            .take()
            .context("the output is not piped")?;
        BufReader::new(stdout).read_line(&mut line)?;
        Ok(line)
    }

    pub(crate) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Waits for its end, but no longer than that.
    pub(crate) fn wait(&mut self, at_most: Duration) -> Result<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if start.elapsed() > at_most {
                bail!("{} did not end within {} s", self.name, at_most.as_secs());
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended cannot be stopped, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
