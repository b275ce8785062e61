//! Accounts: who somebody is. What they may do in a room is the engine's business.

mod attempts;
mod password;
mod setup;
mod token;

use crate::config::SignUp;
use crate::journal::{Journal, NewDevice, NewUser};
use crate::store::accounts::{SignedIn, User, administrator_exists, signed_in, user_by_name};
use crate::store::{ReadError, Readers};
use attempts::Attempts;
use std::net::IpAddr;
use suda_protocol::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};
use suda_protocol::names;
use suda_protocol::v1::{self, ErrorCode};
use uuid::Uuid;

pub(crate) use password::Hasher;
pub(crate) use setup::SetupToken;
pub(crate) use token::Token;

/// What somebody is told who signs up before the administrator has.
const NOT_SET_UP: &str =
    "This server has no administrator yet. Open the setup link that it printed when it started.";

/// The one gate to accounts, shared by HTTP and the workers.
#[derive(Debug)]
pub(crate) struct Accounts {
    journal: Journal,
    readers: Readers,
    hasher: Hasher,
    attempts: Attempts,
    setup: SetupToken,
    sign_up: SignUp,
}

impl Accounts {
    pub(crate) fn new(
        journal: Journal,
        readers: Readers,
        hasher: Hasher,
        setup: SetupToken,
        sign_up: SignUp,
    ) -> Self {
        Self {
            journal,
            readers,
            hasher,
            attempts: Attempts::default(),
            setup,
            sign_up,
        }
    }

    /// The token that the first person needs; none once there is an administrator.
    pub(crate) fn setup_token(&self) -> Option<String> {
        self.setup.get()
    }

    /// Makes an account and signs it in. With the setup token: the administrator's.
    pub(crate) async fn sign_up(
        &self,
        name: &str,
        password: String,
        setup_token: Option<&str>,
    ) -> Result<(Token, SignedIn), v1::Error> {
        let administrator = match setup_token {
            Some(given) if self.setup.is(given) => true,
            Some(_) => return Err(ErrorCode::WrongSetupToken.into()),
            None if self.setup.get().is_some() => {
                return Err(v1::Error::of(ErrorCode::WrongSetupToken).with_message(NOT_SET_UP));
            }
            None if self.sign_up == SignUp::Closed => return Err(ErrorCode::SignUpClosed.into()),
            None => false,
        };
        let name = names::user_name(name).map_err(|error| {
            v1::Error::of(ErrorCode::InvalidName).with_message(error.to_string())
        })?;
        check_password(&password)?;
        let password_hash = self.hasher.hash(password).await?;
        let token = Token::generate()?;
        let user = User {
            id: crate::clock::new_id(),
            name,
            administrator,
        };
        let device = NewDevice {
            id: crate::clock::new_id(),
            user: user.id,
            token: token.hash(),
        };
        let signed_in = SignedIn {
            user: user.clone(),
            device: device.id,
        };
        self.journal
            .sign_up(NewUser {
                user,
                password_hash,
                device,
            })
            .await?;
        if administrator {
            self.setup.used();
        }
        Ok((token, signed_in))
    }

    /// Signs in on a new device.
    pub(crate) async fn sign_in(
        &self,
        from: IpAddr,
        name: &str,
        password: String,
    ) -> Result<(Token, SignedIn), v1::Error> {
        // A name that cannot exist takes the same road as one that doesn't, for the same time.
        let name = names::user_name(name).unwrap_or_default();
        self.attempts.check(from, &name)?;
        check_length(&password)?;
        let asked = name.clone();
        let found = self
            .readers
            .read(move |connection| user_by_name(connection, &asked))
            .await
            .map_err(unread)?;
        let (user, stored) = match found {
            Some((user, hash)) => (Some(user), Some(hash)),
            None => (None, None),
        };
        let right = self.hasher.verify(password, stored).await?;
        let Some(user) = user.filter(|_| right) else {
            self.attempts.failed(from, &name);
            return Err(ErrorCode::WrongPassword.into());
        };
        self.attempts.succeeded(from, &name);
        let token = Token::generate()?;
        let device = NewDevice {
            id: crate::clock::new_id(),
            user: user.id,
            token: token.hash(),
        };
        let signed_in = SignedIn {
            user,
            device: device.id,
        };
        self.journal.sign_in(device).await?;
        Ok((token, signed_in))
    }

    /// Ends the token and gives its device, whose connections the caller closes.
    pub(crate) async fn sign_out(&self, token: &str) -> Result<Uuid, v1::Error> {
        let token = Token::parse(token).ok_or(ErrorCode::Unauthenticated)?;
        self.journal
            .sign_out(token.hash())
            .await?
            .ok_or_else(|| ErrorCode::Unauthenticated.into())
    }

    /// Whom a token stands for.
    pub(crate) async fn who(&self, token: &str) -> Result<SignedIn, v1::Error> {
        let hash = Token::parse(token)
            .ok_or(ErrorCode::Unauthenticated)?
            .hash();
        self.readers
            .read(move |connection| signed_in(connection, &hash))
            .await
            .map_err(unread)?
            .ok_or_else(|| ErrorCode::Unauthenticated.into())
    }
}

/// Whether the database has an administrator; asked once, at start.
pub(crate) fn has_administrator(connection: &rusqlite::Connection) -> rusqlite::Result<bool> {
    administrator_exists(connection)
}

fn check_length(password: &str) -> Result<(), v1::Error> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(v1::Error::of(ErrorCode::WeakPassword).with_message(format!(
            "The password has more than {PASSWORD_BYTES_MAX} bytes."
        )));
    }
    Ok(())
}

fn check_password(password: &str) -> Result<(), v1::Error> {
    check_length(password)?;
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(v1::Error::of(ErrorCode::WeakPassword).with_message(format!(
            "The password has fewer than {PASSWORD_CHARS_MIN} characters."
        )));
    }
    Ok(())
}

/// What an asker is told of a read that gave nothing.
pub(crate) fn unread(error: ReadError) -> v1::Error {
    match error {
        ReadError::Busy => ErrorCode::Busy.into(),
        ReadError::Closed => ErrorCode::Unavailable.into(),
        ReadError::Sqlite(error) => {
            tracing::error!(%error, "a read failed");
            ErrorCode::Unavailable.into()
        }
    }
}
