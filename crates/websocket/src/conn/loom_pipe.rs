//! The streams of loom's models: one whose directions know nothing of the runtime, and one that is to tokio's TCP socket what the first is to streams.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::BufMut;
use loom::sync::{Mutex, MutexGuard};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

/// A stream of the models over a [`Pipe`].
pub(super) trait Model: super::Stream {
    fn over(pipe: &Pipe) -> Self;
}

/// A socket: what the peer sent, how much it takes, and who waits for either. One waker for each direction, as tokio has it.
#[derive(Default)]
struct Socket {
    input: Vec<u8>,
    /// What the runtime knows of `input`: that some may be there, as was told so many times.
    maybe_readable: bool,
    times_told: u32,
    room: usize,
    output: Vec<u8>,
    readable: Option<Waker>,
    writable: Option<Waker>,
}

impl Socket {
    /// As much of `bytes` as there is room for.
    fn take_from(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room);
        if taken == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.room -= taken;
        self.output.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }
}

#[derive(Clone)]
pub(super) struct Pipe(Arc<Mutex<Socket>>);

impl Pipe {
    pub(super) fn new(room: usize) -> Self {
        let socket = Socket {
            room,
            ..Socket::default()
        };
        Self(Arc::new(Mutex::new(socket)))
    }

    pub(super) fn peer_sends(&self, bytes: &[u8]) {
        let woken = {
            let mut socket = self.0.lock().unwrap();
            socket.input.extend_from_slice(bytes);
            socket.maybe_readable = true;
            socket.times_told += 1;
            socket.readable.take()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    pub(super) fn peer_takes(&self, bytes: usize) {
        let woken = {
            let mut socket = self.0.lock().unwrap();
            socket.room += bytes;
            socket.writable.take()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    pub(super) fn sent(&self) -> usize {
        self.0.lock().unwrap().output.len()
    }

    /// Who has it, the model's own among them.
    pub(super) fn owners(&self) -> usize {
        Arc::strong_count(&self.0)
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut socket = self.0.lock().unwrap();
        if socket.input.is_empty() {
            socket.readable = Some(cx.waker().clone());
            return Poll::Pending;
        }
        buf.put_slice(&std::mem::take(&mut socket.input));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut socket = self.0.lock().unwrap();
        let taken = socket.take_from(bytes);
        if taken.is_err() {
            socket.writable = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(taken)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Model for Pipe {
    fn over(pipe: &Pipe) -> Self {
        pipe.clone()
    }
}

/// The [`Pipe`] with what the library uses of a TCP socket beyond a stream's methods.
pub(super) struct PlainPipe(Pipe);

impl Model for PlainPipe {
    fn over(pipe: &Pipe) -> Self {
        Self(pipe.clone())
    }
}

impl PlainPipe {
    fn lock(&self) -> MutexGuard<'_, Socket> {
        self.0.0.lock().unwrap()
    }

    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut socket = self.lock();
        if socket.maybe_readable {
            return Poll::Ready(Ok(()));
        }
        socket.readable = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Takes the readiness back if `act` finds that it would have to wait, but only the one that was known before.
    pub(super) fn try_io<R>(
        &self,
        _: Interest,
        act: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        let told_before = {
            let socket = self.lock();
            if !socket.maybe_readable {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            socket.times_told
        };
        let result = act();
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            let mut socket = self.lock();
            socket.maybe_readable = socket.times_told > told_before;
        }
        result
    }

    pub(super) fn try_read_buf(&self, bytes: &mut impl BufMut) -> io::Result<usize> {
        let input = std::mem::take(&mut self.lock().input);
        if input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        bytes.put_slice(&input);
        Ok(input.len())
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().take_from(bytes)
    }

    pub(super) fn try_write_vectored(&self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let pieces: Vec<&[u8]> = pieces.iter().map(|piece| &**piece).collect();
        self.lock().take_from(&pieces.concat())
    }
}

impl AsyncRead for PlainPipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for PlainPipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
