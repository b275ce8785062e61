//! The server's end of an opening handshake over a tokio stream.
//!
//! What lives here: reading the request within time and memory, answering it, handing over to [`Conn`]. What does not:
//! the rules themselves, which are in [`handshake`](crate::handshake); the ways from hyper and axum, which are in
//! their own modules and use the same [`Upgrader`].

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, request};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use crate::buffers;
use crate::conn::later;
use crate::events::event;
use crate::handshake::{Accept, OriginPolicy, Policy, Refusal, Reject, Request, ServerHandshake};
use crate::{Compression, Config, Conn, Parts, Role};

/// How long a client may take for its request and for receiving our answer, unless set otherwise.
pub const UPGRADE_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// How long we care about a refused client: until it has our answer, and has closed or sent what it had to send.
const REFUSAL_TIME_MAX: Duration = Duration::from_secs(2);

/// Bytes that a refused client may still send before we close the stream under its feet.
const REFUSAL_DRAIN_BYTES_MAX: u64 = 64 * 1024;

/// Bytes to ask a stream for at once.
const READ_BYTES: usize = 4 * 1024;

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
        // Apart from the caller's future, which mostly goes on with the connection: it would keep the room for good.
        Box::pin(self.shake_hands(stream))
    }

    async fn shake_hands<S>(&self, mut stream: S) -> Result<(Conn<S>, Request), UpgradeError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let mut handshake = ServerHandshake::new(self.policy.clone());
        let mut accepted = None;
        let answering = poll_fn(|cx| {
            let accept = match &mut accepted {
                Some(accept) => accept,
                None => match ready!(poll_judged(&mut stream, &mut handshake, cx))? {
                    Ok(accept) => accepted.insert(accept),
                    Err(reject) => return Poll::Ready(Ok(Some(reject))),
                },
            };
            while !accept.response.is_empty() {
                match ready!(Pin::new(&mut stream).poll_write(cx, &accept.response))? {
                    0 => return Poll::Ready(Err(io::Error::from(ErrorKind::WriteZero).into())),
                    sent => accept.response.advance(sent),
                }
            }
            ready!(Pin::new(&mut stream).poll_flush(cx))?;
            Poll::Ready(Ok::<_, UpgradeError>(None))
        });
        let rejected = match within(self.handshake_timeout, answering).await {
            Some(rejected) => rejected?,
            None if accepted.is_some() => return Err(UpgradeError::Timeout),
            None => Some(handshake.handle_timeout()),
        };
        match (rejected, accepted) {
            (None, Some(accept)) => {
                let parts = Parts {
                    role: Role::Server,
                    config: self.config.clone(),
                    read_buf: accept.leftover,
                    subprotocol: accept.subprotocol,
                    compression: accept.compression,
                };
                event!(
                    debug,
                    path = accept.request.uri().path(),
                    "WebSocket accepted"
                );
                Ok((Conn::from_parts(stream, parts), accept.request))
            }
            (Some(reject), _) => {
                event!(debug, status = reject.status.as_u16(), reason = %reject.reason, "WebSocket refused");
                // The reason matters more to the caller than whether the client could be told.
                let _ = timeout(REFUSAL_TIME_MAX, refuse(&mut stream, &reject.response)).await;
                Err(UpgradeError::Refused(reject.reason))
            }
            (None, None) => unreachable!("a handshake is over when it is accepted or refused"),
        }
    }
}

/// `None` if `step` takes longer than `time`. Neither clock nor timer is asked for before there is something to wait for: the request is
/// mostly there when the stream is accepted.
async fn within<T>(time: Duration, step: impl Future<Output = T>) -> Option<T> {
    let mut step = pin!(step);
    let mut sleep = pin!(None::<Sleep>);
    poll_fn(|cx| {
        if let Poll::Ready(value) = step.as_mut().poll(cx) {
            return Poll::Ready(Some(value));
        }
        if sleep.is_none() {
            sleep.set(Some(sleep_until(later(Instant::now(), time))));
        }
        match sleep.as_mut().as_pin_mut() {
            Some(sleep) => sleep.poll(cx).map(|()| None),
            None => Poll::Pending,
        }
    })
    .await
}

/// Reads the request and, if it is accepted, sends as much of the answer as the stream takes at once. The response of what is given is
/// the rest.
fn poll_judged<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    handshake: &mut ServerHandshake,
    cx: &mut Context<'_>,
) -> Poll<Result<Result<Accept, Reject>, UpgradeError>> {
    // Lent for the moment: a client that keeps us waiting costs what it has sent and no buffer.
    let mut piece = buffers::take();
    let judged = loop {
        piece.clear();
        let mut room = (&mut piece).limit(READ_BYTES);
        let read = pin!(stream.read_buf(&mut room)).poll(cx);
        match read {
            Poll::Pending => break Poll::Pending,
            Poll::Ready(Err(error)) => break Poll::Ready(Err(error.into())),
            Poll::Ready(Ok(0)) => break Poll::Ready(Err(UpgradeError::Closed)),
            Poll::Ready(Ok(_)) => {}
        }
        let agreed = match handshake.consider(&piece) {
            None => continue,
            Some(Err(reject)) => break Poll::Ready(Ok(Err(reject))),
            Some(Ok(agreed)) => agreed,
        };
        // Nobody refers to the request's bytes in there any more.
        piece.clear();
        agreed.encode(&mut piece);
        let sent = match Pin::new(&mut *stream).poll_write(cx, &piece) {
            Poll::Ready(Err(error)) => break Poll::Ready(Err(error.into())),
            Poll::Ready(Ok(sent)) => sent,
            Poll::Pending => 0,
        };
        let rest = Bytes::copy_from_slice(piece.get(sent..).unwrap_or_default());
        break Poll::Ready(Ok(Ok(agreed.into_accept(rest))));
    };
    buffers::give(piece);
    judged
}

/// Sends the answer and closes. A stream that is closed while input is unread may be reset, and the reset can overtake
/// our answer; so the input is read away first, up to a bound.
async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    response: &[u8],
) -> io::Result<()> {
    stream.write_all(response).await?;
    stream.shutdown().await?;
    tokio::io::copy(
        &mut stream.take(REFUSAL_DRAIN_BYTES_MAX),
        &mut tokio::io::sink(),
    )
    .await?;
    Ok(())
}
