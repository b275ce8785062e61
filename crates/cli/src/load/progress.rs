//! The line that tells how far a run is. It is there only on a terminal: in a log it would be noise.

use std::cell::Cell;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// The shortest time between two changes of the line.
const CHANGE_EVERY: Duration = Duration::from_millis(200);

/// A line of stderr that is written again and again.
#[derive(Debug)]
pub(super) struct Line {
    is_terminal: bool,
    shown_at: Cell<Option<Instant>>,
}

impl Line {
    pub(super) fn new() -> Line {
        Line {
            is_terminal: io::stderr().is_terminal(),
            shown_at: Cell::new(None),
        }
    }

    /// Shows this instead of what stood there, unless that has just been written.
    pub(super) fn show(&self, text: &str) {
        let is_fresh = |at: Instant| at.elapsed() < CHANGE_EVERY;
        if !self.is_terminal || self.shown_at.get().is_some_and(is_fresh) {
            return;
        }
        self.shown_at.set(Some(Instant::now()));
        // Nobody is to be told where stderr is gone.
        let _ = write!(io::stderr(), "\r{text}\x1b[K");
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.shown_at.get().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
