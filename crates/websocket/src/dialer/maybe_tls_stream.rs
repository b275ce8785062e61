//! What a dialled connection runs over.

use std::any::Any;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::Stream;

/// What a dialled connection runs over: a TCP connection, a Unix socket, what a hook gave, or a tunnel through a proxy; plain or
/// inside TLS.
#[derive(Debug)]
pub struct MaybeTlsStream(Kind);

/// A stream without TLS of ours.
pub(super) enum Transport {
    Tcp(TcpStream),
    Other(Box<dyn AnyStream>),
}

/// A stream of a type that may be asked for.
pub(super) trait AnyStream: Stream {
    fn as_any(&self) -> &dyn Any;
}

impl<S: Stream> AnyStream for S {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(tcp) => tcp.fmt(f),
            Self::Other(_) => f.write_str("Stream(..)"),
        }
    }
}

#[derive(Debug)]
enum Kind {
    Plain(Transport),
    // Encrypted by a caller's hook.
    Encrypted(Transport),
    // Boxed: a TLS session is a hundred times as large as a socket.
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::client::TlsStream<Transport>>),
}

impl MaybeTlsStream {
    pub(super) fn plain(transport: Transport) -> Self {
        Self(Kind::Plain(transport))
    }

    pub(super) fn encrypted(transport: Transport) -> Self {
        Self(Kind::Encrypted(transport))
    }

    #[cfg(feature = "tls")]
    pub(super) fn tls(stream: tokio_rustls::client::TlsStream<Transport>) -> Self {
        Self(Kind::Tls(Box::new(stream)))
    }

    /// Whether the bytes are encrypted.
    pub fn is_tls(&self) -> bool {
        !matches!(self.0, Kind::Plain(_))
    }

    /// The TCP socket below, for its addresses and options; if the connection goes through a proxy, the one to the proxy. `None` if it
    /// isn't TCP, or lies within another stream: a hook's own, or TLS with an `https` proxy.
    pub fn tcp(&self) -> Option<&TcpStream> {
        let transport = match &self.0 {
            Kind::Plain(transport) | Kind::Encrypted(transport) => transport,
            #[cfg(feature = "tls")]
            Kind::Tls(tls) => tls.get_ref().0,
        };
        match transport {
            Transport::Tcp(tcp) => Some(tcp),
            // `*other`, or the box itself, which is a stream, too, would be asked.
            Transport::Other(other) => (**other).as_any().downcast_ref(),
        }
    }
}

/// Reads and writes by the stream that `$arms` find inside.
macro_rules! pass_on {
    ($type:ty { $($(#[$attribute:meta])* $arm:pat => $stream:expr,)+ }) => {
        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                match self.get_mut() { $($(#[$attribute])* $arm => Pin::new($stream).poll_read(cx, buf),)+ }
            }
        }

        impl AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                match self.get_mut() { $($(#[$attribute])* $arm => Pin::new($stream).poll_write(cx, buf),)+ }
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                match self.get_mut() {
                    $($(#[$attribute])* $arm => Pin::new($stream).poll_write_vectored(cx, bufs),)+
                }
            }

            fn is_write_vectored(&self) -> bool {
                match self { $($(#[$attribute])* $arm => $stream.is_write_vectored(),)+ }
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() { $($(#[$attribute])* $arm => Pin::new($stream).poll_flush(cx),)+ }
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                match self.get_mut() { $($(#[$attribute])* $arm => Pin::new($stream).poll_shutdown(cx),)+ }
            }
        }
    };
}

pass_on!(Transport {
    Self::Tcp(stream) => stream,
    Self::Other(stream) => stream,
});

pass_on!(MaybeTlsStream {
    Self(Kind::Plain(stream) | Kind::Encrypted(stream)) => stream,
    #[cfg(feature = "tls")]
    Self(Kind::Tls(stream)) => stream,
});
