//! From a request that hyper serves to a connection.
//!
//! The HTTP server answers with the response that [`Upgrader::upgrade_parts`] gives; afterwards [`OnUpgrade`] yields the
//! connection, or, as [`Raw`], what it is made of: a server that runs its sockets on other threads takes the stream
//! and the unread bytes out and calls [`Conn::from_parts`] there.
//!
//! The bounds of a request head are the HTTP server's: its size and lines, whether a bare LF ends one, and its time, which needs
//! `http1::Builder::timer` with `header_read_timeout`. The [`Upgrader`]'s own hold on raw streams.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Response, request};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::events::event;
use crate::handshake::{Agreement, Policy, Refusal};
use crate::{Compression, Config, Conn, Parts, Role, UpgradeError, Upgrader};

/// A connection's stream as hyper gives it away, whatever lies below.
///
/// It is not [`Endpoints`](crate::Endpoints): hyper tells nothing of what lies below, save by giving it back. [`Raw::downcast`] makes a
/// connection on the socket itself, which knows its addresses; without that the peer's is for whoever accepted the socket to hand
/// on, which axum does with `ConnectInfo`.
pub type HyperStream = TokioIo<hyper::upgrade::Upgraded>;

impl Upgrader {
    /// Judges a request that hyper has parsed. Send the response; the HTTP connection then gives its stream to the
    /// [`OnUpgrade`]. A refusal's answer is [`Upgrader::refusal_response`].
    ///
    /// ```no_run
    /// use http_body_util::Full;
    /// use hyper::{Request, Response, body::{Bytes, Incoming}};
    /// use suda_websocket::{Message, Upgrader};
    ///
    /// async fn serve(upgrader: Upgrader, request: Request<Incoming>) -> Response<Full<Bytes>> {
    ///     let (mut head, _body) = request.into_parts();
    ///     let (response, on_upgrade) = match upgrader.upgrade_parts(&mut head) {
    ///         Ok(upgrade) => upgrade,
    ///         Err(refusal) => return upgrader.refusal_response(refusal, Some(&head)).map(Full::new),
    ///     };
    ///     tokio::spawn(async move {
    ///         let mut conn = on_upgrade.await?;
    ///         conn.write_message(Message::text("welcome")).await?;
    ///         Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    ///     });
    ///     response.map(|()| Full::default())
    /// }
    /// ```
    ///
    /// With the feature `http2` this is also for requests over HTTP/2 (RFC 8441): extended CONNECT, which hyper's HTTP/2 server takes
    /// once it was built with `enable_connect_protocol` (`axum::serve` does so by itself).
    ///
    /// # Errors
    /// The refusal; [`Refusal::NotUpgradable`] if the request doesn't come from a connection that hyper serves
    /// with upgrades.
    pub fn upgrade_parts(
        &self,
        request: &mut request::Parts,
    ) -> Result<(Response<()>, OnUpgrade), Refusal> {
        let (agreement, inner) = judge(&self.policy, request)
            .and_then(|agreement| {
                let inner = request.extensions.remove::<hyper::upgrade::OnUpgrade>();
                Ok((agreement, inner.ok_or(Refusal::NotUpgradable)?))
            })
            .inspect_err(|_refusal| {
                event!(debug, status = _refusal.status().as_u16(), reason = %_refusal, "WebSocket refused");
            })?;
        event!(debug, path = request.uri.path(), "WebSocket accepted");
        let on_upgrade = OnUpgrade {
            inner,
            config: self.config.clone(),
            timeout: self.handshake_timeout,
            subprotocol: agreement.subprotocol,
            compression: agreement.compression,
        };
        Ok((agreement.response, on_upgrade))
    }
}

#[cfg(feature = "http2")]
fn judge(policy: &Policy, request: &request::Parts) -> Result<Agreement, Refusal> {
    if request.version != http::Version::HTTP_2 {
        return policy.judge(request);
    }
    let protocol = request.extensions.get::<hyper::ext::Protocol>();
    policy.judge_connect(request, protocol.map(hyper::ext::Protocol::as_str))
}

#[cfg(not(feature = "http2"))]
fn judge(policy: &Policy, request: &request::Parts) -> Result<Agreement, Refusal> {
    policy.judge(request)
}

/// The connection to come, once the response has gone out. Await it for a [`Conn`], or take the [`raw`](Self::raw) stream.
/// Awaited, it gives up after the upgrader's handshake timeout. Dropping it, or the future that awaits it, closes the connection.
#[derive(Debug)]
#[must_use = "the connection is closed if nobody waits for it"]
pub struct OnUpgrade {
    inner: hyper::upgrade::OnUpgrade,
    pub(crate) config: Config,
    timeout: Duration,
    pub(crate) subprotocol: Option<String>,
    compression: Option<Compression>,
}

impl OnUpgrade {
    /// The subprotocol chosen.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Waits for the stream. Dropping the future closes the connection, as dropping the [`OnUpgrade`] does.
    ///
    /// # Errors
    /// [`UpgradeError::Timeout`] if the client doesn't take the response, [`UpgradeError::Http`] if the HTTP connection
    /// fails before.
    pub async fn raw(self) -> Result<Raw, UpgradeError> {
        let upgraded = tokio::time::timeout(self.timeout, self.inner)
            .await
            .map_err(|_| UpgradeError::Timeout)??;
        Ok(Raw {
            upgraded,
            config: self.config,
            subprotocol: self.subprotocol,
            compression: self.compression,
        })
    }
}

impl IntoFuture for OnUpgrade {
    type Output = Result<Conn<HyperStream>, UpgradeError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { Ok(self.raw().await?.into_conn()) })
    }
}

/// An accepted handshake's stream and terms, not yet a connection.
#[derive(Debug)]
pub struct Raw {
    upgraded: hyper::upgrade::Upgraded,
    config: Config,
    subprotocol: Option<String>,
    compression: Option<Compression>,
}

impl Raw {
    /// The connection over hyper's own stream type.
    pub fn into_conn(self) -> Conn<HyperStream> {
        let (stream, parts) = self.into_parts();
        Conn::from_parts(stream, parts)
    }

    /// hyper's stream, which gives its unread bytes itself, and the rest of what [`Conn::from_parts`] takes.
    pub fn into_parts(self) -> (HyperStream, Parts) {
        let parts = server_parts(
            Bytes::new(),
            self.config,
            self.subprotocol,
            self.compression,
        );
        (TokioIo::new(self.upgraded), parts)
    }

    /// The stream that lies below hyper, if it is a `T` behind [`TokioIo`] (as with `axum::serve`), and the rest of what
    /// [`Conn::from_parts`] takes, unread bytes included. A `TcpStream` moves to another runtime by `into_std` and
    /// `from_std`.
    ///
    /// # Errors
    /// `self`, unchanged, if the stream is of another type.
    // The "error" is the value itself, given back, as with hyper's own downcast.
    #[allow(clippy::result_large_err)]
    pub fn downcast<T>(self) -> Result<(T, Parts), Self>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            upgraded,
            config,
            subprotocol,
            compression,
        } = self;
        // hyper's own server gives the stream as it was put in, hyper-util's `auto` server wraps it once more.
        let (io, unread) = match upgraded.downcast::<TokioIo<T>>() {
            Ok(below) => (below.io, below.read_buf),
            Err(upgraded) => {
                match hyper_util::server::conn::auto::upgrade::downcast::<TokioIo<T>>(upgraded) {
                    Ok(below) => (below.io, below.read_buf),
                    Err(upgraded) => {
                        return Err(Self {
                            upgraded,
                            config,
                            subprotocol,
                            compression,
                        });
                    }
                }
            }
        };
        Ok((
            io.into_inner(),
            server_parts(unread, config, subprotocol, compression),
        ))
    }
}

fn server_parts(
    unread: Bytes,
    config: Config,
    subprotocol: Option<String>,
    compression: Option<Compression>,
) -> Parts {
    Parts {
        role: Role::Server,
        config,
        read_buf: BytesMut::from(unread),
        subprotocol,
        compression,
    }
}
