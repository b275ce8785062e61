//! The system's keyring: the Secret Service on Linux, the Keychain on macOS.
//!
//! It is another program, which may ask the person for a password, or not be there, or not answer. It is asked on a thread that is left
//! behind where the answer takes too long: whatever the keyring does, the program goes on.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use ::keyring::{Entry, Error};

use crate::texts::Texts;

/// How long finding the keyring may take; nobody is asked for anything yet.
const FIND_WAIT: Duration = Duration::from_secs(5);

/// How long the keyring may take for an answer; a person may have to unlock it.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// After how long the person is told what is waited for.
const QUIET: Duration = Duration::from_secs(2);

/// What the secrets of this program are filed under.
const SERVICE: &str = "suda";

/// Why the keyring could not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyringError {
    /// It did not answer in time.
    Silent,
    /// It is not there, it is locked, or it refused; in its own words.
    Failed(String),
}

/// A place for secrets, by the account that each belongs to.
pub(crate) trait Keyring {
    /// Whether there is one.
    fn find(&self) -> Result<(), KeyringError>;
    fn get(&self, account: &str) -> Result<Option<String>, KeyringError>;
    fn set(&self, account: &str, secret: &str) -> Result<(), KeyringError>;
    /// A secret that is not there is removed already.
    fn remove(&self, account: &str) -> Result<(), KeyringError>;
}

/// The keyring of this system.
#[derive(Debug)]
pub(crate) struct SystemKeyring {
    /// In which the person is told that the keyring is waited for.
    pub(crate) texts: Texts,
}

impl Keyring for SystemKeyring {
    fn find(&self) -> Result<(), KeyringError> {
        self.ask(|| Ok(()))
    }

    fn get(&self, account: &str) -> Result<Option<String>, KeyringError> {
        let account = account.to_owned();
        self.ask(
            move || match Entry::new(SERVICE, &account)?.get_password() {
                Ok(secret) => Ok(Some(secret)),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(error),
            },
        )
    }

    fn set(&self, account: &str, secret: &str) -> Result<(), KeyringError> {
        let (account, secret) = (account.to_owned(), secret.to_owned());
        self.ask(move || Entry::new(SERVICE, &account)?.set_password(&secret))
    }

    fn remove(&self, account: &str) -> Result<(), KeyringError> {
        let account = account.to_owned();
        self.ask(
            move || match Entry::new(SERVICE, &account)?.delete_credential() {
                Ok(()) | Err(Error::NoEntry) => Ok(()),
                Err(error) => Err(error),
            },
        )
    }
}

/// How far the thread that asks has come.
enum Stage<T> {
    Found,
    Answered(T),
}

impl SystemKeyring {
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            // Nobody listens any more where it took too long.
            let _ = match Entry::store_status() {
                Ok(()) => tell
                    .send(Stage::Found)
                    .and_then(|()| tell.send(Stage::Answered(question().map_err(failed)))),
                Err(error) => tell.send(Stage::Answered(Err(KeyringError::Failed(words(error))))),
            };
        });
        match told.recv_timeout(FIND_WAIT).map_err(silent)? {
            Stage::Answered(answer) => return answer,
            Stage::Found => {}
        }
        let stage = match told.recv_timeout(QUIET) {
            Err(RecvTimeoutError::Timeout) => {
                eprintln!("{}", self.texts.waiting_for_keyring());
                told.recv_timeout(ANSWER_WAIT - QUIET).map_err(silent)?
            }
            answered => answered.map_err(silent)?,
        };
        match stage {
            Stage::Answered(answer) => answer,
            // Told once only.
            Stage::Found => Err(KeyringError::Silent),
        }
    }
}

fn silent(error: RecvTimeoutError) -> KeyringError {
    match error {
        RecvTimeoutError::Timeout => KeyringError::Silent,
        RecvTimeoutError::Disconnected => KeyringError::Failed("it broke down".to_owned()),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "as `map_err` wants it")]
fn failed(error: Error) -> KeyringError {
    KeyringError::Failed(words(&error))
}

fn words(error: &Error) -> String {
    match error {
        // What is inside says more than the frame around it.
        Error::PlatformFailure(inside) | Error::NoStorageAccess(inside) => inside.to_string(),
        // These would show what the secret is.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "the secret is damaged".to_owned(),
        error => error.to_string(),
    }
}
