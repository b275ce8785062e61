//! Bugs planted to prove that the simulator finds bugs. Compiled only under `--cfg suda_mutants`.
//!
//! A planted bug sits where a real one would, behind `mutant!("its-name")`, and is off until the simulator switches it on
//! for its own thread.

use std::cell::Cell;

thread_local! {
    static ON: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// The bugs planted in this crate, by name.
pub const NAMES: &[&str] = &[
    "forget-dedupe-within-batch",
    "acknowledge-after-rollback",
    "keep-tops-after-rollback",
    "keep-tops-after-unknown-outcome",
    "skip-hole",
    "ignore-removal",
    "offer-page-twice",
    "ignore-missed-batches",
    "live-despite-full-outbox",
    "accept-other-past",
    "skip-turn",
    "forget-due-room",
    "tell-of-later-top",
];

/// Switches one bug on for this thread, or all off.
pub fn switch(name: Option<&'static str>) {
    ON.with(|on| on.set(name));
}

/// Whether this bug is on.
pub(crate) fn is_on(name: &str) -> bool {
    ON.with(|on| on.get()) == Some(name)
}
