//! An error that ends an example, told in one line instead of as the compiler would show it.

use std::{error::Error, fmt};

/// What `main` gives: exit code 1 and a line on standard error for whatever went wrong.
pub(crate) type Outcome = Result<(), Failure>;

/// Any error, and what led to it.
pub(crate) struct Failure(Box<dyn Error + Send + Sync>);

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// `main` shows an error by `Debug`. This one is for people.
impl fmt::Debug for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        write!(out, "{said}")?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            // Some errors tell their cause themselves.
            let text = error.to_string();
            if !said.contains(&text) {
                write!(out, ": {text}")?;
                said = text;
            }
            cause = error.source();
        }
        Ok(())
    }
}
