//! Durations by the million, in little memory: 64 steps for each power of two, so that a figure is at most 1.6 % off.

use std::time::Duration;

const STEP_BITS: u32 = 6;
const STEPS: u64 = 1 << STEP_BITS;
/// Powers of two of a microsecond: the last is over an hour.
const POWERS: u64 = 34;

/// Counts of durations.
#[derive(Debug)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: Duration,
}

impl Histogram {
    pub(super) fn new() -> Histogram {
        Histogram {
            counts: vec![0; usize::try_from((POWERS + 1) * STEPS).unwrap_or_default()],
            total: 0,
            max: Duration::ZERO,
        }
    }

    pub(super) fn add(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let slot = slot(micros).min(self.counts.len() - 1);
        self.counts[slot] += 1;
        self.total += 1;
        self.max = self.max.max(duration);
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> u64 {
        self.total
    }

    pub(super) fn max(&self) -> Duration {
        self.max
    }

    /// The duration that `share` (0 to 1) of all do not exceed; zero where there are none.
    pub(super) fn quantile(&self, share: f64) -> Duration {
        let rank = (self.total as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (slot, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank && *count > 0 {
                return Duration::from_micros(upper_edge(slot as u64)).min(self.max);
            }
        }
        self.max
    }
}

fn slot(micros: u64) -> usize {
    if micros < STEPS {
        return micros as usize;
    }
    let power = micros.ilog2() - STEP_BITS;
    let step = (micros >> power) - STEPS;
    (u64::from(power + 1) * STEPS + step) as usize
}

fn upper_edge(slot: u64) -> u64 {
    if slot < STEPS {
        return slot;
    }
    let power = slot / STEPS - 1;
    ((slot % STEPS + STEPS + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_lies_within_its_slot() {
        for micros in (0..2_000).chain([1 << 20, (1 << 20) + 12_345, 3_600_000_000]) {
            let edge = upper_edge(slot(micros) as u64);
            assert!(edge >= micros, "{micros} > {edge}");
            assert!(
                edge <= micros + micros / STEPS,
                "{edge} is far from {micros}"
            );
        }
    }

    #[test]
    fn quantiles_of_a_known_set() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), Duration::ZERO);
        for millis in 1..=1_000 {
            histogram.add(Duration::from_millis(millis));
        }
        let near = |share: f64, millis: u64| {
            let found = histogram.quantile(share).as_millis() as u64;
            assert!(
                found.abs_diff(millis) <= millis / 50,
                "{found} for {millis}"
            );
        };
        near(0.5, 500);
        near(0.99, 990);
        near(0.999, 999);
        assert_eq!(histogram.quantile(1.0), Duration::from_secs(1));
        assert_eq!(histogram.max(), Duration::from_secs(1));
        assert_eq!(histogram.count(), 1_000);
    }

    #[test]
    fn what_is_longer_than_all_slots_is_counted_in_the_last() {
        let mut histogram = Histogram::new();
        histogram.add(Duration::MAX);
        assert_eq!(histogram.count(), 1);
        assert_eq!(histogram.max(), Duration::MAX);
    }
}
