//! An HTTP/2 connection as a client, and the dialling of WebSockets on it.

use std::any::Any;
use std::fmt;

use bytes::{Bytes, BytesMut};
use h2::client::SendRequest;
use h2::{Ping, RecvStream, SendStream};
use http::Response;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::stream::Ends;
use super::{
    CONNECTION_WINDOW_BYTES, Http2Error, Http2Stream, SEND_BUFFER_BYTES, STREAM_WINDOW_BYTES,
};
use crate::conn::later;
use crate::dialer::REFUSAL_TIME_MAX;
use crate::events::event;
use crate::handshake::{
    AnswerError, AnswerFault, CONNECT_PROTOCOL, ExtendedConnect, REFUSAL_BODY_BYTES_MAX, Target,
};
use crate::{Conn, DialError, Dialer, MaybeTlsStream, Parts, Role, Stream};

/// An HTTP/2 connection to one server, on which any number of WebSockets can be opened, at the same time and from any task. Clones are the same
/// connection.
///
/// It ends when all clones and all its WebSockets are gone. WebSockets on it outlive the handle.
#[derive(Clone)]
pub struct Connection {
    sender: SendRequest<Bytes>,
    server: Target,
    dialer: Dialer,
    ends: Option<Ends>,
}

impl Connection {
    /// Speaks HTTP/2 over `stream` and waits for the server's SETTINGS.
    pub(crate) async fn start<S: Stream>(
        stream: S,
        server: Target,
        dialer: Dialer,
    ) -> Result<Self, Http2Error> {
        let ends = ends_of(&stream);
        let head_bytes_max = dialer.options.limits.bytes_max;
        let (sender, mut connection) = h2::client::Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buffer_size(SEND_BUFFER_BYTES)
            .max_header_list_size(u32::try_from(head_bytes_max).unwrap_or(u32::MAX))
            .handshake(stream)
            .await?;
        let pings = connection.ping_pong();
        let running = tokio::spawn(connection);
        // SETTINGS are the first that a server sends (RFC 9113, section 3.4), so they have come when a ping is answered.
        if let Some(mut pings) = pings {
            // If the connection fails instead, it says why itself.
            if pings.ping(Ping::opaque()).await.is_err() {
                return Err(match running.await {
                    Ok(Err(error)) => error.into(),
                    _ => Http2Error::Failed(std::io::ErrorKind::UnexpectedEof.into()),
                });
            }
        }
        let this = Self {
            sender,
            server,
            dialer,
            ends,
        };
        this.check_offered()?;
        Ok(this)
    }

    /// RFC 8441, section 3: without the setting no extended CONNECT may be sent.
    fn check_offered(&self) -> Result<(), Http2Error> {
        if self.sender.is_extended_connect_protocol_enabled() {
            Ok(())
        } else {
            Err(Http2Error::NotOffered)
        }
    }

    /// Opens a WebSocket at `path_and_query` (`/room?x=1`), with what the dialer was set to: subprotocols, compression, headers, cookies,
    /// configuration, and its handshake timeout for this one. If the server allows no further stream at the moment, waits for a place.
    ///
    /// Dropping the future abandons the attempt.
    ///
    /// # Errors
    /// [`DialError::Url`] and [`DialError::Request`] before anything is sent, [`DialError::Handshake`] for a server that refuses, with its
    /// status, headers and the beginning of its body, [`DialError::Timeout`], and [`DialError::Http2`].
    pub async fn dial(
        &self,
        path_and_query: &str,
    ) -> Result<(Conn<Http2Stream>, Response<()>), DialError> {
        let target = self.server.with_path(path_and_query)?;
        self.open(&target)
            .await
            .inspect(|_| event!(debug, host = target.host(), port = target.port(), "WebSocket open"))
            .inspect_err(|_error| {
                event!(debug, host = target.host(), port = target.port(), error = %_error, "WebSocket did not open");
            })
    }

    async fn open(&self, target: &Target) -> Result<(Conn<Http2Stream>, Response<()>), DialError> {
        let options = self.dialer.options_for(target);
        let handshake = ExtendedConnect::new(target, &options)?;
        let deadline = later(Instant::now(), self.dialer.handshake_timeout);
        let asking = async { Ok(self.ask(&handshake).await?) };
        let (response, send) = self.dialer.within(deadline, asking).await?;
        let (head, body) = response.into_parts();
        let response = Response::from_parts(head, ());
        self.dialer.keep_cookies_of(target, response.headers());
        if response.headers().len() > options.limits.lines_max {
            let fault = AnswerFault::TooManyHeaders;
            return Err(AnswerError::new(fault, None).into());
        }
        match handshake.verify(&response) {
            Ok((subprotocol, compression)) => {
                let parts = Parts::new(Role::Client, self.dialer.config.clone())
                    .subprotocol(subprotocol)
                    .compression(compression);
                Ok((
                    Conn::from_parts(Http2Stream::new(send, body, self.ends), parts),
                    response,
                ))
            }
            Err(fault) => {
                let mut start = BytesMut::new();
                if fault == AnswerFault::Refused {
                    // A refusal whose body doesn't come, or breaks off, is a refusal still.
                    let deadline = deadline.min(Instant::now() + REFUSAL_TIME_MAX);
                    let _ = timeout_at(deadline, read_start(body, &mut start)).await;
                }
                let response = response.map(|()| start.freeze());
                Err(AnswerError::new(fault, Some(response)).into())
            }
        }
    }

    async fn ask(
        &self,
        handshake: &ExtendedConnect,
    ) -> Result<(Response<RecvStream>, SendStream<Bytes>), Http2Error> {
        let mut sender = self.sender.clone().ready().await?;
        self.check_offered()?;
        let mut request = handshake.request().clone();
        let protocol = h2::ext::Protocol::from_static(CONNECT_PROTOCOL);
        request.extensions_mut().insert(protocol);
        let (response, send) = sender.send_request(request, false)?;
        Ok((response.await?, send))
    }
}

/// The ends of the TCP connection below, if there is one: the stream itself is given away.
fn ends_of<S: Stream>(stream: &S) -> Option<Ends> {
    let stream = stream as &dyn Any;
    let tcp = stream.downcast_ref::<TcpStream>();
    #[cfg(feature = "tls")]
    let tcp = tcp.or_else(|| {
        let tls = stream.downcast_ref::<tokio_rustls::client::TlsStream<TcpStream>>();
        tls.map(|tls| tls.get_ref().0)
    });
    let tcp = tcp.or_else(|| stream.downcast_ref::<MaybeTlsStream>()?.tcp())?;
    Some(Ends {
        local: tcp.local_addr().ok()?,
        peer: tcp.peer_addr().ok()?,
    })
}

/// Reads until enough is there, or the body ends or fails.
async fn read_start(mut body: RecvStream, start: &mut BytesMut) {
    while start.len() < REFUSAL_BODY_BYTES_MAX {
        let Some(Ok(piece)) = body.data().await else {
            return;
        };
        let missing = REFUSAL_BODY_BYTES_MAX - start.len();
        start.extend_from_slice(&piece[..piece.len().min(missing)]);
        let _ = body.flow_control().release_capacity(piece.len());
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.server.authority())
            .finish_non_exhaustive()
    }
}
