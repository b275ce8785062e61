//! Hashing of connections' numbers. We give them out ourselves, so that nobody can choose them to collide, and each delivery looks one up
//! twice: the standard hasher's protection would cost more than the rest of that.

use std::hash::{BuildHasherDefault, Hasher};

/// For maps whose key is a [`Key`](super::connection::Key).
pub(super) type KeyHash = BuildHasherDefault<KeyHasher>;

/// 2^64 divided by the golden ratio, odd: numbers that follow each other land far from each other, in the high bits too.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(MULTIPLIER);
        self.0 = mixed ^ (mixed >> 32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    #[test]
    fn numbers_that_follow_each_other_share_no_place() {
        let hash = KeyHash::default();
        let places = |shift: u32| -> HashSet<u64> {
            let hashes = (0..1_024_u64).map(|key| hash.hash_one(key));
            hashes.map(|hash| (hash >> shift) % 4_096).collect()
        };
        // Tables use both ends of a hash.
        assert!(places(0).len() > 850, "{}", places(0).len());
        assert!(places(52).len() > 850, "{}", places(52).len());
    }
}
