//! A peer that speaks in bytes, and a stream that counts the calls on it.
#![allow(dead_code)] // Each test binary uses its part.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use suda_websocket::{Role, Stream};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
};

const KEY: [u8; 4] = [1, 2, 3, 4];

/// A frame as `from` sends it, for payloads below 64 KiB.
pub(crate) fn frame(from: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(from, first, payload.len());
    match from {
        Role::Client => bytes.extend(
            payload
                .iter()
                .zip(KEY.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        ),
        Role::Server => bytes.extend(payload),
    }
    bytes
}

/// Only the header of such a frame.
pub(crate) fn header(from: Role, first: u8, len: usize) -> Vec<u8> {
    let masked = if from == Role::Client { 0x80 } else { 0 };
    let mut bytes = match len {
        0..=125 => vec![first, masked | len as u8],
        126..=0xffff => [&[first, masked | 126][..], &(len as u16).to_be_bytes()].concat(),
        _ => [&[first, masked | 127][..], &(len as u64).to_be_bytes()].concat(),
    };
    if from == Role::Client {
        bytes.extend(KEY);
    }
    bytes
}

/// One end of a stream on which frames are written and read by hand.
pub(crate) struct RawPeer<S> {
    pub(crate) stream: S,
    role: Role,
}

impl<S: Stream> RawPeer<S> {
    pub(crate) fn new(stream: S, role: Role) -> Self {
        Self { stream, role }
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn send(&mut self, first: u8, payload: &[u8]) {
        let bytes = frame(self.role, first, payload);
        self.send_raw(&bytes).await;
    }

    /// The next frame's first byte and unmasked payload; none at the end of the stream.
    pub(crate) async fn next_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.stream.read_u8().await.ok()?;
        let second = self.stream.read_u8().await.unwrap();
        let len = match second & 0x7f {
            126 => usize::from(self.stream.read_u16().await.unwrap()),
            127 => self.stream.read_u64().await.unwrap() as usize,
            len => usize::from(len),
        };
        let mut key = [0; 4];
        assert_eq!(
            second & 0x80 != 0,
            self.role == Role::Server,
            "exactly a client masks"
        );
        if self.role == Role::Server {
            self.stream.read_exact(&mut key).await.unwrap();
        }
        let mut payload = vec![0; len];
        self.stream.read_exact(&mut payload).await.unwrap();
        for (byte, key) in payload.iter_mut().zip(key.iter().cycle()) {
            *byte ^= key;
        }
        Some((first, payload))
    }
}

/// Both ends of a TCP connection.
pub(crate) async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connecting = TcpStream::connect(listener.local_addr().unwrap());
    let (theirs, accepted) = tokio::join!(connecting, listener.accept());
    (accepted.unwrap().0, theirs.unwrap())
}

/// Calls on a stream that moved bytes. A call that would block is not counted: on a socket, tokio knows beforehand and makes none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) reads: usize,
    pub(crate) writes: usize,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct SharedCounts {
    reads: Arc<AtomicUsize>,
    writes: Arc<AtomicUsize>,
}

impl SharedCounts {
    pub(crate) fn get(&self) -> Counts {
        Counts {
            reads: self.reads.load(Ordering::SeqCst),
            writes: self.writes.load(Ordering::SeqCst),
        }
    }
}

/// A stream that counts the calls on it.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    stream: S,
    counts: SharedCounts,
}

impl<S> Counted<S> {
    pub(crate) fn new(stream: S) -> (Self, SharedCounts) {
        let counts = SharedCounts::default();
        (
            Self {
                stream,
                counts: counts.clone(),
            },
            counts,
        )
    }
}

impl<S: Stream> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if result.is_ready() {
            self.counts.reads.fetch_add(1, Ordering::SeqCst);
        }
        result
    }
}

impl<S: Stream> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, data);
        if result.is_ready() {
            self.counts.writes.fetch_add(1, Ordering::SeqCst);
        }
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        if result.is_ready() {
            self.counts.writes.fetch_add(1, Ordering::SeqCst);
        }
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Gives up after `pendings` times of waiting, with whatever was awaited at that point.
pub(crate) async fn given_up_after<F: Future>(pendings: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = pendings;
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}
