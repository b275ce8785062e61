//! A stream of the program's own around a TCP socket, which is told what is sent through it and past it.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use suda_websocket::SocketStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// What was done with the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sending {
    /// The stream was written to.
    Through,
    /// So many bytes were sent, and the stream was told.
    Past(usize),
}

type Listener = Box<dyn FnMut(Sending) + Send>;

pub(crate) struct Told {
    tcp: TcpStream,
    /// Nobody is shown the socket: the stream has to be written to.
    is_opaque: bool,
    listener: Listener,
}

impl Told {
    pub(crate) fn new(
        tcp: TcpStream,
        is_opaque: bool,
        listener: impl FnMut(Sending) + Send + 'static,
    ) -> Self {
        Self {
            tcp,
            is_opaque,
            listener: Box::new(listener),
        }
    }
}

impl SocketStream for Told {
    fn tcp(&self) -> Option<&TcpStream> {
        (!self.is_opaque).then_some(&self.tcp)
    }

    fn sent(&mut self, bytes: usize) {
        (self.listener)(Sending::Past(bytes));
    }
}

impl AsyncRead for Told {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Told {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        (self.listener)(Sending::Through);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
