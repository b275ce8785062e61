//! What a failed write means for those who wait for it.

use rusqlite::ffi;
use suda_protocol::v1::ErrorCode;

/// The process ends with this status (EX_IOERR) where going on could lose what was acknowledged.
const EXIT_DISK_UNSAFE: i32 = 74;

/// Why a transaction was rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The disk, or the cap of the database, is full.
    Full,
    /// Anything else that may pass.
    Unavailable,
}

impl Failure {
    pub(crate) fn of(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Unavailable,
        }
    }

    pub(crate) fn code(self) -> ErrorCode {
        match self {
            Self::Full => ErrorCode::StorageFull,
            Self::Unavailable => ErrorCode::Unavailable,
        }
    }
}

/// Ends the process after a failed fsync.
///
/// The kernel reports a lost page once and may then call the file clean, so that a second fsync "succeeds" over
/// missing data. Only reading the file again, which a restart does, tells what is really there.
pub(crate) fn end_if_unsafe(error: &rusqlite::Error) {
    let Some(failure) = error.sqlite_error() else {
        return;
    };
    if is_fsync(failure.extended_code) {
        end_now(error);
    }
}

/// The end itself, for whoever knows that an fsync has failed.
pub(super) fn end_now(error: &dyn std::error::Error) -> ! {
    tracing::error!(
        %error,
        "the disk failed to keep what it was given; stopping now so that nothing more is acknowledged. Check the disk, then start suda again"
    );
    std::process::exit(EXIT_DISK_UNSAFE);
}

fn is_fsync(extended_code: std::ffi::c_int) -> bool {
    matches!(
        extended_code,
        ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_failed_fsync_is_unsafe() {
        assert!(is_fsync(ffi::SQLITE_IOERR_FSYNC));
        assert!(is_fsync(ffi::SQLITE_IOERR_DIR_FSYNC));
        assert!(!is_fsync(ffi::SQLITE_FULL));
        assert!(!is_fsync(ffi::SQLITE_IOERR_WRITE));
    }
}
