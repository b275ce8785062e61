//! What goes to the stream: the queue, what is written past it, and the end of that direction.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;

use super::Inner;
use crate::{
    Connection, Message,
    conn::{Stream, plain},
};

/// Chunks that one vectored write takes.
const SLICES_MAX: usize = 64;

impl<S: Stream> Inner<S> {
    /// Ready when all is sent, or nothing can be sent any more.
    pub(in crate::conn) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let result = ready!(self.try_flush(cx));
        self.progressed = true;
        if let Err(error) = result {
            self.fail_writing(error.into());
        }
        Poll::Ready(())
    }

    fn try_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.conn.buffered() > 0 {
            let sent = ready!(write_chunks(&mut self.stream, &self.conn, cx))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.conn.advance(sent);
            self.unflushed = true;
            self.progressed = true;
        }
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Writes `bytes`, whole frames, straight to the stream, to be called while nothing is queued. What it does not take now is queued.
    pub(in crate::conn) fn write_past_queue(&mut self, bytes: &Bytes, cx: &mut Context<'_>) {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Some(sent) = self.after_write(written)
            && sent < bytes.len()
        {
            self.conn.queue_joined(bytes, sent);
        }
    }

    /// Writes `frame`, which is all of `message`, straight to the stream, to be called while all is flushed; gives whether the stream
    /// took and flushed it. What it does not take now is queued.
    #[inline]
    pub(in crate::conn) fn write_at_once(
        &mut self,
        frame: &[u8],
        message: &Message,
        cx: &mut Context<'_>,
    ) -> bool {
        let written = match plain::socket(&self.stream) {
            Some(socket) => plain::try_write(socket, frame),
            None => Pin::new(&mut self.stream).poll_write(cx, frame),
        };
        match written {
            Poll::Ready(Ok(sent)) if sent == frame.len() => {
                match Pin::new(&mut self.stream).poll_flush(cx) {
                    Poll::Ready(Ok(())) => return true,
                    Poll::Ready(Err(error)) => self.writing_failed(error),
                    Poll::Pending => self.unflushed = true,
                }
            }
            written => self.written_in_part(written, message),
        }
        false
    }

    #[cold]
    fn written_in_part(&mut self, written: Poll<io::Result<usize>>, message: &Message) {
        if let Some(sent) = self.after_write(written)
            // Refused is only what was refused before.
            && self.conn.send(message.clone()).is_ok()
        {
            self.conn.advance(sent);
        }
    }

    /// Writes what is queued and behind it `frame`, in two pieces, with one call, and flushes the stream if it took all; gives how many bytes
    /// of `frame` it took. To be called while the queue is short enough to tell of it in [few chunks](Connection::few_chunks); otherwise nothing is done.
    pub(in crate::conn) fn write_behind_queue(
        &mut self,
        frame: [&[u8]; 2],
        cx: &mut Context<'_>,
    ) -> usize {
        let Some([begun, rest]) = self.conn.few_chunks() else {
            return 0;
        };
        let mut slices = [IoSlice::new(&[]); 4];
        let mut count = 0;
        for chunk in [begun, rest, frame[0], frame[1]] {
            if !chunk.is_empty() {
                slices[count] = IoSlice::new(chunk);
                count += 1;
            }
        }
        let written = match plain::socket(&self.stream) {
            // Of those there is one in a turn at most, so the task's budget need not know.
            Some(socket) if self.is_flushed() => {
                plain::try_write_vectored(socket, &slices[..count])
            }
            _ => Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..count]),
        };
        let Some(sent) = self.after_write(written) else {
            return 0;
        };
        let queued = self.conn.buffered();
        self.conn.advance(sent.min(queued));
        self.progressed |= sent > 0 && queued > 0;
        let taken = sent.saturating_sub(queued);
        if taken == frame[0].len() + frame[1].len() {
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => self.writing_failed(error),
                Poll::Pending => {}
            }
        }
        taken
    }

    /// Notes how a write past the queue ended; gives how much the stream took, unless it failed.
    fn after_write(&mut self, written: Poll<io::Result<usize>>) -> Option<usize> {
        let sent = match written {
            Poll::Ready(Ok(0)) => Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(written) => written,
            Poll::Pending => Ok(0),
        };
        match sent {
            Ok(sent) => {
                self.unflushed |= sent > 0;
                Some(sent)
            }
            Err(error) => {
                self.writing_failed(error);
                None
            }
        }
    }

    /// Notes what became of `past_queue`, or else of the one piece that is queued, when it was sent to the socket below the stream. What
    /// the socket did not take is queued.
    #[cfg(all(feature = "io-uring", target_os = "linux"))]
    pub(in crate::conn) fn sent_below(
        &mut self,
        outcome: Option<io::Result<usize>>,
        past_queue: Option<Bytes>,
    ) -> usize {
        let sent = match outcome {
            Some(Ok(0)) => Err(io::ErrorKind::WriteZero.into()),
            Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            Some(Ok(sent)) => Ok(sent),
            Some(Err(_)) | None => Ok(0),
        };
        let sent = match sent {
            Ok(sent) => sent,
            Err(error) => {
                self.writing_failed(error);
                return 0;
            }
        };
        match past_queue {
            Some(bytes) if sent < bytes.len() => self.conn.queue_joined(&bytes, sent),
            Some(_) => {}
            None => self.conn.advance(sent),
        }
        self.progressed |= sent > 0;
        sent
    }

    fn writing_failed(&mut self, error: io::Error) {
        self.progressed = true;
        self.fail_writing(error.into());
    }

    pub(in crate::conn) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // A stream that is gone already is as good as shut down.
        Pin::new(&mut self.stream).poll_shutdown(cx).map(drop)
    }
}

/// One write call with as many chunks as it takes.
fn write_chunks<S: Stream>(
    stream: &mut S,
    conn: &Connection,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    match conn.few_chunks() {
        Some([chunk, []] | [[], chunk]) => return Pin::new(stream).poll_write(cx, chunk),
        Some([head, body]) => {
            let slices = [head, body].map(IoSlice::new);
            return Pin::new(stream).poll_write_vectored(cx, &slices);
        }
        None => {}
    }
    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
    let mut count = 0;
    for (slot, chunk) in slices.iter_mut().zip(conn.transmit()) {
        *slot = IoSlice::new(chunk);
        count += 1;
    }
    Pin::new(stream).poll_write_vectored(cx, &slices[..count])
}
