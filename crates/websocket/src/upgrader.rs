//! The server's end of an opening handshake over a tokio stream.
//!
//! What lives here: what a server sets. What does not: the rules themselves, which are in [`handshake`](crate::handshake); reading the
//! request and answering it, which is in `upgrading`; the ways from hyper and axum, which are in their own modules and use the same
//! [`Upgrader`].

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, request};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::handshake::{OriginPolicy, Policy, Refusal, Request};
use crate::upgrading::Upgrading;
use crate::{Compression, Config, Conn};

/// How long a client may take for its request and for receiving our answer, unless set otherwise.
pub const UPGRADE_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// Turns HTTP requests into WebSocket connections. Cheap to clone.
///
/// Cheap checks come first and safe defaults hold: a page of another host is refused with 403, the request head is
/// bounded in bytes, lines and time, and messages are bounded by the [`Config`].
///
/// ```no_run
/// use suda_websocket::{Message, Upgrader};
///
/// # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
/// let upgrader = Upgrader::new().subprotocols(["chat.v1"]);
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
/// loop {
///     let (stream, _) = listener.accept().await?;
///     let upgrader = upgrader.clone();
///     tokio::spawn(async move {
///         let (mut conn, request) = upgrader.upgrade(stream).await?;
///         println!("somebody at {}", request.uri().path());
///         conn.write_message(Message::text("welcome")).await?;
///         Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
///     });
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Upgrader {
    pub(crate) policy: Arc<Policy>,
    pub(crate) config: Config,
    pub(crate) handshake_timeout: Duration,
}

/// Why a stream didn't become a WebSocket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// The request was refused. On a raw stream the client has been told.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The client closed before its request was complete.
    #[error("the client closed before its request was complete")]
    Closed,
    /// The client didn't take our answer in time.
    #[error("the client did not take the answer in time")]
    Timeout,
    /// The stream failed.
    #[error("the stream failed: {0}")]
    Io(#[from] io::Error),
    /// hyper's connection ended before it gave its stream away.
    #[cfg(feature = "hyper")]
    #[error("the HTTP connection did not give its stream away: {0}")]
    Http(#[from] hyper::Error),
}

impl Default for Upgrader {
    fn default() -> Self {
        Self {
            policy: Arc::default(),
            config: Config::default(),
            handshake_timeout: UPGRADE_TIMEOUT_DEFAULT,
        }
    }
}

impl Upgrader {
    /// No subprotocols, no compression, pages of the same host only, [`UPGRADE_TIMEOUT_DEFAULT`].
    pub fn new() -> Self {
        Self::default()
    }

    /// The subprotocols that the server speaks, the dearest first.
    pub fn subprotocols<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        Arc::make_mut(&mut self.policy).subprotocols = names.into_iter().map(Into::into).collect();
        self
    }

    /// Lets only pages from these origins (`https://chat.example`) connect, in place of the rule of the same host.
    pub fn allowed_origins<T: Into<String>>(
        mut self,
        origins: impl IntoIterator<Item = T>,
    ) -> Self {
        Arc::make_mut(&mut self.policy).origin =
            OriginPolicy::Allow(origins.into_iter().map(Into::into).collect());
        self
    }

    /// Decides by the whole request head who may connect, in place of the rule of the same host. Whoever returns `true`
    /// without looking lets every page in the world act with its visitor's cookies.
    pub fn check_origin(
        mut self,
        check: impl Fn(&request::Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.policy).origin = OriginPolicy::Check(Arc::new(check));
        self
    }

    /// Adds a header to the accepting answer. One that belongs to the handshake (`Upgrade`, `Sec-WebSocket-…`, …) is a
    /// mistake in the server's set-up and makes every request be answered with 500. A subprotocol is chosen by
    /// [`subprotocols`](Self::subprotocols), not by a header.
    pub fn response_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        Arc::make_mut(&mut self.policy)
            .response_headers
            .append(name, value);
        self
    }

    /// Adds headers to the accepting answer that are made for each request: a session's cookie, for example. Under the same rule as
    /// [`response_header`](Self::response_header).
    ///
    /// ```
    /// use http::header::{HeaderMap, HeaderValue, SET_COOKIE};
    /// use suda_websocket::Upgrader;
    ///
    /// let upgrader = Upgrader::new().response_headers_for(|request| {
    ///     let mut headers = HeaderMap::new();
    ///     if request.uri.path() == "/first" {
    ///         headers.insert(SET_COOKIE, HeaderValue::from_static("seen=1; HttpOnly; Secure"));
    ///     }
    ///     headers
    /// });
    /// ```
    pub fn response_headers_for(
        mut self,
        headers: impl Fn(&request::Parts) -> HeaderMap + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.policy).response_headers_for = Some(Arc::new(headers));
        self
    }

    /// Makes the answers to refused requests, in place of a status with one sentence. It is given the request if that was complete. On a
    /// raw stream we add the body's length and `Connection: close`. Behind axum the rejection uses it; behind hyper ask
    /// [`refusal_response`](Self::refusal_response). An answer of 1xx or 2xx would not refuse, and is replaced by ours.
    ///
    /// ```
    /// use http::Response;
    /// use suda_websocket::Upgrader;
    ///
    /// let upgrader = Upgrader::new().on_refusal(|refusal, _request| {
    ///     let mut answer = Response::new(format!("{{\"error\":\"{refusal}\"}}").into());
    ///     *answer.status_mut() = refusal.status();
    ///     answer
    /// });
    /// ```
    pub fn on_refusal(
        mut self,
        answer: impl Fn(Refusal, Option<&request::Parts>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.policy).refusal_response = Some(Arc::new(answer));
        self
    }

    /// The answer to a refused request: what [`on_refusal`](Self::on_refusal) makes, otherwise [`Refusal::response`].
    pub fn refusal_response(
        &self,
        refusal: Refusal,
        request: Option<&request::Parts>,
    ) -> Response<Bytes> {
        self.policy.refuse(refusal, request)
    }

    /// Most bytes of a request head on a raw stream; 431 over it. Default
    /// [`REQUEST_HEAD_BYTES_MAX`](crate::handshake::REQUEST_HEAD_BYTES_MAX). An HTTP server around has limits of its own.
    pub fn head_bytes_max(mut self, bytes: usize) -> Self {
        Arc::make_mut(&mut self.policy).limits.bytes_max = bytes;
        self
    }

    /// Most header lines of a request on a raw stream; 431 over it. Default [`HEADERS_MAX`](crate::handshake::HEADERS_MAX).
    pub fn header_lines_max(mut self, lines: usize) -> Self {
        Arc::make_mut(&mut self.policy).limits.lines_max = lines;
        self
    }

    /// How long the opening handshake may take in all. A refused client has two seconds more to read why.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// Compresses messages with the clients that offer it (RFC 7692). Without this call nothing is compressed: where secrets and what
    /// an attacker chooses stand in one message, its length tells of them, so this is for whoever knows the messages to decide.
    pub fn compression(mut self, compression: Compression) -> Self {
        Arc::make_mut(&mut self.policy).compression = Some(compression);
        self
    }

    /// How the connections are to behave: read limit and so on.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Reads the request from a fresh stream, answers it, and gives the connection and the request head.
    ///
    /// A refused client gets its answer here, and a moment to read it. Dropping the future abandons the handshake and drops the stream.
    ///
    /// # Errors
    /// [`UpgradeError`]; the stream is closed then.
    pub fn upgrade<S>(
        &self,
        stream: S,
    ) -> impl Future<Output = Result<(Conn<S>, Request), UpgradeError>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Upgrading::new(self, stream)
    }
}
