//! The client's end of an opening handshake over a tokio stream.
//!
//! What lives here: from a URL to a TCP connection, TLS on it, the handshake on that, all within one deadline. What does
//! not: the handshake's rules, which are in [`handshake`](crate::handshake); reconnecting, which is the caller's.

mod error;
mod maybe_tls_stream;

use std::future::Future;
use std::time::Duration;

use http::Response;
use http::header::{HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::handshake::{Answer, Answered, ClientHandshake, ClientOptions, Target};
use crate::{Compression, Config, Conn, Parts, Role};

pub use error::DialError;
pub use maybe_tls_stream::MaybeTlsStream;

/// How long resolving, connecting, TLS and handshake may take together, unless set otherwise; gorilla's value.
pub const DIAL_TIMEOUT_DEFAULT: Duration = Duration::from_secs(45);

/// Bytes to ask a stream for at once.
const READ_BYTES: usize = 4 * 1024;

/// Opens WebSocket connections to servers.
///
/// A dialer keeps no state between calls. That a client has only one connection in the opening handshake per address (RFC
/// 6455, section 4.1) is for the caller to see to.
///
/// ```no_run
/// use suda_websocket::{Dialer, Message};
///
/// # async fn talk() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut conn, _response) = Dialer::new().subprotocols(["chat.v1"]).dial("wss://chat.example/room").await?;
/// conn.write_message(Message::text("hello")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Dialer {
    options: ClientOptions,
    config: Config,
    handshake_timeout: Duration,
    #[cfg(feature = "tls")]
    tls: Option<std::sync::Arc<rustls::ClientConfig>>,
}

impl Default for Dialer {
    fn default() -> Self {
        Self {
            options: ClientOptions::default(),
            config: Config::default(),
            handshake_timeout: DIAL_TIMEOUT_DEFAULT,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl Dialer {
    /// No subprotocols, no compression, no extra headers, [`DIAL_TIMEOUT_DEFAULT`], the system's roots for `wss`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Subprotocols to offer, the dearest first. Ask the connection which one the server chose.
    pub fn subprotocols<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.options.subprotocols = names.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a header to the request: `Authorization`, `Cookie`, `Origin`, … One that belongs to the handshake makes dialling
    /// fail.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.options.headers.append(name, value);
        self
    }

    /// How long resolving, connecting, TLS and handshake may take together.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// Offers to compress messages (RFC 7692). Without this call nothing is compressed; see
    /// [`Upgrader::compression`](crate::Upgrader::compression).
    pub fn compression(mut self, compression: Compression) -> Self {
        self.options.compression = Some(compression);
        self
    }

    /// How the connection is to behave: read limit and so on.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// TLS as the caller wants it, in place of the system's roots. It should offer `http/1.1` by ALPN, or nothing.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, config: std::sync::Arc<rustls::ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Connects to a `ws` or `wss` URL; gives the connection and the server's answer. Redirects are not followed.
    ///
    /// Dropping the future abandons the attempt and closes the socket.
    ///
    /// # Errors
    /// [`DialError`] names the step that failed. A server that refuses is [`DialError::Handshake`] with its status, headers
    /// and the beginning of its body.
    pub async fn dial(&self, url: &str) -> Result<(Conn<MaybeTlsStream>, Response<()>), DialError> {
        let target: Target = url.parse()?;
        // Built before anything is sent, so that a wrong option costs no connection.
        let handshake = ClientHandshake::new(&target, &self.options)?;
        let deadline = Instant::now() + self.handshake_timeout;
        let stream = self.within(deadline, self.connect(&target)).await?;
        self.shake_hands(stream, handshake, deadline).await
    }

    /// Opens a WebSocket over a stream that the caller has connected (and encrypted, if the URL is `wss`): a Unix socket, a
    /// tunnel, an in-memory pipe. The URL gives the request line and `Host`.
    ///
    /// # Errors
    /// As [`dial`](Self::dial), without the steps before the handshake.
    pub async fn client<S>(
        &self,
        stream: S,
        url: &str,
    ) -> Result<(Conn<S>, Response<()>), DialError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake = ClientHandshake::new(&url.parse()?, &self.options)?;
        self.shake_hands(stream, handshake, Instant::now() + self.handshake_timeout)
            .await
    }

    async fn connect(&self, target: &Target) -> Result<MaybeTlsStream, DialError> {
        let tcp = connect_tcp(target).await?;
        if !target.is_secure() {
            return Ok(MaybeTlsStream::plain(tcp));
        }
        self.encrypt(tcp, target).await
    }

    #[cfg(feature = "tls")]
    async fn encrypt(&self, tcp: TcpStream, target: &Target) -> Result<MaybeTlsStream, DialError> {
        let config = match &self.tls {
            Some(config) => config.clone(),
            None => crate::tls::system_roots().await?,
        };
        Ok(MaybeTlsStream::tls(
            crate::tls::connect(tcp, target.host(), config).await?,
        ))
    }

    #[cfg(not(feature = "tls"))]
    async fn encrypt(
        &self,
        _tcp: TcpStream,
        _target: &Target,
    ) -> Result<MaybeTlsStream, DialError> {
        Err(DialError::TlsMissing)
    }

    async fn shake_hands<S>(
        &self,
        mut stream: S,
        mut handshake: ClientHandshake,
        deadline: Instant,
    ) -> Result<(Conn<S>, Response<()>), DialError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let answer = match self
            .within(deadline, exchange(&mut stream, &mut handshake))
            .await
        {
            Ok(Some(answer)) => *answer,
            Ok(None) => return Err(DialError::Handshake(handshake.handle_end())),
            // A refusal whose body doesn't come, or breaks off, is a refusal still.
            Err(DialError::Timeout(_) | DialError::Io(_)) if handshake.is_refused() => {
                return Err(DialError::Handshake(handshake.handle_end()));
            }
            Err(error) => return Err(error),
        };
        let Answer {
            response,
            subprotocol,
            compression,
            leftover,
            ..
        } = answer;
        let parts = Parts {
            role: Role::Client,
            config: self.config.clone(),
            read_buf: leftover,
            subprotocol,
            compression,
        };
        Ok((Conn::from_parts(stream, parts), response))
    }

    async fn within<T>(
        &self,
        deadline: Instant,
        step: impl Future<Output = Result<T, DialError>>,
    ) -> Result<T, DialError> {
        timeout_at(deadline, step)
            .await
            .unwrap_or(Err(DialError::Timeout(self.handshake_timeout)))
    }
}

/// Sends the request and reads the answer; `None` if the stream ends first.
async fn exchange<S>(
    stream: &mut S,
    handshake: &mut ClientHandshake,
) -> Result<Option<Box<Answer>>, DialError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(handshake.request()).await?;
    stream.flush().await?;
    let mut piece = vec![0; READ_BYTES];
    loop {
        let length = stream.read(&mut piece).await?;
        if length == 0 {
            return Ok(None);
        }
        match handshake.receive(&piece[..length]) {
            Answered::Pending => {}
            Answered::Accept(answer) => return Ok(Some(answer)),
            Answered::Fail(error) => return Err(DialError::Handshake(error)),
        }
    }
}

/// Tries the host's addresses one after another; the last failure is told.
async fn connect_tcp(target: &Target) -> Result<TcpStream, DialError> {
    let (host, port) = (target.host(), target.port());
    let resolve = |source| DialError::Resolve {
        host: host.to_owned(),
        source,
    };
    let addresses = tokio::net::lookup_host((host, port))
        .await
        .map_err(resolve)?;
    let mut failure = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Messages are batched by us; Nagle's algorithm would only hold the last one back.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(source) => failure = Some(DialError::Connect { address, source }),
        }
    }
    Err(failure.unwrap_or_else(|| resolve(std::io::ErrorKind::NotFound.into())))
}
