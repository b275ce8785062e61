//! The last happenings of a history in words. Off unless a failed seed is run again: formatting costs more than simulating.

use std::collections::VecDeque;

/// Lines that are kept.
const LINES_MAX: usize = 80;

#[derive(Debug, Default)]
pub(crate) struct Trace {
    on: bool,
    lines: VecDeque<String>,
}

impl Trace {
    pub(crate) fn new(on: bool) -> Self {
        Self { on, lines: VecDeque::new() }
    }

    pub(crate) fn line(&mut self, now: i64, line: impl FnOnce() -> String) {
        if self.on {
            self.lines.push_back(format!("{now:>8} ms  {}", line()));
            if self.lines.len() > LINES_MAX {
                self.lines.pop_front();
            }
        }
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}
