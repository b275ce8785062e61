//! HTTP: pages, accounts, health and the door to the chat. Once a connection is upgraded it belongs to a worker.

mod accept;
mod api;
mod client_address;
mod error;
mod origin;
mod pages;
mod request_log;
mod session;
mod socket;
mod web;

pub(crate) use accept::{Acceptor, serve};
pub(crate) use origin::public_origin;
pub(crate) use session::Cookies;
pub(crate) use socket::upgrader;

use crate::accounts::Accounts;
use crate::config::Limits;
use crate::journal::Journal;
use crate::worker::Workers;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, get, post};
use std::net::IpAddr;
use std::sync::Arc;
use suda_websocket::Upgrader;

/// Bytes of a request's body: names and passwords need far less.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) journal: Journal,
    pub(crate) workers: Workers,
    pub(crate) upgrader: Upgrader,
    pub(crate) cookies: Cookies,
    pub(crate) trusted_proxies: Vec<IpAddr>,
    pub(crate) limits: Limits,
}

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    web::routes()
        .route("/healthz", get(api::healthz))
        .route("/api/v1/sign-up", post(api::sign_up))
        .route("/api/v1/sign-in", post(api::sign_in))
        .route("/api/v1/sign-out", post(api::sign_out))
        .route("/api/v1/me", get(api::me))
        // Every method: the handshake itself says 405, with the sentence of its own.
        .route("/ws", any(socket::upgrade))
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&app),
            request_log::log,
        ))
        .with_state(app)
}
