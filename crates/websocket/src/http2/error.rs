//! What can go wrong with HTTP/2 itself.

use std::io;

/// Why an HTTP/2 connection carries no WebSocket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Http2Error {
    /// TLS is there, but the server did not choose `h2` by ALPN.
    #[error("the server does not speak HTTP/2")]
    NotNegotiated,
    /// The server's SETTINGS don't enable extended CONNECT (RFC 8441, section 3). The same server may take WebSockets over HTTP/1.1.
    #[error("the server takes no WebSockets over HTTP/2")]
    NotOffered,
    /// The server reset the stream, ended the connection, broke HTTP/2, or the stream below failed.
    #[error("HTTP/2 failed: {0}")]
    Failed(#[from] io::Error),
}

impl From<h2::Error> for Http2Error {
    fn from(error: h2::Error) -> Self {
        Self::Failed(to_io(error))
    }
}

/// As the error of a byte stream. A reset is to a WebSocket over HTTP/2 what TCP's is to others (RFC 8441, section 5).
pub(super) fn to_io(error: h2::Error) -> io::Error {
    let kind = if error.is_reset() {
        io::ErrorKind::ConnectionReset
    } else if error.is_go_away() {
        io::ErrorKind::ConnectionAborted
    } else {
        io::ErrorKind::Other
    };
    if error.is_io() {
        return error
            .into_io()
            .unwrap_or_else(|| io::ErrorKind::BrokenPipe.into());
    }
    io::Error::new(kind, error)
}
