//! How long to wait before another attempt: exponential with full jitter, so that clients which lost the same server
//! don't come back in step.

use suda_protocol::v1;

use super::config::{BACKOFF_FIRST_MS, BACKOFF_MAX_MS, COME_BACK_MAX_MS};

/// The machine's only randomness: SplitMix64, whose whole state is its seed.
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Jitter {
        Jitter(seed)
    }

    /// The wait in milliseconds before the attempt after `failures` failures in a row, of which there is at least one.
    pub(crate) fn wait_ms(&mut self, failures: u32) -> i64 {
        let doublings = failures.saturating_sub(1).min(16);
        let bound = (BACKOFF_FIRST_MS << doublings).min(BACKOFF_MAX_MS);
        (self.next() % (bound as u64 + 1)) as i64
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// The wait in milliseconds that an error asks for, within bounds.
pub(crate) fn retry_after_ms(error: &v1::Error) -> i64 {
    i64::from(error.retry_after_ms.min(COME_BACK_MAX_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_differ() {
        let mut jitter = Jitter::new(1);
        for failures in 1..40 {
            let bound = BACKOFF_MAX_MS.min(BACKOFF_FIRST_MS << (failures - 1).min(16));
            assert!((0..=bound).contains(&jitter.wait_ms(failures)));
        }
        let waits: std::collections::BTreeSet<i64> = (0..100).map(|_| jitter.wait_ms(10)).collect();
        assert!(waits.len() > 90);
        assert_ne!(Jitter::new(2).wait_ms(10), Jitter::new(3).wait_ms(10));
    }
}
