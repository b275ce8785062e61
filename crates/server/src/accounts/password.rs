//! Passwords: Argon2id on a few threads of their own, with a bounded queue.
//!
//! One hash takes some 20 ms and 19 MiB (the OWASP minimum, which is this crate's default). Unbounded, a flood of
//! sign-ins would take all cores and all memory from the chat.

use crate::error::StartError;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use suda_protocol::v1::{self, ErrorCode};
use tokio::sync::oneshot;

/// What somebody whom the queue refused is told to wait, in milliseconds.
const RETRY_AFTER_MS: u32 = 1_000;

type Job = Box<dyn FnOnce() + Send>;

/// The pool's threads, to be joined after the last [`Hasher`] is gone.
pub(super) type Hashing = Vec<JoinHandle<()>>;

/// Hashes and verifies.
#[derive(Clone, Debug)]
pub(crate) struct Hasher {
    jobs: SyncSender<Job>,
    // Verified against where the user does not exist, so that the time doesn't tell.
    dummy: Arc<str>,
}

impl Hasher {
    pub(crate) fn start(threads: usize, queue_max: usize) -> Result<(Self, Hashing), StartError> {
        let system = |what, source| StartError::System { what, source };
        let dummy = hash("a password that nobody has").map_err(|error| {
            system(
                "to hash a password",
                std::io::Error::other(error.to_string()),
            )
        })?;
        let (jobs, waiting) = sync_channel::<Job>(queue_max.max(1));
        let waiting = Arc::new(Mutex::new(waiting));
        let mut handles = Vec::new();
        for number in 0..threads.max(1) {
            let waiting = Arc::clone(&waiting);
            let handle = std::thread::Builder::new()
                .name(format!("suda-password-{number}"))
                .spawn(move || run(&waiting))
                .map_err(|source| system("a thread", source))?;
            handles.push(handle);
        }
        let hasher = Self {
            jobs,
            dummy: dummy.into(),
        };
        Ok((hasher, handles))
    }

    /// The password's hash, in PHC form with its own salt.
    pub(super) async fn hash(&self, password: String) -> Result<String, v1::Error> {
        self.run(move || hash(&password)).await?.map_err(|error| {
            tracing::error!(%error, "a password could not be hashed");
            ErrorCode::Unavailable.into()
        })
    }

    /// Whether the password is the one of that hash; without a hash it takes as long and says no.
    pub(super) async fn verify(
        &self,
        password: String,
        stored: Option<String>,
    ) -> Result<bool, v1::Error> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.to_string());
        let right = self.run(move || verify(&password, &stored)).await?;
        Ok(right && known)
    }

    async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, v1::Error> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever has gone away need not be hashed for.
            if !answer.is_closed() {
                let _ = answer.send(work());
            }
        });
        match self.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(v1::Error::of(ErrorCode::Busy).with_retry_after_ms(RETRY_AFTER_MS));
            }
            Err(TrySendError::Disconnected(_)) => return Err(ErrorCode::Unavailable.into()),
        }
        answered.await.map_err(|_| ErrorCode::Unavailable.into())
    }
}

fn run(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default()
        .hash_password(password.as_bytes())?
        .to_string())
}

fn verify(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored).is_ok_and(|stored| {
        Argon2::default()
            .verify_password(password.as_bytes(), &stored)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_is_right() {
        let (hasher, _threads) = Hasher::start(1, 4).unwrap();
        let stored = hasher.hash("열려라 참깨".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(
            hasher
                .verify("열려라 참깨".into(), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(
            !hasher
                .verify("열려라 들깨".into(), Some(stored))
                .await
                .unwrap()
        );
        assert!(
            !hasher
                .verify("a password that nobody has".into(), None)
                .await
                .unwrap()
        );
    }

    #[tokio::test]
    async fn a_full_queue_says_so_at_once() {
        // Nothing takes from this queue, so that it stays full.
        let (jobs, _waiting) = sync_channel::<Job>(1);
        let hasher = Hasher {
            jobs,
            dummy: "".into(),
        };
        let first = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.hash("one".into()).await }
        });
        tokio::task::yield_now().await;
        let refused = hasher.hash("two".into()).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Busy);
        assert_eq!(refused.retry_after_ms, RETRY_AFTER_MS);
        first.abort();
    }
}
