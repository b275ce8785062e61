//! The last happenings of a history in words. Off unless a failed seed is run again: formatting costs more than simulating.

use std::collections::VecDeque;

/// Lines that are kept.
const LINES_MAX: usize = 80;

/// Bytes of a line.
const LINE_BYTES_MAX: usize = 260;

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
            let mut line = format!("{now:>8} ms  {}", line());
            line.truncate(line.floor_char_boundary(LINE_BYTES_MAX));
            self.lines.push_back(line);
            if self.lines.len() > LINES_MAX {
                self.lines.pop_front();
            }
        }
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}
