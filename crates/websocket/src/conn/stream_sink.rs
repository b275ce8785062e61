//! [`Conn`], [`Reader`] and [`Writer`] as the `Stream` and `Sink` of the futures crates.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream as MessageStream;
use futures_sink::Sink;

use super::{Conn, Error, Reader, Stream, Writer, control, handle::Handle};
use crate::{CloseCode, Message, SendError};

/// The messages. The stream ends when the peer closes with a close frame; every other end is its last item, an error.
/// [`read_message`](Reader::read_message) still tells how it ended.
impl<S: Stream> MessageStream for Reader<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.handle.with(|inner| inner.told_end) {
            return Poll::Ready(None);
        }
        let item = match ready!(self.poll_message(cx)) {
            Ok(message) => Some(Ok(message)),
            // Not an end: reading may go on with another deadline.
            Err(Error::TimedOut) => Some(Err(Error::TimedOut)),
            Err(error) => {
                self.handle.with(|inner| inner.told_end = true);
                match error {
                    Error::Closed(close) if close.is_clean() => None,
                    error => Some(Err(error)),
                }
            }
        };
        Poll::Ready(item)
    }
}

/// Takes messages. Ready means that less than [`Config::high_water_bytes`](crate::Config::high_water_bytes) is unsent; what was taken is sent
/// without a flush, too, as [`Writer::write_message`] says. Closing sends a close frame with [`CloseCode::NORMAL`] and
/// does not wait for the peer's.
impl<S: Stream> Sink<Message> for Writer<S> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handle().poll_room(cx, |_, _| Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.handle().queue(|inner| inner.conn.send(message))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handle().poll_unsent(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        poll_close(self.handle(), cx)
    }
}

impl<S: Stream> MessageStream for Conn<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.reader).poll_next(cx)
    }
}

impl<S: Stream> Sink<Message> for Conn<S> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handle().poll_room(cx, |_, _| Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.handle().queue(|inner| inner.conn.send(message))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.handle().poll_unsent(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        poll_close(self.handle(), cx)
    }
}

fn poll_close<S: Stream>(handle: &Handle<S>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
    match control::close(handle, CloseCode::NORMAL, "") {
        // Closed by either side before: what is left is to send what is unsent.
        Ok(()) | Err(Error::Send(SendError::Closing) | Error::Closed(_)) => {}
        Err(error) => return Poll::Ready(Err(error)),
    }
    handle.poll_unsent(cx)
}
