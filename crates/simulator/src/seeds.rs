//! Runs seeds, on all processors, and sums up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use suda_simulator::{Outcome, Stats, run as run_seed};

use crate::report::{self, Progress};

/// Runs seeds from 0 up until all are done or one fails. True where all was right.
pub(crate) fn run(seeds: u64, full_run_seeds_min: u64, lines: usize) -> bool {
    let mut progress = Progress::new(seeds);
    let mut stats = Stats::default();
    let mut done = 0;
    let failed = each(seeds, |_, outcome| {
        done += 1;
        stats.add(&outcome.stats);
        progress.show(done);
    });
    progress.end();
    println!("{stats}");
    println!("{done} seeds, {:.0} per second", progress.rate(done));
    if let Some(seed) = failed {
        replay(seed, lines);
        return false;
    }
    let never = stats.never();
    if seeds >= full_run_seeds_min && !never.is_empty() {
        println!("FAILED: never occurred: {}", never.join("; "));
        return false;
    }
    println!("every guarantee held");
    true
}

/// Runs one seed and shows what happened.
pub(crate) fn replay(seed: u64, lines: usize) -> bool {
    let outcome = run_seed(seed, lines);
    match &outcome.failure {
        Some(failure) => report::failed(seed, failure),
        None => {
            report::table(&outcome);
            println!(
                "seed {seed}: every guarantee held (fingerprint {:016x})",
                outcome.fingerprint
            );
        }
    }
    outcome.failure.is_none()
}

/// Gives each outcome in the order in which they come. Stops at a failure and gives the lowest seed that failed.
fn each(seeds: u64, mut take: impl FnMut(u64, Outcome)) -> Option<u64> {
    let next = AtomicU64::new(0);
    let failed = AtomicU64::new(u64::MAX);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (sender, outcomes) = mpsc::sync_channel(threads);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, failed) = (sender.clone(), &next, &failed);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds || seed > failed.load(Ordering::Relaxed) {
                        return;
                    }
                    let outcome = run_seed(seed, 0);
                    if outcome.failure.is_some() {
                        failed.fetch_min(seed, Ordering::Relaxed);
                    }
                    if sender.send((seed, outcome)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (seed, outcome) in outcomes {
            take(seed, outcome);
        }
    });
    match failed.into_inner() {
        u64::MAX => None,
        seed => Some(seed),
    }
}

/// Switches a planted bug on for this thread. False where there is none of that name.
#[cfg(not(suda_mutants))]
pub(crate) fn switch(_name: &str) -> bool {
    false
}

/// Looks for every planted bug.
#[cfg(not(suda_mutants))]
pub(crate) fn hunt(_seeds: u64) -> bool {
    eprintln!(
        "error: no bugs are planted in this build; `cargo xtask sim --mutants` makes one in which there are"
    );
    false
}

#[cfg(suda_mutants)]
pub(crate) use hunting::{hunt, switch};

#[cfg(suda_mutants)]
mod hunting {
    use suda_simulator::run as run_seed;

    fn all() -> Vec<&'static str> {
        suda_engine::mutants::NAMES
            .iter()
            .chain(suda_client::mutants::NAMES)
            .chain(suda_simulator::mutants::NAMES)
            .copied()
            .collect()
    }

    pub(crate) fn switch(name: &str) -> bool {
        let name = all().into_iter().find(|known| *known == name);
        set(name);
        name.is_some()
    }

    fn set(name: Option<&'static str>) {
        suda_engine::mutants::switch(name);
        suda_client::mutants::switch(name);
        suda_simulator::mutants::switch(name);
    }

    /// Runs seeds with each planted bug until one fails. True where all were found, and where the same seeds pass without any.
    pub(crate) fn hunt(seeds: u64) -> bool {
        let mut good = true;
        for name in all() {
            set(Some(name));
            let found = (0..seeds)
                .find_map(|seed| run_seed(seed, 0).failure.map(|failure| (seed, failure)));
            set(None);
            match found {
                Some((seed, failure)) => {
                    println!(
                        "found    {name:<32} after {:>3} seeds: {}",
                        seed + 1,
                        failure.violation
                    );
                    if let Some(failure) = run_seed(seed, 0).failure {
                        println!(
                            "         but seed {seed} fails without it too: {}",
                            failure.violation
                        );
                        good = false;
                    }
                }
                None => {
                    println!("MISSED   {name:<32} in {seeds} seeds");
                    good = false;
                }
            }
        }
        good
    }
}
