//! Streams whose bytes go to a socket as they are.

use tokio::net::TcpStream;

use super::Stream;

/// A stream over a TCP socket, which [`flush_all`](crate::flush_all) and
/// [`broadcast_sockets`](crate::broadcast_sockets) may send to without the stream.
///
/// Made for wrappers that only look on, as one that counts bytes.
///
/// ```
/// use suda_websocket::SocketStream;
/// use tokio::net::TcpStream;
/// # use std::{io, pin::Pin, task::{Context, Poll}};
/// # use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
///
/// struct Counted {
///     tcp: TcpStream,
///     written_bytes: usize,
/// }
///
/// impl SocketStream for Counted {
///     fn tcp(&self) -> Option<&TcpStream> {
///         Some(&self.tcp)
///     }
///
///     fn sent(&mut self, bytes: usize) {
///         self.written_bytes += bytes;
///     }
/// }
/// # impl AsyncRead for Counted {
/// #     fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
/// #         Pin::new(&mut self.tcp).poll_read(cx, buf)
/// #     }
/// # }
/// # impl AsyncWrite for Counted {
/// #     fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
/// #         Pin::new(&mut self.tcp).poll_write(cx, bytes)
/// #     }
/// #     fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
/// #         Pin::new(&mut self.tcp).poll_flush(cx)
/// #     }
/// #     fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
/// #         Pin::new(&mut self.tcp).poll_shutdown(cx)
/// #     }
/// # }
/// ```
pub trait SocketStream: Stream {
    /// The socket that gets what is written to the stream, byte for byte and at once. `None`, now or always: the stream encrypts, or
    /// holds bytes back, and has to be written to.
    ///
    /// Asked while other connections are locked: it may not use any.
    fn tcp(&self) -> Option<&TcpStream>;

    /// So many bytes were sent to the socket without the stream, as if it had been written to; the stream may have been written to
    /// since. By itself it does nothing.
    fn sent(&mut self, bytes: usize) {
        let _ = bytes;
    }
}

impl SocketStream for TcpStream {
    fn tcp(&self) -> Option<&TcpStream> {
        Some(self)
    }
}
