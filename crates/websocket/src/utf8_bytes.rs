//! Shared bytes that are known to be UTF-8.

use std::{fmt, ops::Deref};

use bytes::Bytes;

/// Immutable text whose clones share one buffer, as those of [`Bytes`] do.
///
/// A text that was read may share its buffer with its neighbours; copy one that is kept for long.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Utf8Bytes(Bytes);

impl Utf8Bytes {
    /// Checks that `bytes` are UTF-8.
    ///
    /// # Errors
    /// Gives the bytes back if they are not.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, Bytes> {
        match simdutf8::basic::from_utf8(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(bytes),
        }
    }

    /// For bytes that [`Utf8Validator`](crate::utf8::Utf8Validator) has already passed.
    pub(crate) fn from_validated(bytes: Bytes) -> Self {
        debug_assert!(std::str::from_utf8(&bytes).is_ok());
        Self(bytes)
    }

    /// A text with program lifetime, without a copy.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// The text.
    #[allow(unsafe_code)] // Its safe twin: tests::the_unchecked_view_is_the_checked_one.
    pub fn as_str(&self) -> &str {
        // SAFETY: every constructor takes a `str`, checks, or is given checked bytes, and `Bytes` cannot be changed.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }

    /// The text's bytes, without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl Deref for Utf8Bytes {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<[u8]> for Utf8Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<str> for Utf8Bytes {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl TryFrom<Bytes> for Utf8Bytes {
    type Error = Bytes;

    fn try_from(bytes: Bytes) -> Result<Self, Bytes> {
        Self::from_bytes(bytes)
    }
}

impl From<Utf8Bytes> for Bytes {
    fn from(text: Utf8Bytes) -> Self {
        text.0
    }
}

impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The unchecked view is what the checked one gives, however the text came about.
        #[test]
        fn the_unchecked_view_is_the_checked_one(text: String, bytes: Vec<u8>) {
            for made in [Utf8Bytes::from(text.as_str()), Utf8Bytes::from(text.clone())] {
                prop_assert_eq!(Ok(made.as_str()), std::str::from_utf8(made.as_ref()));
                prop_assert_eq!(made.as_str(), &text);
            }
            let checked = std::str::from_utf8(&bytes);
            match Utf8Bytes::from_bytes(Bytes::from(bytes.clone())) {
                Ok(made) => prop_assert_eq!(Ok(made.as_str()), checked),
                Err(given_back) => {
                    prop_assert!(checked.is_err());
                    prop_assert_eq!(given_back, bytes);
                }
            }
        }
    }
}
