//! Whether a write will stay alone, foreseen by those before it.
//!
//! A turn is what happens between two times that the reader goes to the stream, since nothing that it could give out lies ready. What was
//! written in a turn is sent at its end at the latest, so a write that is the only one of its turn can as well be sent at once: that takes
//! as many system calls, and neither a queue nor the flusher. Nobody knows beforehand which write that is; but a program that answers each message
//! with one goes on doing so.

/// So many turns must have ended without a second write before one is foreseen to have none. Each second write that comes all the same
/// costs a system call, so at most one turn in so many does.
pub(super) const LONE_TURNS_MIN: u8 = 16;

#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Something was written in this turn.
    written: bool,
    /// Turns in a row that had no second write, those without any left out.
    lone: u8,
}

impl Turns {
    /// Whether a write that comes now will most likely be the only one of its turn.
    #[inline]
    pub(super) fn expect_lone_write(&self) -> bool {
        self.lone >= LONE_TURNS_MIN && !self.written
    }

    /// Something was written.
    #[inline]
    pub(super) fn written(&mut self) {
        if std::mem::replace(&mut self.written, true) {
            self.lone = 0;
        }
    }

    /// The reader goes to the stream.
    #[inline]
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.written) {
            self.lone = self.lone.saturating_add(1);
        }
    }
}
