//! All messages of a connection as one stream of bytes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, ReadBuf};

use super::{Error, Reader, Stream, shared::Delivery};
use crate::{CloseCode, Event};

/// The bytes of all messages, each with the terminator behind it, as one [`AsyncRead`]. See
/// [`Reader::join_messages`].
#[derive(Debug)]
pub struct JoinedMessages<'a, S: Stream> {
    reader: &'a mut Reader<S>,
    terminator: Bytes,
    /// What is given out next.
    piece: Bytes,
    /// The terminator follows `piece`.
    message_ended: bool,
}

impl<'a, S: Stream> JoinedMessages<'a, S> {
    pub(super) fn new(reader: &'a mut Reader<S>, terminator: Bytes) -> Self {
        Self {
            reader,
            terminator,
            piece: Bytes::new(),
            message_ended: false,
        }
    }
}

impl<S: Stream> AsyncRead for JoinedMessages<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.piece.is_empty() {
            if this.message_ended {
                this.message_ended = false;
                this.piece = this.terminator.clone();
                continue;
            }
            match ready!(this.reader.poll_data(cx, Delivery::Parts)) {
                Ok(Event::Part(part)) => {
                    this.piece = part.data;
                    this.message_ended = part.fin;
                }
                // Parts are all that this delivery gives.
                Ok(_) => {}
                Err(Error::Closed(close)) if close.code == CloseCode::NORMAL => {
                    return Poll::Ready(Ok(()));
                }
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
        let count = this.piece.len().min(buf.remaining());
        buf.put_slice(&this.piece[..count]);
        this.piece.advance(count);
        Poll::Ready(Ok(()))
    }
}
