//! One stream of an HTTP/2 connection as a stream of bytes.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use h2::{Reason, RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::error::to_io;
use crate::Endpoints;

/// How long a dropped stream waits for the peer's end.
pub const LINGER_TIME_MAX: Duration = Duration::from_secs(5);

/// Longest piece that one write hands over, in bytes.
const WRITE_BYTES_MAX: usize = 64 * 1024;

/// The bytes of one WebSocket inside an HTTP/2 connection.
///
/// The peer may send what its window allows; the window opens again as bytes are read, not as they arrive. Shutting down, and dropping,
/// sends what was written and then END_STREAM, the counterpart of TCP's FIN (RFC 8441, section 5). A peer that does not end its side
/// within [`LINGER_TIME_MAX`] after that gets RST_STREAM with CANCEL, the counterpart of TCP's RST.
///
/// Its [`Endpoints`] are those of the connection that it shares with others, as they were when that began. They are known if it runs
/// over TCP, with TLS or without.
pub struct Http2Stream {
    send: SendStream<Bytes>,
    /// There until the stream is dropped.
    recv: Option<RecvStream>,
    id: u32,
    /// Of the connection below: this end and the other.
    ends: Option<Ends>,
    runtime: Handle,
    /// Of the last DATA frame, what was not read yet.
    unread: Bytes,
    is_read_to_end: bool,
    is_shut_down: bool,
}

/// The addresses of a connection's two ends.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
}

impl Http2Stream {
    pub(super) fn new(send: SendStream<Bytes>, recv: RecvStream, ends: Option<Ends>) -> Self {
        Self {
            send,
            id: recv.stream_id().as_u32(),
            ends,
            recv: Some(recv),
            runtime: Handle::current(),
            unread: Bytes::new(),
            is_read_to_end: false,
            is_shut_down: false,
        }
    }

    /// The stream's number in its HTTP/2 connection, as logs and proxies tell it.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Waits until some of `wanted` bytes may be sent, and gives how many.
    fn poll_room(&mut self, cx: &mut Context<'_>, wanted: usize) -> Poll<io::Result<usize>> {
        self.send.reserve_capacity(wanted);
        loop {
            match self.send.capacity().min(wanted) {
                0 => {}
                room => return Poll::Ready(Ok(room)),
            }
            match ready!(self.send.poll_capacity(cx)) {
                // How much it is, is asked above.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(to_io(error))),
                None => return Poll::Ready(Err(self.why_closed(cx))),
            }
        }
    }

    /// Why nothing can be sent any more.
    fn why_closed(&mut self, cx: &mut Context<'_>) -> io::Error {
        match self.send.poll_reset(cx) {
            Poll::Ready(Ok(reason)) => to_io(reason.into()),
            Poll::Ready(Err(error)) => to_io(error),
            Poll::Pending => io::ErrorKind::BrokenPipe.into(),
        }
    }

    fn send_bytes(&mut self, bytes: Bytes, cx: &mut Context<'_>) -> io::Result<()> {
        let sent = self.send.send_data(bytes, false);
        sent.map_err(|_| self.why_closed(cx))
    }
}

/// [`io::ErrorKind::Unsupported`] if the connection does not run over TCP.
impl Endpoints for Http2Stream {
    type Addr = SocketAddr;

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.ends.ok_or(io::ErrorKind::Unsupported)?.local)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.ends.ok_or(io::ErrorKind::Unsupported)?.peer)
    }
}

impl AsyncRead for Http2Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let Some(recv) = &mut this.recv else {
            return Poll::Ready(Ok(()));
        };
        while this.unread.is_empty() {
            match ready!(recv.poll_data(cx)) {
                Some(Ok(bytes)) => this.unread = bytes,
                // The server has ended the stream, and needs nothing more from us (RFC 9113, section 8.1).
                Some(Err(error)) if error.reason() == Some(Reason::NO_ERROR) => {
                    this.is_read_to_end = true;
                    return Poll::Ready(Ok(()));
                }
                Some(Err(error)) => return Poll::Ready(Err(to_io(error))),
                None => {
                    this.is_read_to_end = true;
                    return Poll::Ready(Ok(()));
                }
            }
        }
        let length = this.unread.len().min(buf.remaining());
        buf.put_slice(&this.unread[..length]);
        this.unread.advance(length);
        // On a stream that was reset meanwhile there is no window to open.
        let _ = recv.flow_control().release_capacity(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Http2Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let this = self.get_mut();
        let room = ready!(this.poll_room(cx, buf.len().min(WRITE_BYTES_MAX)))?;
        this.send_bytes(Bytes::copy_from_slice(&buf[..room]), cx)?;
        Poll::Ready(Ok(room))
    }

    /// All slices in one DATA frame, as far as there is room.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = bufs.iter().map(|buf| buf.len()).sum::<usize>();
        if length == 0 {
            return Poll::Ready(Ok(0));
        }
        let this = self.get_mut();
        let room = ready!(this.poll_room(cx, length.min(WRITE_BYTES_MAX)))?;
        let mut piece = BytesMut::with_capacity(room);
        for buf in bufs {
            let missing = room - piece.len();
            piece.extend_from_slice(&buf[..buf.len().min(missing)]);
        }
        this.send_bytes(piece.freeze(), cx)?;
        Poll::Ready(Ok(room))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// What was written is with the HTTP/2 connection, whose task sends it.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.is_shut_down {
            return Poll::Ready(Ok(()));
        }
        this.is_shut_down = true;
        let sent = this.send.send_data(Bytes::new(), true);
        Poll::Ready(sent.map_err(|_| this.why_closed(cx)))
    }
}

impl Drop for Http2Stream {
    fn drop(&mut self) {
        if !self.is_shut_down {
            // A stream that is gone already needs no end.
            let _ = self.send.send_data(Bytes::new(), true);
        }
        // Once nobody holds a stream that is half open, `h2` resets it, and what it had not sent yet is lost.
        if let (false, Some(recv)) = (self.is_read_to_end, self.recv.take()) {
            self.runtime
                .spawn(timeout(LINGER_TIME_MAX, wait_for_end(recv)));
        }
    }
}

/// Drops what still comes. The window stays as it is: a peer may not go on for ever.
async fn wait_for_end(mut recv: RecvStream) {
    while let Some(Ok(_)) = recv.data().await {}
}

impl fmt::Debug for Http2Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Stream")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
