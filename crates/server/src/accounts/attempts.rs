//! Slows down guessing: failed sign-ins are counted by address and name.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use suda_protocol::names;
use suda_protocol::v1::{self, ErrorCode};

/// Failures from one address for one name before the next attempt has to wait.
const FAILURES_MAX: u32 = 10;
/// How long after the last failure its count is forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(15 * 60);
/// Pairs of address and name that are remembered. Over it the oldest goes, so memory is bounded.
const PAIRS_MAX: usize = 10_000;

type Pair = (IpAddr, String);

#[derive(Debug)]
struct Count {
    failures: u32,
    last: Instant,
}

/// The failures of late.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<Pair, Count>>);

impl Attempts {
    /// Refuses where too many attempts have failed.
    pub(super) fn check(&self, from: IpAddr, name: &str) -> Result<(), v1::Error> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = counts.get(&pair(from, name)) else {
            return Ok(());
        };
        let left = FORGET_AFTER.saturating_sub(count.last.elapsed());
        if count.failures < FAILURES_MAX || left.is_zero() {
            return Ok(());
        }
        let left_ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
        Err(v1::Error::of(ErrorCode::RateLimited).with_retry_after_ms(left_ms))
    }

    pub(super) fn failed(&self, from: IpAddr, name: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = pair(from, name);
        if counts.len() >= PAIRS_MAX && !counts.contains_key(&pair) {
            counts.retain(|_, count| count.last.elapsed() < FORGET_AFTER);
            if counts.len() >= PAIRS_MAX {
                let oldest = counts
                    .iter()
                    .min_by_key(|(_, count)| count.last)
                    .map(|(pair, _)| pair.clone());
                if let Some(oldest) = oldest {
                    counts.remove(&oldest);
                }
            }
        }
        let now = Instant::now();
        let count = counts.entry(pair).or_insert(Count {
            failures: 0,
            last: now,
        });
        if count.last.elapsed() >= FORGET_AFTER {
            count.failures = 0;
        }
        count.failures = count.failures.saturating_add(1);
        count.last = now;
    }

    pub(super) fn succeeded(&self, from: IpAddr, name: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&pair(from, name));
    }
}

/// One household has a whole IPv6 /64, so its lower half doesn't count.
fn pair(from: IpAddr, name: &str) -> Pair {
    let from = match from.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & !u128::from(u64::MAX),
        )),
        address => address,
    };
    (from, names::key(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn too_many_failures_have_to_wait_and_others_do_not() {
        let attempts = Attempts::default();
        for _ in 0..FAILURES_MAX {
            attempts.check(address("2001:db8::1"), "haneul").unwrap();
            attempts.failed(address("2001:db8::1"), "haneul");
        }
        let refused = attempts
            .check(address("2001:db8::2"), "Haneul")
            .unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RateLimited);
        assert!(refused.retry_after_ms > 0);
        attempts.check(address("2001:db8::1"), "bada").unwrap();
        attempts
            .check(address("2001:db8:0:1::1"), "haneul")
            .unwrap();
        attempts.succeeded(address("2001:db8::1"), "haneul");
        attempts.check(address("2001:db8::1"), "haneul").unwrap();
    }

    #[test]
    fn memory_is_bounded() {
        let attempts = Attempts::default();
        for number in 0..PAIRS_MAX + 3 {
            attempts.failed(address("192.0.2.1"), &number.to_string());
        }
        assert_eq!(attempts.0.lock().unwrap().len(), PAIRS_MAX);
    }
}
