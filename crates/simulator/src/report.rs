//! What the simulator prints.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use suda_simulator::{Failure, Outcome};

/// Between two lines of progress on a terminal.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// A line that is written over and over, on a terminal; nothing elsewhere.
pub(crate) struct Progress {
    total: u64,
    started: Instant,
    shown: Option<Instant>,
    terminal: bool,
}

impl Progress {
    pub(crate) fn new(total: u64) -> Self {
        Self {
            total,
            started: Instant::now(),
            shown: None,
            terminal: stderr().is_terminal(),
        }
    }

    pub(crate) fn show(&mut self, done: u64) {
        if self.terminal
            && self
                .shown
                .is_none_or(|shown| shown.elapsed() >= PROGRESS_EVERY)
        {
            self.shown = Some(Instant::now());
            eprint!(
                "\r{done} of {} seeds, {:.0} per second ",
                self.total,
                self.rate(done)
            );
            let _ = stderr().flush();
        }
    }

    pub(crate) fn end(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }

    pub(crate) fn rate(&self, done: u64) -> f64 {
        done as f64 / self.started.elapsed().as_secs_f64().max(0.001)
    }
}

pub(crate) fn failed(seed: u64, failure: &Failure) {
    println!("seed {seed} FAILED: {}", failure.violation);
    if !failure.trace.is_empty() {
        println!("the last happenings:");
        for line in &failure.trace {
            println!("  {line}");
        }
    }
    println!("replay it: cargo xtask sim --seed {seed}");
}

pub(crate) fn table(outcome: &Outcome) {
    println!("{}", outcome.stats);
}
