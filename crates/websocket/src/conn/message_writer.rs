//! Writing one message of unknown length.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::AsyncWrite;

use super::{Error, Stream, handle::Handle};
use crate::{CloseCode, MessageKind};

/// Bytes that are gathered before a frame is made of them.
const FRAME_BYTES: usize = 16 << 10;

/// The bytes of one message as an [`AsyncWrite`], sent in frames as they come.
///
/// [`finish`](Self::finish), or a shutdown, ends the message. Dropped unfinished, the message cannot be taken back and must
/// not be passed off as whole: the connection is closed with 1011. The bytes of a text must be UTF-8 all together.
///
/// A frame is made of every 16 KiB. How long the message may become is for the peer to say: a reader of this crate has its read limit.
///
/// Cancel safe: a dropped write took all the bytes it was given, or none.
pub struct MessageWriter<'a, S: Stream> {
    handle: &'a Handle<S>,
    kind: MessageKind,
    gathered: Vec<u8>,
    finished: bool,
}

impl<'a, S: Stream> MessageWriter<'a, S> {
    /// The caller lends its only way to write.
    pub(super) fn begin(handle: &'a Handle<S>, kind: MessageKind) -> Result<Self, Error> {
        handle.begin_message(kind)?;
        Ok(Self {
            handle,
            kind,
            gathered: Vec::new(),
            finished: false,
        })
    }

    /// Text or binary.
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// Ends the message. Not cancel safe: dropped before it is ready, it closes the connection with 1011, as every message does that is
    /// left unfinished. See [`MessageWriter`].
    ///
    /// # Errors
    /// [`Error::Send`] if a text is not UTF-8 or this side is closing; else as [`Writer::write_message`](super::Writer::write_message).
    pub async fn finish(mut self) -> Result<(), Error> {
        std::future::poll_fn(|cx| self.poll_finish(cx)).await
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.finished {
            ready!(self.handle.poll_part(cx, &self.gathered, true))?;
            self.gathered = Vec::new();
            self.finished = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Makes a frame of what was gathered.
    fn poll_gathered(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if !self.gathered.is_empty() {
            ready!(self.handle.poll_part(cx, &self.gathered, false))?;
            self.gathered.clear();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Stream> AsyncWrite for MessageWriter<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.finished {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if this.gathered.len() + data.len() > FRAME_BYTES {
            ready!(this.poll_gathered(cx))?;
        }
        let taken = data.len().min(FRAME_BYTES - this.gathered.len());
        this.gathered.extend_from_slice(&data[..taken]);
        Poll::Ready(Ok(taken))
    }

    /// Sends what was written so far, as a frame, and waits until the stream has it.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_gathered(cx))?;
        ready!(this.handle.poll_unsent(cx))?;
        Poll::Ready(Ok(()))
    }

    /// Ends the message, not the connection.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_finish(cx))?;
        Poll::Ready(Ok(()))
    }
}

impl<S: Stream> fmt::Debug for MessageWriter<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageWriter")
            .field("kind", &self.kind)
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}

impl<S: Stream> Drop for MessageWriter<'_, S> {
    fn drop(&mut self) {
        if !self.finished {
            // Fails only if the connection is closing anyway.
            let _ =
                super::control::close(self.handle, CloseCode::INTERNAL_ERROR, "unfinished message");
        }
    }
}
