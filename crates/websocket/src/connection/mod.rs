//! One WebSocket after its opening handshake, as a machine without I/O: bytes in, events and bytes out.
//!
//! `receive` (what arrives) and `outbox` (what is to be sent) know nothing of each other; this file joins them: it
//! answers pings, keeps the close handshake, and turns a violation into one close frame and one final event. `inflating` and
//! `deflating` are their halves of permessage-deflate.

mod deflating;
mod inflating;
mod outbox;
mod receive;

use bytes::{Bytes, BytesMut};

use crate::{
    CONTROL_PAYLOAD_BYTES_MAX, CloseCode, CloseError, Compression, Message, MessageKind, Parts,
    PreparedMessage, Role, SendError, Utf8Bytes, Violation,
    deflate::Workspace,
    frame::{Lead, OpCode},
    utf8::Utf8Validator,
};
pub(crate) use deflating::Deflating;
use inflating::Inflating;
use outbox::Outbox;
use receive::{Delivery, Receiver, Step};

pub use outbox::{CONTROL_FRAMES_MAX, PENDING_PONGS_MAX};

/// What arrived. [`Event::Closed`] and [`Event::Failed`] are final: nothing follows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A whole message.
    Message(Message),
    /// The next piece of a message; only from [`Connection::poll_part`].
    Part(Part),
    /// A ping, whose pong is already queued.
    Ping(Bytes),
    /// A pong, asked for or not.
    Pong(Bytes),
    /// The peer's close frame, or the end of the stream without one. The answer, if one is due, is already queued.
    Closed(CloseError),
    /// The peer broke a rule. The close frame that says so is already queued; what comes in from now on is ignored.
    Failed(Violation),
}

/// A piece of a data message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What the whole message is.
    pub kind: MessageKind,
    /// The next bytes, unmasked; of a text they are valid so far but may be cut inside a character. May be empty.
    pub data: Bytes,
    /// Whether the message ends here.
    pub fin: bool,
}

/// The protocol machine of RFC 6455 for one side of one connection.
///
/// Feed what arrives with [`receive`](Self::receive), which always succeeds; take events with
/// [`poll_event`](Self::poll_event) until there are none; send what [`transmit`](Self::transmit) gives and tell how much
/// was taken with [`advance`](Self::advance). Taking events may queue answers, so take events first, then send.
///
/// ```
/// use suda_websocket::{Config, Connection, Event, Message, Parts, Role};
///
/// let mut client = Connection::new(Parts::new(Role::Client, Config::default()));
/// let mut server = Connection::new(Parts::new(Role::Server, Config::default()));
/// client.send(Message::text("수다")).unwrap();
///
/// while client.buffered() > 0 {
///     let chunk = client.transmit().next().unwrap().to_vec();
///     server.receive(&chunk);
///     client.advance(chunk.len());
/// }
/// assert_eq!(server.poll_event(), Some(Event::Message(Message::text("수다"))));
/// assert_eq!(server.poll_event(), None);
/// ```
#[derive(Debug)]
pub struct Connection {
    receiver: Receiver,
    outbox: Outbox,
    outbox_bytes_max: usize,
    /// A close frame is queued or sent: nothing may be queued behind it.
    closing: bool,
    /// The message that is being sent in parts, and whether its first frame is out.
    open_message: Option<OpenMessage>,
    /// If compression was agreed on.
    deflating: Option<Box<Deflating>>,
}

#[derive(Debug)]
struct OpenMessage {
    kind: MessageKind,
    begun: bool,
    compressed: bool,
    utf8: Utf8Validator,
}

impl Connection {
    /// A connection whose opening handshake is over. [`Parts::subprotocol`] is of no interest here.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            role,
            config,
            read_buf,
            compression,
            ..
        } = parts;
        let inflating = compression
            .as_ref()
            .map(|agreed| Box::new(Inflating::new(role, agreed, config.read_limit)));
        Self {
            receiver: Receiver::new(role, &config, read_buf, inflating),
            outbox: Outbox::new(role, config.frame_bytes_max),
            outbox_bytes_max: config.outbox_bytes_max,
            closing: false,
            open_message: None,
            deflating: compression.map(|agreed| Box::new(Deflating::new(role, agreed))),
        }
    }

    /// Takes what arrived on the stream. What is wrong with it comes out of [`poll_event`](Self::poll_event).
    pub fn receive(&mut self, bytes: &[u8]) {
        self.receiver.input.extend_from_slice(bytes);
    }

    /// The buffer of bytes that arrived and are not consumed, for a driver that reads straight into it. Only append.
    pub fn input(&mut self) -> &mut BytesMut {
        &mut self.receiver.input
    }

    /// How many bytes of the frame at hand are still to come: what it pays to have room for.
    pub fn missing_bytes(&self) -> usize {
        self.receiver.missing_bytes()
    }

    /// About how many bytes the last data frame took that is all here: what one like it would need.
    #[cfg(feature = "tokio")]
    pub(crate) fn last_frame_bytes(&self) -> usize {
        self.receiver.last_frame_bytes()
    }

    /// How many bytes the next read had best take, so that it ends where a frame ends. A guess.
    #[cfg(feature = "tokio")]
    pub(crate) fn expected_bytes(&self) -> usize {
        self.receiver.expected_bytes()
    }

    /// The stream ended. After what arrived before comes [`Event::Closed`] with
    /// [`CloseCode::ABNORMAL_CLOSURE`], unless a final event was given already.
    pub fn receive_eof(&mut self) {
        self.receiver.eof = true;
    }

    /// Changes [`Config::read_limit`](crate::Config::read_limit), in bytes, for what is not consumed yet: the message that is
    /// arriving is judged anew with its next frame, or with the next bytes that are inflated.
    pub fn set_read_limit(&mut self, bytes: usize) {
        self.receiver.set_read_limit(bytes);
    }

    /// The next event, with whole messages. `None`: more bytes are needed, or the end was told.
    ///
    /// If a message's beginning was taken by [`poll_part`](Self::poll_part), its rest is checked and skipped.
    pub fn poll_event(&mut self) -> Option<Event> {
        let step = self.receiver.step(Delivery::Whole)?;
        Some(self.handle(step))
    }

    /// As [`poll_event`](Self::poll_event), but a message comes as [`Event::Part`]s as its bytes arrive. The first part,
    /// maybe empty, comes as soon as the first frame's header is known.
    pub fn poll_part(&mut self) -> Option<Event> {
        let step = self.receiver.step(Delivery::Parts)?;
        Some(self.handle(step))
    }

    /// Skips what is left of a message whose beginning was taken by [`poll_part`](Self::poll_part); the rest is still checked.
    pub fn skip_message(&mut self) {
        self.receiver.skip_message();
    }

    fn handle(&mut self, step: Step) -> Event {
        match step {
            Step::Message(message) => Event::Message(message),
            Step::Part(part) => Event::Part(part),
            Step::Ping(payload) => {
                if !self.closing {
                    self.outbox.push_pong(&payload);
                }
                Event::Ping(payload)
            }
            Step::Pong(payload) => Event::Pong(payload),
            Step::Closed(close) => {
                if close.is_clean() {
                    self.answer_with_close(close.code);
                }
                Event::Closed(close)
            }
            Step::Failed(violation) => {
                self.answer_with_close(violation.close_code());
                Event::Failed(violation)
            }
        }
    }

    /// Queues a message; it is taken whole or not at all.
    ///
    /// # Errors
    /// [`SendError::Closing`], [`SendError::MessageOpen`].
    pub fn send(&mut self, message: Message) -> Result<(), SendError> {
        let kind = message.kind();
        match self.lend_compression(message.len())? {
            Some(mut lent) => {
                let mut work = Workspace::take();
                let compressed = lent.compress(message.as_bytes(), true, &mut work);
                self.send_compressed(lent, kind, compressed)
            }
            None => {
                self.outbox
                    .push_message(Lead::plain(kind), message.into_bytes());
                Ok(())
            }
        }
    }

    /// Lends what a message of this length is to be compressed with, if it is to be, so that the one who compresses need not hold
    /// the connection meanwhile. It has to come back through [`send_compressed`](Self::send_compressed) before anything else
    /// is sent.
    pub(crate) fn lend_compression(
        &mut self,
        bytes: usize,
    ) -> Result<Option<Box<Deflating>>, SendError> {
        self.check_message_may_begin()?;
        let mut lent = self
            .deflating
            .take_if(|deflating| deflating.wants(Some(bytes)));
        if let Some(lent) = &mut lent {
            lent.begin();
        }
        Ok(lent)
    }

    /// Queues a message that was compressed with what was lent.
    pub(crate) fn send_compressed(
        &mut self,
        lent: Box<Deflating>,
        kind: MessageKind,
        compressed: &[u8],
    ) -> Result<(), SendError> {
        self.deflating = Some(lent);
        self.check_message_may_begin()?;
        self.outbox
            .push_copy(true, Lead::compressed(kind), compressed);
        Ok(())
    }

    /// [`send_prepared`](Self::send_prepared), unless too much is unsent.
    ///
    /// # Errors
    /// [`SendError::Full`] above [`Config::outbox_bytes_max`](crate::Config::outbox_bytes_max), and those of [`send`](Self::send).
    pub fn try_send_prepared(&mut self, message: &PreparedMessage) -> Result<(), SendError> {
        self.check_message_may_begin()?;
        if self.outbox.bytes() >= self.outbox_bytes_max {
            return Err(SendError::Full);
        }
        self.send_prepared(message)
    }

    /// Queues a reference to a prepared message (a client: a masked copy). If this side's context is taken over from message to
    /// message, it is compressed for this connection alone.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub fn send_prepared(&mut self, message: &PreparedMessage) -> Result<(), SendError> {
        self.check_message_may_begin()?;
        let kind = message.kind();
        match &mut self.deflating {
            Some(deflating) if deflating.wants(Some(message.payload().len())) => {
                let Some(settings) = deflating.shared_settings() else {
                    return self.send(match kind {
                        MessageKind::Text => {
                            Message::Text(Utf8Bytes::from_validated(message.payload().clone()))
                        }
                        MessageKind::Binary => Message::Binary(message.payload().clone()),
                    });
                };
                let framed = message.compressed(settings);
                self.outbox.push_prepared(Lead::compressed(kind), framed);
            }
            _ => self
                .outbox
                .push_prepared(Lead::plain(kind), message.plain()),
        }
        Ok(())
    }

    fn check_message_may_begin(&self) -> Result<(), SendError> {
        if self.closing {
            Err(SendError::Closing)
        } else if self.open_message.is_some() {
            Err(SendError::MessageOpen)
        } else {
            Ok(())
        }
    }

    /// Begins a message of unknown length, which [`send_part`](Self::send_part) continues.
    ///
    /// # Errors
    /// Those of [`send`](Self::send).
    pub fn begin_message(&mut self, kind: MessageKind) -> Result<(), SendError> {
        self.check_message_may_begin()?;
        let compressed = match &mut self.deflating {
            Some(deflating) if deflating.wants(None) => {
                deflating.begin();
                true
            }
            _ => false,
        };
        self.open_message = Some(OpenMessage {
            kind,
            begun: false,
            compressed,
            utf8: Utf8Validator::default(),
        });
        Ok(())
    }

    /// Queues the next piece of the open message; `fin` ends it. Without an open message
    /// nothing is done.
    ///
    /// # Errors
    /// [`SendError::Closing`]; [`SendError::InvalidUtf8`] if the pieces of a text together are not UTF-8.
    pub fn send_part(&mut self, data: &[u8], fin: bool) -> Result<(), SendError> {
        match self.lend_compression_of_part(data, fin)? {
            Some(mut lent) => {
                let mut work = Workspace::take();
                let compressed = lent.compress(data, fin, &mut work);
                self.send_compressed_part(lent, compressed, fin)
            }
            None => {
                self.push_part(data, fin);
                Ok(())
            }
        }
    }

    /// As [`lend_compression`](Self::lend_compression), for the next piece of the open message, which is checked here. To come
    /// back through [`send_compressed_part`](Self::send_compressed_part).
    pub(crate) fn lend_compression_of_part(
        &mut self,
        data: &[u8],
        fin: bool,
    ) -> Result<Option<Box<Deflating>>, SendError> {
        if self.closing {
            return Err(SendError::Closing);
        }
        let Some(open) = &mut self.open_message else {
            return Ok(None);
        };
        if open.kind == MessageKind::Text {
            let valid = open
                .utf8
                .feed(data)
                .and_then(|()| if fin { open.utf8.finish() } else { Ok(()) });
            valid.map_err(|_| SendError::InvalidUtf8)?;
        }
        Ok(self.deflating.take_if(|_| open.compressed))
    }

    /// Queues a piece that was compressed with what was lent.
    pub(crate) fn send_compressed_part(
        &mut self,
        lent: Box<Deflating>,
        compressed: &[u8],
        fin: bool,
    ) -> Result<(), SendError> {
        self.deflating = Some(lent);
        if self.closing {
            return Err(SendError::Closing);
        }
        self.push_part(compressed, fin);
        Ok(())
    }

    /// Queues a frame of the open message.
    pub(crate) fn push_part(&mut self, payload: &[u8], fin: bool) {
        if let Some(open) = &mut self.open_message {
            let lead = if open.begun {
                Lead::CONTINUATION
            } else {
                Lead {
                    op: OpCode::of(open.kind),
                    compressed: open.compressed,
                }
            };
            open.begun = true;
            self.outbox.push_copy(fin, lead, payload);
            if fin {
                self.open_message = None;
            }
        }
    }

    /// The compression that both sides agreed on, if they did.
    pub fn compression(&self) -> Option<&Compression> {
        self.deflating.as_deref().map(Deflating::agreed)
    }

    /// Whether the next messages are to be compressed, if compression was agreed on; at first they are. The one that is being sent in
    /// parts goes on as it began.
    pub fn set_compression(&mut self, on: bool) {
        if let Some(deflating) = &mut self.deflating {
            deflating.set_enabled(on);
        }
    }

    /// How hard to compress the next messages, as [`Compression::level`].
    pub fn set_compression_level(&mut self, level: u8) {
        if let Some(deflating) = &mut self.deflating {
            deflating.set_level(level);
        }
    }

    /// Queues a ping, ahead of all data that is not on its way yet.
    ///
    /// # Errors
    /// [`SendError::ControlTooLong`], [`SendError::ControlQueueFull`], [`SendError::Closing`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.control(OpCode::Ping, payload)
    }

    /// Queues a pong that nobody asked for (section 5.5.3). Pings are answered without it.
    ///
    /// # Errors
    /// Those of [`ping`](Self::ping).
    pub fn pong(&mut self, payload: &[u8]) -> Result<(), SendError> {
        self.control(OpCode::Pong, payload)
    }

    fn control(&mut self, op: OpCode, payload: &[u8]) -> Result<(), SendError> {
        if self.closing {
            return Err(SendError::Closing);
        }
        if payload.len() > CONTROL_PAYLOAD_BYTES_MAX {
            return Err(SendError::ControlTooLong);
        }
        self.outbox.push_control(op, payload)
    }

    /// Queues a close frame behind what is queued already; nothing can be queued after it. Events go on until the peer's
    /// close frame. [`CloseCode::NO_STATUS_RECEIVED`] sends a close frame without a code.
    ///
    /// # Errors
    /// [`SendError::Closing`] if one is queued or sent, [`SendError::BadCloseCode`], [`SendError::ReasonTooLong`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendError> {
        if self.closing {
            return Err(SendError::Closing);
        }
        let payload = code.payload(reason)?;
        self.queue_close(&payload);
        Ok(())
    }

    /// Answers a close frame, or a violation, with a close frame of this code.
    fn answer_with_close(&mut self, code: CloseCode) {
        // A code that a peer was allowed to send, or one of ours, with no reason: it always fits.
        if let Ok(payload) = code.payload("") {
            self.queue_close(&payload);
        }
    }

    fn queue_close(&mut self, payload: &[u8]) {
        if !self.closing {
            self.closing = true;
            self.open_message = None;
            // Nothing can be sent any more.
            if let Some(deflating) = &mut self.deflating {
                deflating.end();
            }
            self.outbox.push_close(payload);
        }
    }

    /// Whether a close frame is queued or sent.
    pub fn is_closing(&self) -> bool {
        self.closing
    }

    /// Whether the final event was given: nothing that arrives matters any more.
    pub fn is_ended(&self) -> bool {
        self.receiver.ended()
    }

    /// Bytes that are queued and not yet taken by [`advance`](Self::advance).
    pub fn buffered(&self) -> usize {
        self.outbox.bytes()
    }

    /// What is to be sent, in order, as chunks for a vectored write.
    pub fn transmit(&self) -> impl Iterator<Item = &[u8]> {
        self.outbox.chunks()
    }

    /// All of [`transmit`](Self::transmit), if that is one chunk.
    #[cfg(feature = "tokio")]
    pub(crate) fn only_chunk(&self) -> Option<&[u8]> {
        self.outbox.only_chunk()
    }

    /// The stream took the first `sent` bytes of [`transmit`](Self::transmit).
    pub fn advance(&mut self, sent: usize) {
        self.outbox.advance(sent);
    }

    /// Drops all that is queued, for a stream that takes nothing any more.
    pub fn discard_output(&mut self) {
        self.closing = true;
        self.outbox.clear();
    }

    /// Which side this is.
    pub fn role(&self) -> Role {
        self.receiver.role()
    }
}
