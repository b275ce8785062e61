//! Accounts, over HTTP: signing up, in and out. A session over the WebSocket begins with the token that these give.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use suda_protocol::v1;

use crate::Server;

/// How long an answer may take: hashing a password behind a queue of others takes seconds.
pub const HTTP_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A signed-in device.
#[derive(Clone, Deserialize)]
pub struct Account {
    /// What the device shows from now on. A secret.
    pub token: String,
    /// Who signed in.
    pub user: v1::User,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Why there is no answer of the wanted kind.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The server said no.
    #[error("{0}")]
    Refused(v1::Error),
    /// The server could not be reached, or took too long.
    #[error("{server} can't be reached: {reason}.")]
    Unreachable {
        /// The server.
        server: String,
        /// What was in the way.
        reason: String,
    },
    /// What answered is not this chat.
    #[error("What answers at {server} is not a Suda server (status {status}).")]
    NotSuda {
        /// The server.
        server: String,
        /// Its status.
        status: u16,
    },
}

/// Makes an account and signs in. The first account of a server needs its setup token.
pub async fn sign_up(
    server: &Server,
    name: &str,
    password: &str,
    setup_token: Option<&str>,
) -> Result<Account, AccountError> {
    let mut body = serde_json::json!({ "name": name, "password": password });
    if let Some(token) = setup_token {
        body["setup_token"] = token.into();
    }
    let request = http(server)?
        .post(server.http("api/v1/sign-up"))
        .json(&body);
    answer(server, request).await
}

/// Signs in.
pub async fn sign_in(server: &Server, name: &str, password: &str) -> Result<Account, AccountError> {
    let body = serde_json::json!({ "name": name, "password": password });
    let request = http(server)?
        .post(server.http("api/v1/sign-in"))
        .json(&body);
    answer(server, request).await
}

/// Ends what a token allows; connections with it close.
pub async fn sign_out(server: &Server, token: &str) -> Result<(), AccountError> {
    let request = http(server)?
        .post(server.http("api/v1/sign-out"))
        .bearer_auth(token);
    let (status, body) = exchange(server, request).await?;
    if status == 204 {
        Ok(())
    } else {
        Err(refusal(server, status, &body))
    }
}

/// Who a token belongs to.
pub async fn me(server: &Server, token: &str) -> Result<v1::User, AccountError> {
    let request = http(server)?
        .get(server.http("api/v1/me"))
        .bearer_auth(token);
    answer(server, request).await
}

fn http(server: &Server) -> Result<reqwest::Client, AccountError> {
    // A redirect would carry a password to where nobody sent it.
    let builder = reqwest::Client::builder()
        .timeout(HTTP_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none());
    builder.build().map_err(|error| unreachable(server, &error))
}

async fn answer<T: DeserializeOwned>(
    server: &Server,
    request: reqwest::RequestBuilder,
) -> Result<T, AccountError> {
    let (status, body) = exchange(server, request).await?;
    if !(200..300).contains(&status) {
        return Err(refusal(server, status, &body));
    }
    serde_json::from_slice(&body).map_err(|_| AccountError::NotSuda {
        server: server.to_string(),
        status,
    })
}

async fn exchange(
    server: &Server,
    request: reqwest::RequestBuilder,
) -> Result<(u16, Vec<u8>), AccountError> {
    let mut response = request
        .send()
        .await
        .map_err(|error| unreachable(server, &error))?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| unreachable(server, &error))?
    {
        if body.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(AccountError::NotSuda {
                server: server.to_string(),
                status,
            });
        }
        body.extend_from_slice(&piece);
    }
    Ok((status, body))
}

fn refusal(server: &Server, status: u16, body: &[u8]) -> AccountError {
    match serde_json::from_slice::<v1::Error>(body) {
        Ok(error) if !error.name.is_empty() => AccountError::Refused(error),
        _ => AccountError::NotSuda {
            server: server.to_string(),
            status,
        },
    }
}

fn unreachable(server: &Server, error: &reqwest::Error) -> AccountError {
    // The outer errors name the address again; the innermost says what happened.
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    AccountError::Unreachable {
        server: server.to_string(),
        reason: innermost.to_string(),
    }
}
