//! One WebSocket after its opening handshake, as a machine without I/O: bytes in, events and bytes out.
//!
//! `receive` (what arrives) and `outbox` (what is to be sent) know nothing of each other; this file joins them: it
//! answers pings, keeps the close handshake, and turns a violation into one close frame and one final event. How messages
//! become frames is in `sending`; `inflating` and `deflating` are the two halves of permessage-deflate.

mod deflating;
mod inflating;
mod lone;
mod outbox;
mod receive;
mod sending;

use bytes::{Bytes, BytesMut};

use crate::{
    CONTROL_PAYLOAD_BYTES_MAX, CloseCode, CloseError, Compression, Message, MessageKind, Parts,
    Role, SendError, Violation, frame::OpCode,
};
pub(crate) use deflating::Deflating;
use inflating::Inflating;
#[cfg(feature = "tokio")]
pub(crate) use lone::ReadTerms;
#[cfg(feature = "tokio")]
pub(crate) use outbox::COPY_BYTES_MAX;
use outbox::Outbox;
use receive::{Delivery, Receiver, Step};
use sending::OpenMessage;

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
    /// The message that is being sent in parts, and whether its first frame is out.
    open_message: Option<Box<OpenMessage>>,
    /// If compression was agreed on.
    deflating: Option<Box<Deflating>>,
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

    /// For frames that were taken elsewhere.
    #[cfg(feature = "tokio")]
    pub(crate) fn set_last_frame_bytes(&mut self, bytes: usize) {
        self.receiver.set_last_frame_bytes(bytes);
    }

    /// Payload of the data frame that is arriving, in bytes; 0 between frames.
    #[cfg(feature = "tokio")]
    pub(crate) fn frame_bytes(&self) -> usize {
        self.receiver.frame_bytes()
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

    /// What the messages in one frame are judged by that come next, unless something else comes first.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn read_terms(&self) -> ReadTerms {
        self.receiver.terms()
    }

    /// Whether something lies ready that was not told of, or the beginning of it.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn has_input(&self) -> bool {
        !self.receiver.input.is_empty()
    }

    /// Whether a frame and a message begin with what is not consumed, or with what comes next, and more may come.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn is_between_messages(&self) -> bool {
        self.receiver.is_between_messages()
    }

    fn handle(&mut self, step: Step) -> Event {
        match step {
            Step::Message(message) => Event::Message(message),
            Step::Part(part) => Event::Part(part),
            Step::Ping(payload) => {
                // Section 5.5.2: until the peer's close frame has come. But once it sees ours it drops what follows.
                if !self.outbox.is_closing() || !self.outbox.last_segment_begun() {
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
        if self.outbox.is_closing() {
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
        if self.outbox.is_closing() {
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
        if !self.outbox.is_closing() {
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
        self.outbox.is_closing()
    }

    /// Whether the final event was given: nothing that arrives matters any more.
    pub fn is_ended(&self) -> bool {
        self.receiver.ended()
    }

    /// Bytes that are queued and not yet taken by [`advance`](Self::advance).
    #[inline]
    pub fn buffered(&self) -> usize {
        self.outbox.bytes()
    }

    /// What is to be sent, in order, as chunks for a vectored write.
    pub fn transmit(&self) -> impl Iterator<Item = &[u8]> {
        self.outbox.chunks()
    }

    /// All of [`transmit`](Self::transmit), if that is one chunk.
    #[cfg(all(feature = "io-uring", target_os = "linux"))]
    pub(crate) fn only_chunk(&self) -> Option<&[u8]> {
        match self.few_chunks()? {
            [[], []] => None,
            [chunk, []] | [[], chunk] => Some(chunk),
            _ => None,
        }
    }

    /// All of [`transmit`](Self::transmit), if that is no more than two chunks, of which either may be empty.
    #[cfg(feature = "tokio")]
    pub(crate) fn few_chunks(&self) -> Option<[&[u8]; 2]> {
        self.outbox.few_chunks()
    }

    /// The stream took the first `sent` bytes of [`transmit`](Self::transmit).
    pub fn advance(&mut self, sent: usize) {
        self.outbox.advance(sent);
    }

    /// Drops all that is queued, for a stream that takes nothing any more.
    pub fn discard_output(&mut self) {
        self.outbox.discard();
    }

    /// Which side this is.
    pub fn role(&self) -> Role {
        self.receiver.role()
    }
}
