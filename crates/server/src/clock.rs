//! The wall clock and the random ids, in the one place where the shell asks the system for them.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Milliseconds since 1970 UTC.
pub(crate) fn now_ms() -> i64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// Random bytes of one id (RFC 9562 section 5.7: all but the time, version and variant).
const ID_RANDOM_BYTES: usize = 10;
/// Ids for which the system is asked for randomness at once: asking costs more than the rest of making one.
const IDS_PER_CALL: usize = 64;

/// Randomness for the next ids, each part of it used once.
struct Pool {
    bytes: [u8; ID_RANDOM_BYTES * IDS_PER_CALL],
    left: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const {
        RefCell::new(Pool {
            bytes: [0; ID_RANDOM_BYTES * IDS_PER_CALL],
            left: 0,
        })
    };
}

/// A new id that sorts roughly by time, so that index pages fill from one side.
pub(crate) fn new_id() -> Uuid {
    let millis = u64::try_from(now_ms()).unwrap_or_default();
    match random() {
        Some(random) => uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
        // It asks the system, too, and may say better why there is no randomness.
        None => Uuid::now_v7(),
    }
}

fn random() -> Option<[u8; ID_RANDOM_BYTES]> {
    POOL.with_borrow_mut(|pool| {
        if pool.left == 0 {
            getrandom::fill(&mut pool.bytes).ok()?;
            pool.left = IDS_PER_CALL;
        }
        pool.left -= 1;
        let (parts, _) = pool.bytes.as_chunks();
        parts.get(pool.left).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_of_version_7_grow_with_time_and_differ() {
        let before = now_ms();
        let ids: Vec<Uuid> = (0..IDS_PER_CALL * 3).map(|_| new_id()).collect();
        let after = now_ms();
        for id in &ids {
            assert_eq!(id.get_version_num(), 7);
            let (secs, nanos) = id.get_timestamp().unwrap().to_unix();
            let millis = secs as i64 * 1_000 + i64::from(nanos) / 1_000_000;
            assert!((before..=after).contains(&millis));
        }
        let random: HashSet<[u8; 8]> = ids.iter().map(|id| *id.as_fields().3).collect();
        assert_eq!(random.len(), ids.len());
    }
}
