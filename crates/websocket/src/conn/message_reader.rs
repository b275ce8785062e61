//! Reading one message as it arrives.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use tokio::io::{AsyncRead, ReadBuf};

use super::{Reader, Stream, shared::Delivery};
use crate::{Event, MessageKind, Part};

/// The bytes of one message as an [`AsyncRead`] that ends where the message ends.
///
/// The read limit still counts the whole message. The bytes of a text are checked before they are given out, but a read
/// may end inside a character. Dropped early, the rest of the message is skipped. An error is an
/// [`Error`](super::Error) inside the [`io::Error`].
///
/// Cancel safe: a dropped read loses nothing.
#[derive(Debug)]
pub struct MessageReader<'a, S: Stream> {
    reader: &'a mut Reader<S>,
    part: Part,
}

impl<'a, S: Stream> MessageReader<'a, S> {
    pub(super) fn new(reader: &'a mut Reader<S>, first: Part) -> Self {
        Self {
            reader,
            part: first,
        }
    }

    /// Text or binary.
    pub fn kind(&self) -> MessageKind {
        self.part.kind
    }
}

impl<S: Stream> AsyncRead for MessageReader<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.part.data.is_empty() && !this.part.fin {
            if let Event::Part(part) = ready!(this.reader.poll_data(cx, Delivery::Parts))? {
                this.part = part;
            }
        }
        let count = this.part.data.len().min(buf.remaining());
        buf.put_slice(&this.part.data[..count]);
        this.part.data.advance(count);
        Poll::Ready(Ok(()))
    }
}
