//! One log line for each request, and the bound on how long a request may take. No query, header or body is logged: there secrets could be.

use super::App;
use super::accept::Peer;
use super::client_address::ClientAddress;
use super::error::ApiError;
use axum::extract::{Extension, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Instant;
use suda_protocol::v1::ErrorCode;

pub(super) async fn log(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let client = ClientAddress::of(peer.ip(), request.headers(), &app.trusted_proxies);
    request.extensions_mut().insert(client);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = tokio::time::timeout(app.limits.request_timeout, next.run(request))
        .await
        .unwrap_or_else(|_| ApiError::from(ErrorCode::Unavailable).into_response());
    tracing::info!(
        client = %client.0,
        %method,
        path,
        status = response.status().as_u16(),
        elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    response
}
