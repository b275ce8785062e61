//! The [`Upgrader`] as an axum extractor.
//!
//! ```no_run
//! use axum::{Router, response::Response, routing::any};
//! use suda_websocket::{Message, Upgrader, axum::WebSocketUpgrade};
//!
//! async fn chat(upgrade: WebSocketUpgrade) -> Response {
//!     upgrade.on_upgrade(async |mut conn| {
//!         let _ = conn.write_message(Message::text("welcome")).await;
//!     })
//! }
//!
//! // The extractor takes its upgrader from the router's state.
//! let app: Router = Router::new().route("/chat", any(chat)).with_state(Upgrader::new().subprotocols(["chat.v1"]));
//! ```

use std::future::Future;

use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request;

use crate::handshake::Refusal;
use crate::hyper::{HyperStream, OnUpgrade};
use crate::{Conn, Upgrader};

/// An accepted WebSocket request. Extracting it makes every check of the [`Upgrader`] in the router's state; a request that
/// fails one is answered with the [`Refusal`]'s status. The route must take any method (`routing::any`) if a wrong one is to be
/// refused by us and not by the router.
#[derive(Debug)]
#[must_use = "the client waits for the response"]
pub struct WebSocketUpgrade {
    response: http::Response<()>,
    on_upgrade: OnUpgrade,
}

impl WebSocketUpgrade {
    /// The subprotocol chosen.
    pub fn subprotocol(&self) -> Option<&str> {
        self.on_upgrade.subprotocol()
    }

    /// Gives the response for the client, and runs `serve` with the connection in a task of its own once it is open. If it
    /// doesn't open, `serve` doesn't run; use [`into_parts`](Self::into_parts) to hear of that.
    pub fn on_upgrade<F, R>(self, serve: F) -> Response
    where
        F: FnOnce(Conn<HyperStream>) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let (response, on_upgrade) = self.into_parts();
        tokio::spawn(async move {
            if let Ok(conn) = on_upgrade.await {
                serve(conn).await;
            }
        });
        response
    }

    /// The response to give to the client, and the connection to come.
    pub fn into_parts(self) -> (Response, OnUpgrade) {
        (self.response.map(|()| Body::empty()), self.on_upgrade)
    }
}

impl<S> FromRequestParts<S> for WebSocketUpgrade
where
    S: Send + Sync,
    Upgrader: FromRef<S>,
{
    type Rejection = Refusal;

    async fn from_request_parts(request: &mut request::Parts, state: &S) -> Result<Self, Refusal> {
        let (response, on_upgrade) = Upgrader::from_ref(state).upgrade_parts(request)?;
        Ok(Self {
            response,
            on_upgrade,
        })
    }
}

/// A router without state gets the default upgrader: same host only, no subprotocols.
impl FromRef<()> for Upgrader {
    fn from_ref((): &()) -> Self {
        Self::new()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.response().map(Body::from)
    }
}
