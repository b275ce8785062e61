//! Bearer tokens: 256 random bits, shown once, kept only as their SHA-256.
//!
//! A plain hash is enough: there is nothing to guess in 256 random bits, and so nothing to slow down.

use crate::store::accounts::TokenHash;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use suda_protocol::v1::{self, ErrorCode};

const TOKEN_BYTES: usize = 32;

/// A token. Its text must reach nobody but its owner: no `Debug`, no log.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// A new one.
    pub(crate) fn generate() -> Result<Self, v1::Error> {
        let mut bytes = [0; TOKEN_BYTES];
        match getrandom::fill(&mut bytes) {
            Ok(()) => Ok(Self(URL_SAFE_NO_PAD.encode(bytes))),
            Err(error) => {
                tracing::error!(%error, "the system gives no random bytes");
                Err(ErrorCode::Unavailable.into())
            }
        }
    }

    /// Takes what somebody sent; none where it cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == TOKEN_BYTES).then(|| Self(text.to_owned()))
    }

    pub(crate) fn hash(&self) -> TokenHash {
        Sha256::digest(self.0.as_bytes()).into()
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}
