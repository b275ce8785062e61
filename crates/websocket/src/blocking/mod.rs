//! A driver over std's [`Read`] and [`Write`], without a runtime: the core on a thread.
//!
//! Lives here: when bytes move. Does not live here: any rule of the protocol. One thread reads and writes, so there is nothing
//! to share: a program that has to write while it waits for a message belongs on the tokio driver. The stream's own
//! timeouts hold, and a call that fails with one has lost nothing: reading may be repeated; what was to be written is queued, so it
//! is not to be written again, but [`Conn::flush`] goes on with it.
//!
//! ```
//! use std::{net::{TcpListener, TcpStream}, thread};
//! use suda_websocket::{CloseCode, Message, blocking, handshake::{ClientOptions, Policy}};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! thread::spawn(move || {
//!     let (stream, _) = listener.accept().unwrap();
//!     let (mut conn, _request) = blocking::accept(stream, Policy::default(), Default::default()).unwrap();
//!     while let Ok(message) = conn.read_message() {
//!         conn.write_message(message).unwrap();
//!     }
//! });
//!
//! let target = format!("ws://{address}/").parse()?;
//! let stream = TcpStream::connect(address)?;
//! let (mut conn, _response) = blocking::client(stream, &target, &ClientOptions::default(), Default::default())?;
//! conn.write_message("수다")?;
//! assert_eq!(conn.read_message()?, Message::text("수다"));
//! conn.close(CloseCode::NORMAL, "")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod message;
mod opening;

use std::{
    io::{self, IoSlice, Read, Write},
    time::{Duration, Instant},
};

use crate::{
    CloseCode, CloseError, Connection, Event, Message, MessageKind, Parts, PreparedMessage,
    SendError,
};

pub use error::{Error, OpenError};
pub use message::{MessageReader, MessageWriter};
pub use opening::{OPENING_TIMEOUT, accept, client};

/// Bytes that one read asks for.
const READ_BYTES: usize = 16 << 10;
/// Chunks that one vectored write takes.
const SLICES_MAX: usize = 64;

/// One WebSocket on a stream that blocks.
///
/// Pings are answered and close frames echoed while a call reads. Dropped without [`close`](Self::close), the peer sees the stream
/// end without a close frame.
#[derive(Debug)]
pub struct Conn<S> {
    stream: S,
    core: Connection,
    high_water_bytes: usize,
    close_timeout: Duration,
    subprotocol: Option<String>,
    /// How reading ended, which every later call tells again.
    end: Option<End>,
}

#[derive(Debug, Clone)]
enum End {
    Closed(CloseError),
    Failed(crate::Violation),
}

/// Whole messages, or parts as they arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Messages,
    Parts,
}

impl<S: Read + Write> Conn<S> {
    /// A connection on a stream whose opening handshake is over.
    pub fn from_parts(stream: S, mut parts: Parts) -> Self {
        Self {
            stream,
            high_water_bytes: parts.config.high_water_bytes,
            close_timeout: parts.config.close_timeout,
            subprotocol: parts.subprotocol.take(),
            core: Connection::new(parts),
            end: None,
        }
    }

    /// The subprotocol that both sides agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// The stream, for its addresses and timeouts. Reading or writing it would tear the connection.
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The protocol machine, for its settings: the read limit, compression.
    pub fn core_mut(&mut self) -> &mut Connection {
        &mut self.core
    }

    /// Waits for the next message. Before it waits, it sends what was written.
    ///
    /// # Errors
    /// [`Error::Closed`] when the peer closed or the stream ended, [`Error::Protocol`] when the peer broke a rule: every later
    /// call tells the same. [`Error::Io`] when the stream failed, or missed its own timeout: then nothing was lost.
    pub fn read_message(&mut self) -> Result<Message, Error> {
        loop {
            // Messages are all that this delivery gives.
            if let Event::Message(message) = self.next_event(Delivery::Messages)? {
                return Ok(message);
            }
        }
    }

    /// Waits for the next message and gives a reader of its bytes as they arrive. What is left of the last such message is skipped.
    ///
    /// # Errors
    /// As [`read_message`](Self::read_message).
    pub fn next_reader(&mut self) -> Result<MessageReader<'_, S>, Error> {
        self.core.skip_message();
        loop {
            if let Event::Part(first) = self.next_event(Delivery::Parts)? {
                return Ok(MessageReader::new(self, first));
            }
        }
    }

    /// Queues a message, which is sent by the next call that reads, by [`flush`](Self::flush), or at once if
    /// [`Config::high_water_bytes`](crate::Config::high_water_bytes) or more are unsent.
    ///
    /// # Errors
    /// [`Error::Send`] when this side is closing: nothing was queued. [`Error::Io`] when the stream failed: the message is
    /// queued, and is not to be written again.
    pub fn write_message(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.queue(|core| core.send(message.into()))
    }

    /// Queues a reference to a prepared message; else as [`write_message`](Self::write_message).
    ///
    /// # Errors
    /// As [`write_message`](Self::write_message).
    pub fn write_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.queue(|core| core.send_prepared(message))
    }

    /// Begins a message of unknown length, which is sent, and compressed, in frames as it is written.
    ///
    /// # Errors
    /// As [`write_message`](Self::write_message).
    pub fn next_writer(&mut self, kind: MessageKind) -> Result<MessageWriter<'_, S>, Error> {
        self.check_open()?;
        self.core.begin_message(kind)?;
        Ok(MessageWriter::new(self))
    }

    /// Queues a ping with at most 125 bytes, and sends it.
    ///
    /// # Errors
    /// [`Error::Send`] if it cannot be queued, [`Error::Io`] when the stream failed.
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        self.queue(|core| core.ping(payload))?;
        self.flush()
    }

    /// Sends what was written and a close frame, drops the messages that still come, and waits for the peer's close frame. If a close
    /// frame was sent already, goes on from there.
    ///
    /// The time is looked at between two calls on the stream: after [`Config::close_timeout`](crate::Config::close_timeout) there is none
    /// more. How long one may take is for the stream's own timeouts to say.
    ///
    /// # Errors
    /// [`Error::Send`] for a code or reason that cannot be sent; else as [`read_message`](Self::read_message), but a close frame
    /// is no error, and [`Error::Io`] with [`io::ErrorKind::TimedOut`] may also mean that the time was up.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseError, Error> {
        match self.core.close(code, reason) {
            Ok(()) | Err(SendError::Closing) => {}
            Err(error) => return Err(error.into()),
        }
        let deadline = Instant::now().checked_add(self.close_timeout);
        loop {
            match self.next_event_until(deadline, Delivery::Parts) {
                Ok(_) => {}
                Err(Error::Closed(close)) if close.is_clean() => return Ok(close),
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends what was written.
    ///
    /// # Errors
    /// [`Error::Io`] when the stream failed. What it did not take is sent by the next call that sends.
    pub fn flush(&mut self) -> Result<(), Error> {
        Ok(self.flush_until(None)?)
    }

    fn flush_until(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        while self.core.buffered() > 0 {
            check_time(deadline)?;
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let mut count = 0;
            for (slot, chunk) in slices.iter_mut().zip(self.core.transmit()) {
                *slot = IoSlice::new(chunk);
                count += 1;
            }
            let sent = match self.stream.write_vectored(&slices[..count]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                sent => sent?,
            };
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.core.advance(sent);
        }
        self.stream.flush()
    }

    fn queue(
        &mut self,
        queue: impl FnOnce(&mut Connection) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        self.push(queue)?;
        self.flush_if_much()
    }

    /// Queues, and sends nothing.
    fn push(
        &mut self,
        queue: impl FnOnce(&mut Connection) -> Result<(), SendError>,
    ) -> Result<(), Error> {
        self.check_open()?;
        Ok(queue(&mut self.core)?)
    }

    fn flush_if_much(&mut self) -> Result<(), Error> {
        if self.core.buffered() >= self.high_water_bytes {
            self.flush()?;
        }
        Ok(())
    }

    fn check_open(&self) -> Result<(), Error> {
        self.end.as_ref().map_or(Ok(()), |end| Err(end.into()))
    }

    /// The next data of `delivery`, or how reading ended.
    fn next_event(&mut self, delivery: Delivery) -> Result<Event, Error> {
        self.next_event_until(None, delivery)
    }

    /// As [`next_event`](Self::next_event), but begins no call on the stream at `deadline` or later.
    fn next_event_until(
        &mut self,
        deadline: Option<Instant>,
        delivery: Delivery,
    ) -> Result<Event, Error> {
        loop {
            let event = match delivery {
                Delivery::Messages => self.core.poll_event(),
                Delivery::Parts => self.core.poll_part(),
            };
            let end = match event {
                // Answered by the core.
                Some(Event::Ping(_) | Event::Pong(_)) => continue,
                Some(Event::Closed(close)) => End::Closed(close),
                Some(Event::Failed(violation)) => End::Failed(violation),
                Some(data) => return Ok(data),
                None => {
                    self.check_open()?;
                    self.flush_until(deadline)?;
                    check_time(deadline)?;
                    self.read()?;
                    continue;
                }
            };
            self.end = Some(end);
            // The peer may be gone; how it ended says more than that it does not take our answer.
            let _ = self.flush_until(deadline);
        }
    }

    /// Reads once into the core.
    fn read(&mut self) -> Result<(), Error> {
        let mut bytes = [0; READ_BYTES];
        match self.stream.read(&mut bytes) {
            Ok(0) => self.core.receive_eof(),
            Ok(count) => self.core.receive(&bytes[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // TLS: the peer left without saying so, which a missing close frame tells as well.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.core.receive_eof(),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

fn check_time(deadline: Option<Instant>) -> io::Result<()> {
    match deadline {
        Some(deadline) if Instant::now() >= deadline => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

impl From<&End> for Error {
    fn from(end: &End) -> Self {
        match end {
            End::Closed(close) => Self::Closed(close.clone()),
            End::Failed(violation) => Self::Protocol(*violation),
        }
    }
}
