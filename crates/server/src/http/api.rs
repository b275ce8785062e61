//! Accounts and health as JSON.

use super::App;
use super::client_address::ClientAddress;
use super::error::ApiError;
use crate::accounts::Token;
use crate::store::accounts::SignedIn;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, FromRequest, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use suda_protocol::v1::{self, ErrorCode};

/// How long the journal may take for its sign of life: a healthy one commits many times in it.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);

/// JSON in a request, with errors in our form.
pub(super) struct Body<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) => {
                // serde's own text may quote what was sent; a password has no place in an answer or a log.
                let message = match &rejection {
                    JsonRejection::MissingJsonContentType(_) => {
                        "The request's Content-Type must be application/json."
                    }
                    JsonRejection::JsonDataError(_) => {
                        "The JSON lacks a field or has one of the wrong type."
                    }
                    JsonRejection::JsonSyntaxError(_) => "The body is not JSON.",
                    _ => "The body could not be read.",
                };
                Err(ApiError::malformed(rejection.status(), message))
            }
        }
    }
}

#[derive(Deserialize)]
pub(super) struct SignUpRequest {
    name: String,
    password: String,
    setup_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct SignInRequest {
    name: String,
    password: String,
}

#[derive(Serialize)]
pub(super) struct SignedInResponse {
    token: String,
    user: UserResponse,
}

// Not the protocol's User: its JSON mapping leaves out what is false, and a person who reads this wants to see it.
#[derive(Serialize)]
pub(super) struct UserResponse {
    id: String,
    name: String,
    administrator: bool,
}

impl From<SignedIn> for UserResponse {
    fn from(signed_in: SignedIn) -> Self {
        Self {
            id: signed_in.user.id.to_string(),
            name: signed_in.user.name,
            administrator: signed_in.user.administrator,
        }
    }
}

fn signed_in((token, signed_in): (Token, SignedIn)) -> Json<SignedInResponse> {
    Json(SignedInResponse {
        token: token.into_text(),
        user: signed_in.into(),
    })
}

pub(super) async fn sign_up(
    State(app): State<Arc<App>>,
    Body(request): Body<SignUpRequest>,
) -> Result<(StatusCode, Json<SignedInResponse>), ApiError> {
    let made = to_the_end(async move {
        app.accounts
            .sign_up(
                &request.name,
                request.password,
                request.setup_token.as_deref(),
            )
            .await
    })
    .await?;
    Ok((StatusCode::CREATED, signed_in(made)))
}

pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(ClientAddress(from)): Extension<ClientAddress>,
    Body(request): Body<SignInRequest>,
) -> Result<Json<SignedInResponse>, ApiError> {
    let made = app
        .accounts
        .sign_in(from, &request.name, request.password)
        .await?;
    Ok(signed_in(made))
}

pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let token = bearer(&headers)?.to_owned();
    to_the_end(async move {
        let device = app.accounts.sign_out(&token).await?;
        app.workers.signed_out(device);
        Ok(())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Carries work on even if its client goes away: what follows a commit must not be left out.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, v1::Error>> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::spawn(work).await {
        Ok(result) => Ok(result?),
        Err(error) => {
            tracing::error!(%error, "a request ended badly");
            Err(ErrorCode::Unavailable.into())
        }
    }
}

pub(super) async fn me(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<UserResponse>, ApiError> {
    let signed_in = app.accounts.who(bearer(&headers)?).await?;
    Ok(Json(signed_in.into()))
}

pub(super) async fn healthz(State(app): State<Arc<App>>) -> Result<&'static str, ApiError> {
    match tokio::time::timeout(HEALTH_TIMEOUT, app.journal.health()).await {
        Ok(Ok(())) => Ok("ok\n"),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(ErrorCode::Unavailable.into()),
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750 section 2.1).
pub(super) fn bearer(headers: &HeaderMap) -> Result<&str, ErrorCode> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or(ErrorCode::Unauthenticated)
}
