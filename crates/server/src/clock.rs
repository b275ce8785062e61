//! The wall clock and the random ids, in the one place where the shell asks the system for them.

use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Milliseconds since 1970 UTC.
pub(crate) fn now_ms() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// A new id that sorts roughly by time, so that index pages fill from one side.
pub(crate) fn new_id() -> Uuid {
    Uuid::now_v7()
}
