//! One message at a time as std's [`Read`] or [`Write`].

use std::io::{self, Read, Write};

use bytes::Buf;

use super::{Conn, Delivery, Error};
use crate::{CloseCode, Event, MessageKind, Part};

/// Bytes that are gathered before a frame is made of them.
const FRAME_BYTES: usize = 16 << 10;

/// The bytes of one message as they arrive; a read of none is its end. Dropped early, the rest of the message is skipped. An error is
/// an [`Error`] inside the [`io::Error`].
#[derive(Debug)]
pub struct MessageReader<'a, S> {
    conn: &'a mut Conn<S>,
    part: Part,
}

impl<'a, S> MessageReader<'a, S> {
    pub(super) fn new(conn: &'a mut Conn<S>, first: Part) -> Self {
        Self { conn, part: first }
    }

    /// Text or binary.
    pub fn kind(&self) -> MessageKind {
        self.part.kind
    }
}

impl<S: Read + Write> Read for MessageReader<'_, S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.part.data.is_empty() && !self.part.fin {
            if let Event::Part(part) = self.conn.next_event(Delivery::Parts)? {
                self.part = part;
            }
        }
        let count = self.part.data.len().min(out.len());
        out[..count].copy_from_slice(&self.part.data[..count]);
        self.part.data.advance(count);
        Ok(count)
    }
}

/// The bytes of one message, sent in frames as they come. [`finish`](Self::finish) ends it. Dropped unfinished it cannot be taken
/// back, and the connection is closed with 1011 by the next call that sends.
#[derive(Debug)]
pub struct MessageWriter<'a, S: Read + Write> {
    conn: &'a mut Conn<S>,
    gathered: Vec<u8>,
    finished: bool,
}

impl<'a, S: Read + Write> MessageWriter<'a, S> {
    pub(super) fn new(conn: &'a mut Conn<S>) -> Self {
        Self {
            conn,
            gathered: Vec::new(),
            finished: false,
        }
    }

    /// Ends the message.
    ///
    /// # Errors
    /// [`Error::Send`] if a text is not UTF-8 or this side is closing, [`Error::Io`] when the stream failed: the message is ended and
    /// queued, and [`Conn::flush`] goes on with it.
    pub fn finish(mut self) -> Result<(), Error> {
        self.conn
            .push(|core| core.send_part(&self.gathered, true))?;
        self.finished = true;
        self.conn.flush_if_much()
    }

    /// Makes a frame of what was gathered.
    fn send_gathered(&mut self) -> Result<(), Error> {
        if !self.gathered.is_empty() {
            let gathered = std::mem::take(&mut self.gathered);
            self.conn.queue(|core| core.send_part(&gathered, false))?;
            self.gathered = gathered;
            self.gathered.clear();
        }
        Ok(())
    }
}

impl<S: Read + Write> Write for MessageWriter<'_, S> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.gathered.len() + data.len() > FRAME_BYTES {
            self.send_gathered()?;
        }
        let taken = data.len().min(FRAME_BYTES - self.gathered.len());
        self.gathered.extend_from_slice(&data[..taken]);
        Ok(taken)
    }

    /// Sends what was written so far.
    fn flush(&mut self) -> io::Result<()> {
        self.send_gathered()?;
        Ok(self.conn.flush()?)
    }
}

impl<S: Read + Write> Drop for MessageWriter<'_, S> {
    fn drop(&mut self) {
        if !self.finished {
            // Fails only if the connection is closing anyway.
            let _ = self
                .conn
                .core
                .close(CloseCode::INTERNAL_ERROR, "unfinished message");
        }
    }
}
