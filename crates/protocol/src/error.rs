//! Errors of the protocol: what each [`ErrorCode`] means, from the one table in the schema, and how an error message
//! for the wire is made.

use crate::tables::{ERRORS, ErrorRow};
use crate::v1::{self, ErrorCode};

impl ErrorCode {
    /// Every code, in the order of the table.
    pub fn all() -> impl Iterator<Item = ErrorCode> {
        ERRORS.iter().map(|row| row.code)
    }

    /// The code's name on the wire: `"unknown_room"`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The code with that name.
    pub fn from_name(name: &str) -> Option<ErrorCode> {
        ERRORS
            .iter()
            .find(|row| row.name == name)
            .map(|row| row.code)
    }

    /// The sentence for a person: what is wrong and what to do.
    pub fn message(self) -> &'static str {
        self.row().message
    }

    /// Whether the same command can succeed later. For an error that came over the wire, [`v1::Error::retryable`] is
    /// what counts: a newer server may have codes that are not in this table.
    pub fn retryable(self) -> bool {
        self.row().retryable
    }

    /// The status of the same refusal over HTTP.
    pub fn http_status(self) -> u16 {
        self.row().http_status
    }

    fn row(self) -> &'static ErrorRow {
        // Every value has a row, or the build would have failed; the first is `Unspecified`.
        ERRORS
            .iter()
            .find(|row| row.code == self)
            .unwrap_or(&ERRORS[0])
    }
}

impl v1::Error {
    /// The error that the table gives for a code.
    pub fn of(code: ErrorCode) -> v1::Error {
        v1::Error {
            code: code.into(),
            name: code.name().to_owned(),
            message: code.message().to_owned(),
            retryable: code.retryable(),
            retry_after_ms: 0,
            limit: 0,
        }
    }

    /// The same with the bound that the command is beyond, in the code's unit; 0 is none. The sentence tells it.
    #[must_use]
    pub fn with_limit(mut self, limit: u32) -> v1::Error {
        self.limit = limit;
        match self.code() {
            _ if limit == 0 => {}
            ErrorCode::TextTooLong => {
                self.message = format!("The message is too long: {limit} bytes are allowed.");
            }
            ErrorCode::TooManyOpenRooms => {
                self.message = format!(
                    "{limit} rooms are open on this connection; no more may be. Close one first."
                );
            }
            _ => {}
        }
        self
    }

    /// The same with a sentence that says more than the table's.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> v1::Error {
        self.message = message.into();
        self
    }

    /// The same with the wait, in milliseconds, before the command can succeed.
    #[must_use]
    pub fn with_retry_after_ms(mut self, retry_after_ms: u32) -> v1::Error {
        self.retry_after_ms = retry_after_ms;
        self
    }
}

impl From<ErrorCode> for v1::Error {
    fn from(code: ErrorCode) -> v1::Error {
        v1::Error::of(code)
    }
}

impl std::fmt::Display for v1::Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for v1::Error {}
