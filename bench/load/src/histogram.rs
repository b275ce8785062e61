//! A histogram of durations: 32 steps per power of two, so each is about 3 % wide.

const STEP_BITS: u32 = 5;
const STEPS: usize = 1 << STEP_BITS;

pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            counts: vec![0; 64 * STEPS],
            total: 0,
        }
    }

    pub(crate) fn add(&mut self, value: u64, times: u64) {
        self.counts[slot(value)] += times;
        self.total += times;
    }

    /// Upper edge of the slot that holds the quantile `q`; 0 if nothing was added.
    pub(crate) fn quantile(&self, q: f64) -> u64 {
        let rank = (self.total as f64 * q).ceil() as u64;
        let mut seen = 0;
        for (slot, &count) in self.counts.iter().enumerate() {
            seen += count;
            if count > 0 && seen >= rank {
                return upper_edge(slot);
            }
        }
        0
    }

    pub(crate) fn quantile_us(&self, q: f64) -> f64 {
        self.quantile(q) as f64 / 1e3
    }
}

fn slot(value: u64) -> usize {
    if value < STEPS as u64 {
        return value as usize;
    }
    let exponent = value.ilog2();
    let step = (value >> (exponent - STEP_BITS)) as usize & (STEPS - 1);
    (exponent - STEP_BITS + 1) as usize * STEPS + step
}

fn upper_edge(slot: usize) -> u64 {
    if slot < STEPS {
        return slot as u64;
    }
    let shift = slot / STEPS - 1;
    ((slot % STEPS + STEPS + 1) as u64) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_at_most_one_step_too_high() {
        for value in [0, 1, 31, 32, 33, 1000, 123_456, 1 << 40] {
            let mut one = Histogram::new();
            one.add(value, 1);
            let edge = one.quantile(0.5);
            assert!(
                edge >= value && edge <= value + value / STEPS as u64 + 1,
                "{value}: {edge}"
            );
        }
    }
}
