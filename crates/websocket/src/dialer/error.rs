//! What can go wrong on the way to an open connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::ProxyError;
use crate::handshake::{AnswerError, HandshakeError, TargetError};

/// Why dialling failed; each variant is one step of the way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The URL is none to connect to.
    #[error(transparent)]
    Url(#[from] TargetError),
    /// The dialer's own headers or subprotocols cannot be sent.
    #[error(transparent)]
    Request(#[from] HandshakeError),
    /// The host's name has no address.
    #[error("cannot find the address of {host}: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Nobody answers at the host's addresses.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// The last address tried.
        address: SocketAddr,
        /// What the system said, `ConnectionRefused` for example.
        source: io::Error,
    },
    /// Nobody answers at the Unix socket.
    #[cfg(unix)]
    #[error("cannot connect to {}: {source}", path.display())]
    Unix {
        /// The socket's path.
        path: std::path::PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The caller's own dialling function gave no stream.
    #[error("cannot connect to {host}: {source}")]
    Hook {
        /// The host that it was asked for.
        host: String,
        /// What it said.
        source: io::Error,
    },
    /// The proxy gave no tunnel to the host.
    #[error("the proxy {proxy} gave no connection: {source}")]
    Proxy {
        /// The proxy's URL without user name and password; if it has none because its variable is wrong, `of the
        /// environment` or `of the rules`.
        proxy: String,
        /// Why.
        source: ProxyError,
    },
    /// TLS failed: the certificate isn't trusted, isn't for this host, or the peer doesn't speak TLS.
    #[error("TLS with {host} failed: {source}")]
    Tls {
        /// The host whose certificate was expected.
        host: String,
        /// What rustls said.
        source: io::Error,
    },
    /// The system has no usable root certificates.
    #[error("the system's root certificates cannot be loaded: {0}")]
    Roots(String),
    /// A `wss` URL, but the crate was built without its `tls` feature.
    #[error("wss needs the tls feature of suda-websocket")]
    TlsMissing,
    /// The server answered, but not with a WebSocket. Holds its status, headers and the beginning of its body.
    #[error(transparent)]
    Handshake(#[from] AnswerError),
    /// The server doesn't speak HTTP/2, takes no WebSockets over it, or HTTP/2 failed.
    #[cfg(feature = "http2")]
    #[error(transparent)]
    Http2(#[from] crate::http2::Http2Error),
    /// Not all steps were done in the dialer's handshake timeout.
    #[error("the WebSocket did not open within {0:?}")]
    Timeout(Duration),
    /// The stream failed during the handshake.
    #[error("the connection failed during the handshake: {0}")]
    Io(#[from] io::Error),
}
