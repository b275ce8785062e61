//! What comes from the stream: reading into the connection's buffer or the reader's own, and reading on for nothing once it is closing.

use std::{
    future::Future,
    io,
    pin::pin,
    task::{Context, Poll, ready},
};

use bytes::{BufMut, BytesMut};
use tokio::io::AsyncReadExt;

use super::Inner;
use crate::{
    buffers,
    conn::{
        Stream, plain,
        room::{LONG_FRAME_BYTES, WAITING_BYTES_MAX, give_room_up, make_room},
    },
};

impl<S: Stream> Inner<S> {
    /// Reads once into the connection's buffer. Where nothing is there to read, now or ever, the buffer is given up.
    pub(in crate::conn) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let missing = self.conn.missing_bytes();
        let expected = self.conn.expected_bytes();
        let known = self.conn.last_frame_bytes().min(expected);
        // Also where little is left of a long frame: after a read for as much as there is, the next frame would be there by half.
        let long = expected >= LONG_FRAME_BYTES || self.conn.frame_bytes() >= LONG_FRAME_BYTES;
        let input = self.conn.input();
        make_room(input, missing, known);
        // Of long frames a read takes one: a part of the next would have to be moved to the front of the buffer. A little more is
        // asked for, since a read that gets less than that tells that there is no more.
        let bytes_max = if long {
            expected + WAITING_BYTES_MAX
        } else {
            usize::MAX
        };
        match pin!(self.stream.read_buf(&mut input.limit(bytes_max))).poll(cx) {
            Poll::Ready(Ok(count @ 1..)) => {
                self.received_bytes += count as u64;
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                give_room_up(self.conn.input());
                Poll::Pending
            }
            Poll::Ready(last) => {
                give_room_up(self.conn.input());
                Poll::Ready(self.after_last_read(last))
            }
        }
    }

    /// Has `read` try to read. Where nothing is there, the stream wakes `task`, or whoever `cx` is for.
    #[inline]
    pub(in crate::conn) fn poll_read(
        &mut self,
        task: &mut Context<'_>,
        cx: &mut Context<'_>,
        mut read: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<io::Result<()>> {
        if plain::socket(&self.stream).is_none() {
            return read(self, cx);
        }
        loop {
            if let Some(socket) = plain::socket(&self.stream) {
                ready!(plain::poll_readable(socket, task))?;
            }
            let polled = read(self, cx);
            if polled.is_ready() {
                return polled;
            }
        }
    }

    /// Reads once into `bytes`, which hold nothing, instead of the connection's buffer. What is read must be less than a long frame.
    #[inline]
    pub(in crate::conn) fn try_read(
        &mut self,
        bytes: &mut BytesMut,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        make_room(bytes, 0, 0);
        self.try_read_behind(bytes, cx)
    }

    /// Reads once behind what is in `bytes`, which have room, where something is there, most likely. If not, it is not sure that anybody
    /// will be woken, but by [`poll_read`](Self::poll_read).
    #[inline]
    pub(in crate::conn) fn try_read_behind(
        &mut self,
        bytes: &mut impl BufMut,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let read = match plain::socket(&self.stream) {
            Some(socket) => plain::try_read(socket, bytes),
            None => pin!(self.stream.read_buf(bytes)).poll(cx),
        };
        match read {
            Poll::Ready(Ok(count @ 1..)) => {
                self.received_bytes += count as u64;
                Poll::Ready(Ok(()))
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(last) => Poll::Ready(self.after_last_read(last)),
        }
    }

    #[cold]
    fn after_last_read(&mut self, read: io::Result<usize>) -> io::Result<()> {
        match read {
            // TLS: the peer left without saying so, which a missing close frame tells as well.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => {
                self.conn.receive_eof();
                Ok(())
            }
        }
    }

    pub(in crate::conn) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut scrap = buffers::take();
        loop {
            scrap.clear();
            match pin!(self.stream.read_buf(&mut scrap)).poll(cx) {
                Poll::Ready(Ok(1..)) => {}
                read => {
                    buffers::give(scrap);
                    return read.map(drop);
                }
            }
        }
    }
}
