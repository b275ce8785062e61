//! The tokio driver: a [`Connection`](crate::Connection) on a stream.
//!
//! Lives here: who may read, write and close at the same time, and when bytes move. Does not live here: any rule of the
//! protocol.
//!
//! **When bytes are sent.** A write queues and returns. The queue is sent by the reader before it waits for more input, by
//! [`Conn::flush`], by a write that finds [`Config::high_water_bytes`](crate::Config::high_water_bytes) reached, and
//! otherwise by the runtime as soon as the task that wrote gives way, whatever it then waits for. So a plain loop of
//! reads and writes answers a burst of messages with one system call, and nothing stays behind. A short write that will most likely be the only one
//! between two waits of the reader (`turns` tells) goes to the stream when it is made: the same calls, without queue and flusher. With the feature `io-uring` a reader that has to
//! wait may leave the queue to the runtime, which sends what many connections have left with one system call (`gathering`).
//!
//! **Cancel safety.** A dropped read loses nothing: the next one goes on where it was. A dropped write took its message
//! whole, or not at all; then the message went with it.

mod broadcast;
mod budget;
#[cfg(feature = "io-uring")]
mod check_io_uring;
mod closing;
mod control;
mod deadline;
mod endpoints;
mod error;
mod flush_all;
mod flusher;
#[cfg_attr(
    not(all(feature = "io-uring", target_os = "linux")),
    path = "gathering/never.rs"
)]
mod gathering;
mod handle;
mod handlers;
mod heart;
mod home;
mod inner;
mod joined_messages;
#[cfg(feature = "json")]
mod json;
mod long_way;
#[cfg(all(test, suda_loom))]
mod loom_models;
#[cfg(all(test, suda_loom))]
mod loom_pipe;
mod message_reader;
mod message_writer;
mod plain;
mod read_ahead;
mod reader;
#[cfg(all(feature = "io-uring", target_os = "linux"))]
mod ring;
mod room;
mod shared;
mod short_frame;
mod short_way;
mod signal;
mod socket_stream;
#[cfg(feature = "stream")]
mod stream_sink;
mod sync;
#[cfg(all(feature = "io-uring", target_os = "linux"))]
mod together;
mod turns;
mod writer;
mod writing;

use std::{
    future::{Future, poll_fn},
    io,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use crate::{CloseCode, CloseError, Compression, Message, MessageKind, Parts, PreparedMessage};
use budget::without_budget;
use handle::Handle;

pub(crate) use deadline::later;

pub use broadcast::{broadcast, broadcast_sockets};
#[cfg(feature = "io-uring")]
pub use check_io_uring::check_io_uring;
pub use closing::CloseOutcome;
pub use control::Control;
pub use endpoints::Endpoints;
pub use error::Error;
pub use flush_all::flush_all;
pub use joined_messages::JoinedMessages;
pub use message_reader::MessageReader;
pub use message_writer::MessageWriter;
pub use reader::Reader;
pub use socket_stream::SocketStream;
pub use writer::Writer;

/// A byte stream that can carry a connection: TCP, TLS, a Unix socket, a pipe in memory. Implemented for all that fit.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// One WebSocket on the stream `S`.
///
/// Dropped without [`close`](Self::close), it sends what was written, in the background, for at most
/// [`Config::close_timeout`](crate::Config::close_timeout), and the peer sees the stream end without a close frame.
#[derive(Debug)]
pub struct Conn<S: Stream> {
    /// Its handle serves for writing, too: what waits in an idle connection's task is one pointer.
    reader: Reader<S>,
}

impl<S: Stream> Conn<S> {
    /// A connection on a stream whose opening handshake is over.
    ///
    /// # Panics
    /// Outside a tokio runtime. The stream must belong to the current one; its timers must be enabled.
    pub fn from_parts(stream: S, parts: Parts) -> Self {
        Self {
            reader: Reader::new(Handle::new(stream, parts)),
        }
    }

    fn handle(&self) -> &Handle<S> {
        &self.reader.handle
    }

    /// The subprotocol that both sides agreed on.
    pub fn subprotocol(&self) -> Option<&str> {
        self.reader.subprotocol()
    }

    /// The next message. See [`Reader::read_message`]. Cancel safe: a dropped call loses nothing.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::Protocol`] or [`Error::Io`], and the same on every later call.
    pub fn read_message(&mut self) -> impl Future<Output = Result<Message, Error>> {
        self.reader.read_message()
    }

    /// The next message, to be read as it arrives. See [`Reader::next_reader`]. Cancel safe: a dropped call loses nothing.
    ///
    /// # Errors
    /// As [`read_message`](Self::read_message).
    pub async fn next_reader(&mut self) -> Result<MessageReader<'_, S>, Error> {
        self.reader.next_reader().await
    }

    /// All further messages as one stream of bytes. See [`Reader::join_messages`].
    pub fn join_messages(&mut self, terminator: impl Into<Bytes>) -> JoinedMessages<'_, S> {
        self.reader.join_messages(terminator)
    }

    /// When reads are to give up. See [`Reader::set_read_deadline`].
    pub fn set_read_deadline(&mut self, deadline: Option<Instant>) {
        self.reader.set_read_deadline(deadline);
    }

    /// How long messages may be from now on. See [`Reader::set_read_limit`].
    pub fn set_read_limit(&mut self, bytes: usize) {
        self.reader.set_read_limit(bytes);
    }

    /// Who is to be told of pings. See [`Reader::set_ping_handler`].
    pub fn set_ping_handler(&mut self, handler: impl FnMut(&[u8]) + Send + 'static) {
        self.reader.set_ping_handler(handler);
    }

    /// Who is to be told of pongs. See [`Reader::set_pong_handler`].
    pub fn set_pong_handler(&mut self, handler: impl FnMut(&[u8]) + Send + 'static) {
        self.reader.set_pong_handler(handler);
    }

    /// Who is to be told of the peer's close frame. See [`Reader::set_close_handler`].
    pub fn set_close_handler(&mut self, handler: impl FnOnce(&CloseError) + Send + 'static) {
        self.reader.set_close_handler(handler);
    }

    /// Queues a message. See [`Writer::write_message`]. Cancel safe: a dropped call has queued it whole, or not at all; then it went with the call.
    ///
    /// # Errors
    /// The connection is closing or ended, or the stream failed.
    pub fn write_message(
        &mut self,
        message: impl Into<Message>,
    ) -> impl Future<Output = Result<(), Error>> {
        self.handle().write_message(message)
    }

    /// Queues a reference to a prepared message. See [`Writer::write_prepared`]. Cancel safe as [`write_message`](Self::write_message) is.
    ///
    /// # Errors
    /// As [`write_message`](Self::write_message).
    pub async fn write_prepared(&mut self, message: &PreparedMessage) -> Result<(), Error> {
        self.handle().write_prepared(message).await
    }

    /// When writes are to give up. See [`Writer::set_write_deadline`].
    pub fn set_write_deadline(&mut self, deadline: Option<Instant>) {
        self.handle().set_write_deadline(deadline);
    }

    /// The compression that both sides agreed on, if they did.
    pub fn compression(&self) -> Option<Compression> {
        self.handle().compression()
    }

    /// Whether the next messages are to be compressed. See [`Writer::set_compression`].
    pub fn set_compression(&mut self, on: bool) {
        self.handle().with(|inner| inner.conn.set_compression(on));
    }

    /// How hard to compress the next messages. See [`Writer::set_compression_level`].
    pub fn set_compression_level(&mut self, level: u8) {
        self.handle()
            .with(|inner| inner.conn.set_compression_level(level));
    }

    /// Begins a message of unknown length. See [`Writer::next_writer`].
    ///
    /// # Errors
    /// As [`write_message`](Self::write_message).
    pub fn next_writer(&mut self, kind: MessageKind) -> Result<MessageWriter<'_, S>, Error> {
        MessageWriter::begin(self.handle(), kind)
    }

    /// Waits until all that was written is with the stream. See [`Writer::flush`]. Cancel safe.
    ///
    /// # Errors
    /// The stream failed.
    pub async fn flush(&mut self) -> Result<(), Error> {
        poll_fn(|cx| self.handle().poll_unsent(cx)).await
    }

    /// Queues a ping. See [`Control::ping`].
    ///
    /// # Errors
    /// As [`Control::ping`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        control::ping(self.handle(), payload)
    }

    /// Queues a pong that nobody asked for. See [`Control::pong`].
    ///
    /// # Errors
    /// As [`Control::pong`].
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), Error> {
        control::pong(self.handle(), payload)
    }

    /// Queues a close frame and does not wait. See [`Control::close`].
    ///
    /// # Errors
    /// As [`Control::close`].
    pub fn send_close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        control::close(self.handle(), code, reason)
    }

    /// The whole close handshake (RFC 6455, section 7): sends what was written and a close frame, drops the messages that
    /// still come, waits for the peer's close frame and then ends the stream; all that within
    /// [`Config::close_timeout`](crate::Config::close_timeout). If a close frame was sent already, goes on from there.
    ///
    /// Cancel safe: another call goes on.
    ///
    /// # Errors
    /// [`Error::Send`] for a code or reason that cannot be sent. How the peer took it is the value.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<CloseOutcome, Error> {
        closing::close(&mut self.reader, code, reason).await
    }

    /// Runs `look` on the stream. See [`Control::with_stream`].
    pub fn with_stream<R>(&self, look: impl FnOnce(&S) -> R) -> R {
        self.handle().with(|inner| look(inner.stream()))
    }

    /// A handle that may ping and close from anywhere, also while a write waits.
    pub fn control(&self) -> Control<S> {
        Control::new(self.handle().clone())
    }

    /// One reader, one writer, and a handle for control frames, each for its own task.
    pub fn split(self) -> (Reader<S>, Writer<S>, Control<S>) {
        let control = self.control();
        let writer = Writer::new(self.handle().clone());
        (self.reader, writer, control)
    }
}

impl<S: Stream + Endpoints> Conn<S> {
    /// The address of this end of the stream.
    ///
    /// # Errors
    /// As [`Endpoints::local_addr`].
    pub fn local_addr(&self) -> io::Result<S::Addr> {
        self.with_stream(S::local_addr)
    }

    /// The address of the other end of the stream.
    ///
    /// # Errors
    /// As [`Endpoints::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<S::Addr> {
        self.with_stream(S::peer_addr)
    }
}
