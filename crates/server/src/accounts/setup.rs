//! The setup token: with it the first person becomes administrator. It is only in memory.

use super::token::random_text;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};

/// The token while there is no administrator, nothing afterwards.
pub(crate) struct SetupToken(Mutex<Option<String>>);

impl SetupToken {
    /// A fresh one.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        Ok(Self(Mutex::new(Some(random_text()?))))
    }

    /// None: there is an administrator.
    pub(crate) fn none() -> Self {
        Self(Mutex::new(None))
    }

    pub(super) fn get(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn is(&self, given: &str) -> bool {
        // Hashes are compared, so that the time tells nothing about how much of the token was right.
        self.get().is_some_and(|token| {
            Sha256::digest(token.as_bytes()) == Sha256::digest(given.as_bytes())
        })
    }

    pub(super) fn used(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl std::fmt::Debug for SetupToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetupToken")
    }
}
