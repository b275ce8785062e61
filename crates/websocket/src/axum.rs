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
//!
//! How long a request head may take to come, how long it may be, and whether its lines may end in a bare LF is for the HTTP server around
//! to say. `axum::serve` sets no time: a server that faces the world gives hyper's own server a timer and a `header_read_timeout`, or stands
//! behind a proxy that has one.

use std::fmt;
use std::future::Future;

use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use http::request;

use crate::handshake::{self, Refusal};
use crate::hyper::{HyperStream, OnUpgrade};
use crate::{Config, Conn, UpgradeError, Upgrader};

/// An accepted WebSocket request. Extracting it makes every check of the [`Upgrader`] in the router's state; a request that
/// fails one is answered with the [`Rejection`]. The route must take any method (`routing::any`) if a wrong one is to be
/// refused by us and not by the router, and if WebSockets over HTTP/2, which come by CONNECT, are to reach it.
///
/// What a handler sets here holds for its own route, over what the upgrader says.
#[must_use = "the client waits for the response"]
pub struct WebSocketUpgrade {
    response: http::Response<()>,
    on_upgrade: OnUpgrade,
    offered: Vec<String>,
    on_failed: Box<dyn FnOnce(UpgradeError) + Send>,
}

impl WebSocketUpgrade {
    /// Chooses among these subprotocols, the dearest first, in place of the upgrader's.
    pub fn subprotocols<T: AsRef<str>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        let is_offered = |name: &T| self.offered.iter().any(|offered| offered == name.as_ref());
        let chosen = names.into_iter().find(is_offered);
        let headers = self.response.headers_mut();
        headers.remove(SEC_WEBSOCKET_PROTOCOL);
        self.on_upgrade.subprotocol = chosen.and_then(|name| {
            // What the client offered is a token, so what equals it is one, too.
            let value = HeaderValue::from_str(name.as_ref()).ok()?;
            headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
            Some(name.as_ref().to_owned())
        });
        self
    }

    /// The subprotocol chosen.
    pub fn subprotocol(&self) -> Option<&str> {
        self.on_upgrade.subprotocol()
    }

    /// The subprotocols that the client offers, in its order.
    pub fn offered_subprotocols(&self) -> &[String] {
        &self.offered
    }

    /// The longest message that is read, in bytes; see [`Config::read_limit`].
    pub fn read_limit(mut self, bytes: usize) -> Self {
        self.on_upgrade.config.read_limit = bytes;
        self
    }

    /// How the connection is to behave, in place of the upgrader's configuration.
    pub fn config(mut self, config: Config) -> Self {
        self.on_upgrade.config = config;
        self
    }

    /// Adds a header to the accepting answer. One that belongs to the handshake is left out.
    pub fn response_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if !handshake::belongs_to_handshake(&name) {
            self.response.headers_mut().append(name, value);
        }
        self
    }

    /// Is told if the connection doesn't open after all: the client left, or did not take the answer in time.
    pub fn on_failed_upgrade(mut self, tell: impl FnOnce(UpgradeError) + Send + 'static) -> Self {
        self.on_failed = Box::new(tell);
        self
    }

    /// Gives the response for the client, and runs `serve` with the connection in a task of its own once it is open. If it
    /// doesn't open, `serve` doesn't run; see [`on_failed_upgrade`](Self::on_failed_upgrade).
    pub fn on_upgrade<F, R>(self, serve: F) -> Response
    where
        F: FnOnce(Conn<HyperStream>) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let (on_upgrade, on_failed) = (self.on_upgrade, self.on_failed);
        tokio::spawn(async move {
            match on_upgrade.await {
                Ok(conn) => serve(conn).await,
                Err(error) => on_failed(error),
            }
        });
        self.response.map(|()| Body::empty())
    }

    /// The response to give to the client, and the connection to come.
    pub fn into_parts(self) -> (Response, OnUpgrade) {
        (self.response.map(|()| Body::empty()), self.on_upgrade)
    }
}

impl fmt::Debug for WebSocketUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketUpgrade")
            .field("response", &self.response)
            .field("on_upgrade", &self.on_upgrade)
            .field("offered", &self.offered)
            .finish_non_exhaustive()
    }
}

impl<S> FromRequestParts<S> for WebSocketUpgrade
where
    S: Send + Sync,
    Upgrader: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(
        request: &mut request::Parts,
        state: &S,
    ) -> Result<Self, Rejection> {
        let upgrader = Upgrader::from_ref(state);
        let (response, on_upgrade) =
            upgrader
                .upgrade_parts(request)
                .map_err(|refusal| Rejection {
                    refusal,
                    response: upgrader.refusal_response(refusal, Some(request)),
                })?;
        let offered = handshake::subprotocols(&request.headers);
        Ok(Self {
            response,
            on_upgrade,
            offered: offered.into_iter().map(str::to_owned).collect(),
            on_failed: Box::new(drop),
        })
    }
}

/// A request that opens no WebSocket: why, and the answer to it, which [`Upgrader::on_refusal`] may have made.
///
/// ```
/// use axum::response::{IntoResponse, Response};
/// use suda_websocket::axum::{Rejection, WebSocketUpgrade};
///
/// // A WebSocket and a page on the same route.
/// async fn chat(upgrade: Result<WebSocketUpgrade, Rejection>) -> Response {
///     match upgrade {
///         Ok(upgrade) => upgrade.on_upgrade(async |_conn| {}),
///         Err(rejection) if rejection.refusal().status() == 403 => rejection.into_response(),
///         Err(_) => "a page".into_response(),
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Rejection {
    refusal: Refusal,
    response: http::Response<Bytes>,
}

impl Rejection {
    /// Why.
    pub fn refusal(&self) -> Refusal {
        self.refusal
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

impl std::error::Error for Rejection {}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.response.map(Body::from)
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
