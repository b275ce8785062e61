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
use axum::response::{IntoResponse, Response};
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
    /// Whether the session is to be a cookie: for browsers. Then no token is told.
    #[serde(default)]
    cookie: bool,
}

#[derive(Deserialize)]
pub(super) struct SignInRequest {
    name: String,
    password: String,
    /// As in [`SignUpRequest`].
    #[serde(default)]
    cookie: bool,
}

#[derive(Serialize)]
pub(super) struct SignedInResponse {
    /// None where the session is a cookie: what a script cannot read, it cannot give away.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
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

fn signed_in(
    app: &App,
    status: StatusCode,
    (token, signed_in): (Token, SignedIn),
    cookie: bool,
) -> Response {
    let token = token.into_text();
    let set_cookie = cookie.then(|| app.cookies.begin(&token)).flatten();
    let body = SignedInResponse {
        token: (!cookie).then_some(token),
        user: signed_in.into(),
    };
    let mut response = (status, Json(body)).into_response();
    if let Some(value) = set_cookie {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

pub(super) async fn sign_up(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Body(request): Body<SignUpRequest>,
) -> Result<Response, ApiError> {
    if request.cookie {
        app.cookies.check_origin(&headers)?;
    }
    let accounts = Arc::clone(&app.accounts);
    let cookie = request.cookie;
    let made = to_the_end(async move {
        accounts
            .sign_up(
                &request.name,
                request.password,
                request.setup_token.as_deref(),
            )
            .await
    })
    .await?;
    Ok(signed_in(&app, StatusCode::CREATED, made, cookie))
}

pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    Extension(ClientAddress(from)): Extension<ClientAddress>,
    headers: HeaderMap,
    Body(request): Body<SignInRequest>,
) -> Result<Response, ApiError> {
    if request.cookie {
        // Else a foreign page could sign somebody in as somebody else, and read what they write.
        app.cookies.check_origin(&headers)?;
    }
    let made = app
        .accounts
        .sign_in(from, &request.name, request.password)
        .await?;
    Ok(signed_in(&app, StatusCode::OK, made, request.cookie))
}

pub(super) async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let token = app.cookies.token_of_unsafe(&headers)?.to_owned();
    let set_cookie = bearer(&headers)
        .is_err()
        .then(|| app.cookies.end())
        .flatten();
    to_the_end(async move {
        let device = app.accounts.sign_out(&token).await?;
        app.workers.signed_out(device);
        Ok(())
    })
    .await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(value) = set_cookie {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
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
    let signed_in = app.accounts.who(app.cookies.token(&headers)?).await?;
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
