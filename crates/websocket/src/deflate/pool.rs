//! Contexts that a thread's connections lend each other. One is lent only while a message is under way, so that thousands of
//! connections without context takeover cost a few contexts.

use std::cell::RefCell;

use super::{Compressor, Inflater, Settings};

/// Contexts of each kind that a thread keeps for later, of at most 480 KiB and 47 KiB each.
const SPARE_MAX: usize = 4;

thread_local! {
    static COMPRESSORS: RefCell<Vec<Compressor>> = const { RefCell::new(Vec::new()) };
    static INFLATERS: RefCell<Vec<Inflater>> = const { RefCell::new(Vec::new()) };
}

impl Compressor {
    /// A fresh context, from the pool if it has one with these settings.
    pub(crate) fn lend(settings: Settings) -> Self {
        let spare = COMPRESSORS.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            let fits = spare.iter().rposition(|one| one.fits(settings))?;
            Some(spare.remove(fits))
        });
        match spare.ok().flatten() {
            Some(mut one) => {
                one.reset();
                one.set_level(settings.level);
                one
            }
            None => Self::new(settings),
        }
    }

    /// Puts the context into the pool; the one that was not wanted for longest goes.
    pub(crate) fn give_back(self) {
        // A thread that is ending has no pool any more: the context is freed then.
        let _ = COMPRESSORS.try_with(|spare| keep(&mut spare.borrow_mut(), self));
    }
}

impl Inflater {
    /// A fresh context, from the pool if it has one.
    pub(crate) fn lend() -> Self {
        let spare = INFLATERS.try_with(|spare| spare.borrow_mut().pop());
        match spare.ok().flatten() {
            Some(mut one) => {
                one.reset();
                one
            }
            None => Self::new(),
        }
    }

    /// Puts the context into the pool.
    pub(crate) fn give_back(self) {
        let _ = INFLATERS.try_with(|spare| keep(&mut spare.borrow_mut(), self));
    }
}

fn keep<T>(spare: &mut Vec<T>, one: T) {
    if spare.len() >= SPARE_MAX {
        spare.remove(0);
    }
    spare.push(one);
}
