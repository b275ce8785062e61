//! What a dialled connection runs over.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection, plain or inside TLS.
#[derive(Debug)]
pub struct MaybeTlsStream(Kind);

#[derive(Debug)]
enum Kind {
    Plain(TcpStream),
    // Boxed: a TLS session is a hundred times as large as a socket.
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

impl MaybeTlsStream {
    pub(super) fn plain(tcp: TcpStream) -> Self {
        Self(Kind::Plain(tcp))
    }

    #[cfg(feature = "tls")]
    pub(super) fn tls(stream: tokio_rustls::client::TlsStream<TcpStream>) -> Self {
        Self(Kind::Tls(Box::new(stream)))
    }

    /// Whether the bytes are encrypted.
    pub fn is_tls(&self) -> bool {
        !matches!(self.0, Kind::Plain(_))
    }

    /// The socket below, for its addresses and options.
    pub fn tcp(&self) -> &TcpStream {
        match &self.0 {
            Kind::Plain(tcp) => tcp,
            #[cfg(feature = "tls")]
            Kind::Tls(tls) => tls.get_ref().0,
        }
    }
}

/// Calls the same method on whatever lies inside.
macro_rules! inside {
    ($self:ident, $stream:ident => $call:expr) => {
        match &mut $self.get_mut().0 {
            Kind::Plain(tcp) => {
                let $stream = Pin::new(tcp);
                $call
            }
            #[cfg(feature = "tls")]
            Kind::Tls(tls) => {
                let $stream = Pin::new(tls.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for MaybeTlsStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        inside!(self, stream => stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for MaybeTlsStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        inside!(self, stream => stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        inside!(self, stream => stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            Kind::Plain(tcp) => tcp.is_write_vectored(),
            #[cfg(feature = "tls")]
            Kind::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inside!(self, stream => stream.poll_shutdown(cx))
    }
}
