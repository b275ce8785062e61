//! How the program ends: one line for the person, one code for the script.

use std::fmt;
use std::process::ExitCode;

/// The table of exit codes, as `suda --help` shows it.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done; everything sent has been acknowledged
  1  failed: the reason is on stderr
  2  wrong usage, or a mistake in the configuration file
  3  not signed in, or the sign-in is no longer valid
  4  refused by the server
  5  the server could not be reached

Korean texts are shown where LC_ALL, LC_MESSAGES or LANG begins with ko.";

/// Why the program ends without having done what it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Failed = 1,
    Usage = 2,
    NotSignedIn = 3,
    Refused = 4,
    Unreachable = 5,
}

/// An exit code and the one sentence that explains it.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure {
            exit,
            message: message.into(),
        }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Failed, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, message)
    }

    /// The same, and more to say, in a line of its own.
    pub(crate) fn and(self, more: &str) -> Failure {
        Failure::new(self.exit, format!("{}\n{more}", self.message))
    }

    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
