//! The addresses of a stream's two ends.

use std::{io, net::SocketAddr};

use tokio::net::TcpStream;

/// A stream that knows the addresses of its two ends; over TLS they are those of the stream below. It gives
/// [`Conn::local_addr`](super::Conn::local_addr) and [`Conn::peer_addr`](super::Conn::peer_addr).
pub trait Endpoints {
    /// What an address looks like here.
    type Addr;

    /// The address of this end.
    ///
    /// # Errors
    /// What the operating system says, if it does not know.
    fn local_addr(&self) -> io::Result<Self::Addr>;

    /// The address of the other end: of a proxy, if there is one between.
    ///
    /// # Errors
    /// What the operating system says: for one, that the stream is not connected any more.
    fn peer_addr(&self) -> io::Result<Self::Addr>;
}

/// The ends of what lies below.
macro_rules! endpoints_of {
    ($(#[$attribute:meta])* $stream:ty, $self:ident => $below:expr, $below_type:ty $(, $generic:ident)?) => {
        $(#[$attribute])*
        impl$(<$generic: Endpoints>)? Endpoints for $stream {
            type Addr = $below_type;

            fn local_addr(&$self) -> io::Result<Self::Addr> {
                $below.local_addr()
            }

            fn peer_addr(&$self) -> io::Result<Self::Addr> {
                $below.peer_addr()
            }
        }
    };
}

impl Endpoints for TcpStream {
    type Addr = SocketAddr;

    fn local_addr(&self) -> io::Result<SocketAddr> {
        TcpStream::local_addr(self)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        TcpStream::peer_addr(self)
    }
}

#[cfg(unix)]
impl Endpoints for tokio::net::UnixStream {
    type Addr = tokio::net::unix::SocketAddr;

    fn local_addr(&self) -> io::Result<Self::Addr> {
        tokio::net::UnixStream::local_addr(self)
    }

    fn peer_addr(&self) -> io::Result<Self::Addr> {
        tokio::net::UnixStream::peer_addr(self)
    }
}

endpoints_of!(
    #[cfg(feature = "tls")]
    tokio_rustls::client::TlsStream<T>, self => self.get_ref().0, T::Addr, T
);
endpoints_of!(
    #[cfg(feature = "tls")]
    tokio_rustls::server::TlsStream<T>, self => self.get_ref().0, T::Addr, T
);
endpoints_of!(
    #[cfg(feature = "tls")]
    tokio_rustls::TlsStream<T>, self => self.get_ref().0, T::Addr, T
);

/// Of a stream that does not run over TCP nothing is known.
impl Endpoints for crate::MaybeTlsStream {
    type Addr = SocketAddr;

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().ok_or(io::ErrorKind::Unsupported)?.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().ok_or(io::ErrorKind::Unsupported)?.peer_addr()
    }
}
