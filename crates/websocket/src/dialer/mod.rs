//! The client's end of an opening handshake over a tokio stream.
//!
//! What lives here: from a URL to a TCP connection, TLS on it, the handshake on that, all within one deadline. What does
//! not: the handshake's rules, which are in [`handshake`](crate::handshake); reconnecting, which is the caller's.

mod connect;
mod cookies;
mod error;
mod maybe_tls_stream;
#[cfg(feature = "cookies")]
mod memory_cookie_jar;
mod proxy;
mod route;
mod tcp;

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use crate::conn::later;
use crate::events::event;
use crate::handshake::{Answer, Answered, ClientHandshake, ClientOptions, Target};
#[cfg(feature = "http2")]
use crate::http2;
use crate::{Compression, Config, Conn, Parts, Role, Stream};
use connect::Alpn;
use cookies::{add_cookies, keep_cookies};
use route::{Hook, Route};

pub use cookies::CookieJar;
pub use error::DialError;
pub use maybe_tls_stream::MaybeTlsStream;
#[cfg(feature = "cookies")]
pub use memory_cookie_jar::MemoryCookieJar;
pub use proxy::{Proxy, ProxyError, ProxyRules, ProxyUrlError};

/// How long resolving, connecting, TLS and handshake may take together, unless set otherwise; gorilla's value.
pub const DIAL_TIMEOUT_DEFAULT: Duration = Duration::from_secs(45);

/// How long the rest of a refusal's body is waited for: that the server refuses is known by then.
pub(crate) const REFUSAL_TIME_MAX: Duration = Duration::from_secs(2);

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
    pub(crate) options: ClientOptions,
    pub(crate) config: Config,
    pub(crate) handshake_timeout: Duration,
    route: Route,
    proxies: Proxies,
    tls_dial: Option<Hook>,
    cookies: Option<Arc<dyn CookieJar>>,
    #[cfg(feature = "tls")]
    tls: Option<Arc<rustls::ClientConfig>>,
}

/// Where proxies come from.
#[derive(Clone, Debug, Default)]
enum Proxies {
    #[default]
    Environment,
    None,
    Fixed(Proxy),
    Rules(Arc<ProxyRules>),
}

impl Default for Dialer {
    fn default() -> Self {
        Self {
            options: ClientOptions::default(),
            config: Config::default(),
            handshake_timeout: DIAL_TIMEOUT_DEFAULT,
            route: Route::default(),
            proxies: Proxies::default(),
            tls_dial: None,
            cookies: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }
}

impl Dialer {
    /// No subprotocols, no compression, no extra headers, [`DIAL_TIMEOUT_DEFAULT`], the system's roots for `wss`, the environment's
    /// proxies (see [`ProxyRules`]).
    pub fn new() -> Self {
        Self::default()
    }

    /// Subprotocols to offer, the dearest first. Ask the connection which one the server chose.
    pub fn subprotocols<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.options.subprotocols = names.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a header to the request: `Authorization`, `Cookie`, `Origin`, … One that belongs to the handshake, `Host` and
    /// `Sec-WebSocket-Protocol` among them, makes dialling fail with [`DialError::Request`].
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.options.headers.append(name, value);
        self
    }

    /// Most bytes of the head of the server's answer. Default
    /// [`RESPONSE_HEAD_BYTES_MAX`](crate::handshake::RESPONSE_HEAD_BYTES_MAX).
    pub fn head_bytes_max(mut self, bytes: usize) -> Self {
        self.options.limits.bytes_max = bytes;
        self
    }

    /// Most header lines of the server's answer. Default [`HEADERS_MAX`](crate::handshake::HEADERS_MAX).
    pub fn header_lines_max(mut self, lines: usize) -> Self {
        self.options.limits.lines_max = lines;
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
    pub fn tls(mut self, config: Arc<rustls::ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Reaches every host through this proxy, loopback too, in place of what the environment says.
    ///
    /// For `ws` as for `wss` the proxy is asked for a tunnel, and to resolve the host's name. The time that this takes counts
    /// towards the handshake's.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxies = Proxies::Fixed(proxy);
        self
    }

    /// Reaches hosts through the proxies that these rules name, in place of what the environment says.
    pub fn proxy_rules(mut self, rules: ProxyRules) -> Self {
        self.proxies = Proxies::Rules(Arc::new(rules));
        self
    }

    /// Reaches every host directly, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.proxies = Proxies::None;
        self
    }

    /// Connects by the caller's function, from host (an IPv6 address without brackets) and port to a stream, in place of resolving
    /// and TCP. It is asked for the proxy if there is one, otherwise for the URL's host; TLS is spoken over what it gives.
    ///
    /// ```
    /// use suda_websocket::Dialer;
    /// use tokio::net::{TcpSocket, TcpStream};
    ///
    /// // From an address of one's own.
    /// let dialer = Dialer::new().net_dial(async |host: String, port| {
    ///     let socket = TcpSocket::new_v4()?;
    ///     socket.bind("192.0.2.7:0".parse().map_err(std::io::Error::other)?)?;
    ///     let mut addresses = tokio::net::lookup_host((host, port)).await?;
    ///     let address = addresses.next().ok_or(std::io::ErrorKind::NotFound)?;
    ///     socket.connect(address).await
    /// });
    /// ```
    pub fn net_dial<F, R, S>(mut self, dial: F) -> Self
    where
        F: Fn(String, u16) -> R + Send + Sync + 'static,
        R: Future<Output = std::io::Result<S>> + Send + 'static,
        S: Stream,
    {
        self.route = Route::Hook(Hook::new(dial));
        self
    }

    /// Connects to the hosts of `wss` URLs by the caller's function, from host and port to a stream that is encrypted already: for
    /// another TLS than rustls. No proxy is used for them; `ws` URLs go their usual way.
    pub fn tls_dial<F, R, S>(mut self, dial: F) -> Self
    where
        F: Fn(String, u16) -> R + Send + Sync + 'static,
        R: Future<Output = std::io::Result<S>> + Send + 'static,
        S: Stream,
    {
        self.tls_dial = Some(Hook::new(dial));
        self
    }

    /// Connects to this Unix socket whatever the URL's host; no proxy is used. The URL still gives the request line, `Host`, and whether
    /// TLS is spoken.
    #[cfg(unix)]
    pub fn unix(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.route = Route::Unix(path.into());
        self
    }

    /// Sends the cookies of this jar, and gives it those that servers set in their answers. Without this call none are kept.
    pub fn cookie_jar(mut self, jar: Arc<dyn CookieJar>) -> Self {
        self.cookies = Some(jar);
        self
    }

    /// Connects to a `ws` or `wss` URL; gives the connection and the server's answer.
    ///
    /// Redirects are not followed: an answer of 3xx is [`DialError::Handshake`], with `Location` among its headers. Whoever follows it
    /// decides whether headers and cookies may go to the new place.
    ///
    /// Dropping the future abandons the attempt and closes the socket.
    ///
    /// # Errors
    /// [`DialError`] names the step that failed. A server that refuses is [`DialError::Handshake`] with its status, headers
    /// and the beginning of its body.
    pub async fn dial(&self, url: &str) -> Result<(Conn<MaybeTlsStream>, Response<()>), DialError> {
        let target: Target = url.parse()?;
        // Built before anything is sent, so that a wrong option costs no connection.
        let handshake = self.handshake(&target)?;
        let deadline = later(Instant::now(), self.handshake_timeout);
        let opening = async {
            let stream = self.connect(&target, Alpn::Http1, deadline).await?;
            self.shake_hands(stream, &target, handshake, deadline).await
        };
        opening
            .await
            .inspect(|_| event!(debug, host = target.host(), port = target.port(), "WebSocket open"))
            .inspect_err(|_error| {
                event!(debug, host = target.host(), port = target.port(), error = %_error, "WebSocket did not open");
            })
    }

    /// Opens a WebSocket over a stream that the caller has connected (and encrypted, if the URL is `wss`): a tunnel, an in-memory
    /// pipe. The URL gives the request line and `Host`.
    ///
    /// Dropping the future abandons the attempt and drops the stream.
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
        let target: Target = url.parse()?;
        let handshake = self.handshake(&target)?;
        let deadline = later(Instant::now(), self.handshake_timeout);
        self.shake_hands(stream, &target, handshake, deadline).await
    }

    /// Opens an HTTP/2 connection (RFC 8441) to the server of a `ws` or `wss` URL, whose path counts for nothing: WebSockets are then
    /// [dialled](http2::Connection::dial) on it. For `wss` HTTP/2 is negotiated by ALPN, whatever [`tls`](Self::tls) offers; for `ws` the
    /// server must be known to speak it. Proxies, hooks and Unix sockets are used as for [`dial`](Self::dial); a stream of
    /// [`tls_dial`](Self::tls_dial) must have negotiated `h2` itself. It all must be done within the handshake timeout.
    ///
    /// Dropping the future abandons the attempt.
    ///
    /// # Errors
    /// The steps before HTTP/2 as with [`dial`](Self::dial); [`DialError::Http2`] if the server doesn't speak it or takes no WebSockets
    /// over it.
    #[cfg(feature = "http2")]
    pub async fn http2(&self, url: &str) -> Result<http2::Connection, DialError> {
        let target: Target = url.parse()?;
        let deadline = later(Instant::now(), self.handshake_timeout);
        let stream = self.connect(&target, Alpn::Http2, deadline).await?;
        self.start_http2(stream, target, deadline).await
    }

    /// The same over a stream that the caller has connected, and encrypted with `h2` negotiated if the URL is `wss`.
    ///
    /// Dropping the future abandons the attempt; the stream is not given back.
    ///
    /// # Errors
    /// As [`http2`](Self::http2), without the steps before HTTP/2.
    #[cfg(feature = "http2")]
    pub async fn http2_client<S: Stream>(
        &self,
        stream: S,
        url: &str,
    ) -> Result<http2::Connection, DialError> {
        let deadline = later(Instant::now(), self.handshake_timeout);
        self.start_http2(stream, url.parse()?, deadline).await
    }

    #[cfg(feature = "http2")]
    async fn start_http2<S: Stream>(
        &self,
        stream: S,
        server: Target,
        deadline: Instant,
    ) -> Result<http2::Connection, DialError> {
        let starting = http2::Connection::start(stream, server, self.clone());
        let starting = async { Ok(starting.await?) };
        self.within(deadline, starting).await
    }

    fn handshake(&self, target: &Target) -> Result<ClientHandshake, DialError> {
        Ok(ClientHandshake::new(target, &self.options_for(target))?)
    }

    /// The options, with the jar's cookies for the target.
    pub(crate) fn options_for(&self, target: &Target) -> Cow<'_, ClientOptions> {
        let mut options = Cow::Borrowed(&self.options);
        if let Some(jar) = &self.cookies {
            add_cookies(&**jar, target, &mut options.to_mut().headers);
        }
        options
    }

    pub(crate) fn keep_cookies_of(&self, target: &Target, headers: &HeaderMap) {
        if let Some(jar) = &self.cookies {
            keep_cookies(&**jar, target, headers);
        }
    }

    async fn shake_hands<S>(
        &self,
        mut stream: S,
        target: &Target,
        mut handshake: ClientHandshake,
        deadline: Instant,
    ) -> Result<(Conn<S>, Response<()>), DialError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let answered = match self
            .within(deadline, exchange(&mut stream, &mut handshake))
            .await
        {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(DialError::Handshake(handshake.handle_end())),
            // A refusal whose body doesn't come, or breaks off, is a refusal still.
            Err(DialError::Timeout(_) | DialError::Io(_)) if handshake.is_refused() => {
                Err(DialError::Handshake(handshake.handle_end()))
            }
            Err(error) => Err(error),
        };
        let headers = match &answered {
            Ok(answer) => Some(answer.response.headers()),
            Err(DialError::Handshake(error)) => error.response.as_ref().map(|r| r.headers()),
            Err(_) => None,
        };
        if let Some(headers) = headers {
            self.keep_cookies_of(target, headers);
        }
        let Answer {
            response,
            subprotocol,
            compression,
            leftover,
            ..
        } = *answered?;
        let parts = Parts {
            role: Role::Client,
            config: self.config.clone(),
            read_buf: leftover,
            subprotocol,
            compression,
        };
        Ok((Conn::from_parts(stream, parts), response))
    }

    pub(crate) async fn within<T>(
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
    let mut refused_until = None;
    loop {
        let reading = stream.read(&mut piece);
        let length = match refused_until {
            // Whoever asked tells by the handshake that it was refused.
            Some(deadline) => timeout_at(deadline, reading).await.unwrap_or(Ok(0))?,
            None => reading.await?,
        };
        if length == 0 {
            return Ok(None);
        }
        match handshake.receive(&piece[..length]) {
            Answered::Pending if handshake.is_refused() => {
                refused_until.get_or_insert_with(|| Instant::now() + REFUSAL_TIME_MAX);
            }
            Answered::Pending => {}
            Answered::Accept(answer) => return Ok(Some(answer)),
            Answered::Fail(error) => return Err(DialError::Handshake(error)),
        }
    }
}
