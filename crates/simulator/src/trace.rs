//! The last happenings of a history in words. Off unless a failed seed is run again: formatting costs more than simulating.

use std::collections::VecDeque;

/// Bytes of a line.
const LINE_BYTES_MAX: usize = 260;

#[derive(Debug, Default)]
pub(crate) struct Trace {
    lines_max: usize,
    lines: VecDeque<String>,
}

impl Trace {
    /// A trace of the last so many lines; of 0, nothing is even formatted.
    pub(crate) fn new(lines_max: usize) -> Self {
        Self {
            lines_max,
            lines: VecDeque::new(),
        }
    }

    pub(crate) fn line(&mut self, now: i64, line: impl FnOnce() -> String) {
        if self.lines_max > 0 {
            let mut line = format!("{now:>8} ms  {}", line());
            line.truncate(line.floor_char_boundary(LINE_BYTES_MAX));
            self.lines.push_back(line);
            if self.lines.len() > self.lines_max {
                self.lines.pop_front();
            }
        }
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}
