//! Medians, and how sure they are.

/// A median, and the interval that holds the true one in at least 95 of 100 cases; with less than six values, all there is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Chance to miss on each side.
const MISS: f64 = 0.025;

pub(super) fn estimate(mut values: Vec<f64>) -> Option<Estimate> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let median = (values[last / 2] + values[last - last / 2]) / 2.0;
    let cut = cut(values.len());
    Some(Estimate {
        median,
        low: values[cut],
        high: values[last - cut],
    })
}

/// How many values may be left out on each side: as many as a fair coin thrown `count` times would with a chance of at most
/// [`MISS`] not exceed. Says nothing about how the values are distributed.
fn cut(count: usize) -> usize {
    let mut chance = 0.5f64.powi(count as i32);
    let mut sum = chance;
    let mut cut = 0;
    while sum <= MISS && 2 * (cut + 1) < count {
        chance *= (count - cut) as f64 / (cut + 1) as f64;
        sum += chance;
        if sum <= MISS {
            cut += 1;
        } else {
            break;
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_rounds_leave_the_best_and_the_worst_out() {
        let one = estimate((1..=9).map(f64::from).collect()).unwrap();
        assert_eq!((one.low, one.median, one.high), (2.0, 5.0, 8.0));
    }

    #[test]
    fn few_rounds_leave_nothing_out() {
        let one = estimate(vec![3.0, 1.0]).unwrap();
        assert_eq!((one.low, one.median, one.high), (1.0, 2.0, 3.0));
        assert_eq!(estimate(Vec::new()), None);
    }
}
