//! A few histories, so that `cargo test` alone says something; `cargo xtask sim` runs as many as one likes.

use suda_simulator::run;

#[test]
fn every_guarantee_holds_over_some_seeds() {
    for seed in 10_000..10_010 {
        if let Some(failure) = run(seed, 60).failure {
            panic!(
                "seed {seed}: {}\n{}",
                failure.violation,
                failure.trace.join("\n")
            );
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in 0..3 {
        let (one, other) = (run(seed, 0), run(seed, 0));
        assert_eq!(one.fingerprint, other.fingerprint, "seed {seed}");
        assert_eq!(
            one.stats.to_string(),
            other.stats.to_string(),
            "seed {seed}"
        );
    }
    assert_ne!(run(0, 0).fingerprint, run(1, 0).fingerprint);
}

#[test]
fn tracing_changes_nothing() {
    assert_eq!(run(4, 0).fingerprint, run(4, 60).fingerprint);
}
