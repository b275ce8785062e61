//! A token bucket on somebody else's clock.

use crate::{Refusal, Timestamp};
use suda_protocol::ErrorCode;

const MS_PER_S: u64 = 1000;

/// Allows a burst, then a steady rate. Counts in thousandths of a token, so that a millisecond is never rounded away.
#[derive(Debug)]
pub(super) struct Bucket {
    rate_per_s: u64,
    full_milli: u64,
    level_milli: u64,
    filled_at: Option<Timestamp>,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(rate_per_s: u32, burst_max: u32) -> Self {
        let full_milli = u64::from(burst_max) * MS_PER_S;
        Self {
            rate_per_s: u64::from(rate_per_s),
            full_milli,
            level_milli: full_milli,
            filled_at: None,
        }
    }

    /// Takes one token, or says when there will be one. A clock that was set back fills nothing and takes nothing away.
    pub(super) fn take(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let passed_ms = now.saturating_sub(self.filled_at.unwrap_or(now)).max(0) as u64;
        self.filled_at = Some(now);
        self.level_milli = self
            .level_milli
            .saturating_add(passed_ms.saturating_mul(self.rate_per_s))
            .min(self.full_milli);
        match self.level_milli.checked_sub(MS_PER_S) {
            Some(left) => {
                self.level_milli = left;
                Ok(())
            }
            None => {
                let wait_ms = (MS_PER_S - self.level_milli).div_ceil(self.rate_per_s.max(1));
                Err(Refusal {
                    code: ErrorCode::RateLimited,
                    retry_after_ms: u32::try_from(wait_ms).unwrap_or(u32::MAX),
                    limit: 0,
                })
            }
        }
    }
}
