//! The setup token: with it the first person becomes administrator. It is only in memory.

use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};

/// 128 bits: it lives until the first sign-up, and each guess is a request.
const TOKEN_BYTES: usize = 16;

/// The token while there is no administrator, nothing afterwards.
pub(crate) struct SetupToken(Mutex<Option<String>>);

impl SetupToken {
    /// A fresh one.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes)?;
        // Hexadecimal: it is typed and pasted as the value of an option, so it must not begin with a hyphen.
        let text = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self(Mutex::new(Some(text))))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_given_to_a_command_as_it_stands() {
        let token = SetupToken::generate().unwrap().get().unwrap();
        assert_eq!(token.len(), 2 * TOKEN_BYTES);
        assert!(token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
