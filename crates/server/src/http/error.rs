//! Errors over HTTP: the protocol's own error as JSON, under its status from the table.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use suda_protocol::v1::{self, ErrorCode};

/// A refusal as a response.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    error: v1::Error,
}

impl From<v1::Error> for ApiError {
    fn from(error: v1::Error) -> Self {
        let status = StatusCode::from_u16(error.code().http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, error }
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        v1::Error::of(code).into()
    }
}

impl ApiError {
    /// A request that cannot be read, with the status that says how.
    pub(super) fn malformed(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            error: v1::Error::of(ErrorCode::Malformed).with_message(message),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let seconds = self.error.retry_after_ms.div_ceil(1_000);
        let mut response = (self.status, Json(self.error)).into_response();
        let headers = response.headers_mut();
        if seconds > 0 {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

pub(super) async fn no_such_path() -> ApiError {
    ApiError::malformed(StatusCode::NOT_FOUND, "There is nothing at this path.")
}

pub(super) async fn wrong_method() -> ApiError {
    ApiError::malformed(
        StatusCode::METHOD_NOT_ALLOWED,
        "This path does not take that method.",
    )
}
