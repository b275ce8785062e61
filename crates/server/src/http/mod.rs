//! HTTP: pages, accounts, health and the door to the chat. Once a connection is upgraded it belongs to a worker.

mod accept;
mod api;
mod client_address;
mod error;
mod origin;
mod pages;
mod request_log;

pub(crate) use accept::{Acceptor, serve};

use crate::accounts::Accounts;
use crate::config::Limits;
use crate::journal::Journal;
use crate::worker::Workers;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use std::net::IpAddr;
use std::sync::Arc;

/// Bytes of a request's body: names and passwords need far less.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) journal: Journal,
    pub(crate) workers: Workers,
    pub(crate) public_origin: Option<String>,
    pub(crate) trusted_proxies: Vec<IpAddr>,
    pub(crate) limits: Limits,
}

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(pages::home))
        .route("/setup", get(pages::setup))
        .route("/healthz", get(api::healthz))
        .route("/api/v1/sign-up", post(api::sign_up))
        .route("/api/v1/sign-in", post(api::sign_in))
        .route("/api/v1/sign-out", post(api::sign_out))
        .route("/api/v1/me", get(api::me))
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&app),
            request_log::log,
        ))
        .with_state(app)
}

pub(crate) use origin::origin_of;
