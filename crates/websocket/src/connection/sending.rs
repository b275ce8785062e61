//! Sending messages: whole, prepared, or in parts, compressed if that is agreed on and worth it.
//!
//! Control frames and the close handshake are in `connection`, the queue of frames in `outbox`.

#[cfg(feature = "tokio")]
use bytes::Bytes;

use super::{Connection, Deflating};
use crate::{
    Message, MessageKind, PreparedMessage, SendError, Utf8Bytes,
    deflate::Workspace,
    frame::{Lead, OpCode},
    utf8::Utf8Validator,
};
#[cfg(feature = "tokio")]
use crate::{
    batch::Batch,
    frame::{SHORT_FRAME_BYTES_MAX, ServerHeader},
};

/// The message that is being sent in parts.
#[derive(Debug)]
pub(super) struct OpenMessage {
    kind: MessageKind,
    begun: bool,
    compressed: bool,
    utf8: Utf8Validator,
}

impl Connection {
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

    /// [`send`](Self::send) for what most messages are: short, not compressed, and joined to others that wait. Gives whether it was
    /// queued; for all else, also for what is refused, there is `send`.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn send_short(&mut self, message: &Message) -> bool {
        self.deflating.is_none()
            && self.check_message_may_begin().is_ok()
            && (self.outbox).push_short(Lead::plain(message.kind()), message.as_bytes())
    }

    /// Writes the frame of a message for which [`send_short`](Self::send_short) would do into `frame`, instead of queueing it, and gives
    /// its length; none for all else.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn write_short(
        &self,
        message: &Message,
        frame: &mut [u8; SHORT_FRAME_BYTES_MAX],
    ) -> Option<usize> {
        if self.deflating.is_some() || self.check_message_may_begin().is_err() {
            return None;
        }
        (self.outbox).write_short(Lead::plain(message.kind()), message.as_bytes(), frame)
    }

    /// The header of the frame that [`send`](Self::send) would queue for a message, with a reference to its bytes; none if it is to be compressed,
    /// masked, cut or copied, or refused.
    #[cfg(feature = "tokio")]
    pub(crate) fn header_of_long(&self, message: &Message) -> Option<ServerHeader> {
        let refers = self.deflating.is_none()
            && self.check_message_may_begin().is_ok()
            && self.outbox.refers_to(message.len());
        refers.then(|| ServerHeader::new(message.kind(), message.len()))
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

    /// Whether a batch may be sent on this connection now; gives its frames in one piece, if the batch is the same for
    /// others. Else it's to be sent message by message.
    #[cfg(feature = "tokio")]
    pub(crate) fn admit<'b>(
        &self,
        batch: &'b mut Batch<'_>,
    ) -> Result<Option<&'b Bytes>, SendError> {
        self.check_message_may_begin()?;
        if self.outbox.bytes() + batch.bytes_before_last() >= self.outbox_bytes_max {
            return Err(SendError::Full);
        }
        let Some(frame_bytes_max) = self.outbox.shared_frame_bytes_max() else {
            return Ok(None);
        };
        Ok(match &self.deflating {
            Some(deflating) if deflating.wants(None) => (deflating.shared_terms())
                .and_then(|terms| batch.compressed(terms, frame_bytes_max)),
            _ => batch.plain(frame_bytes_max),
        })
    }

    /// Whether [`admit`](Self::admit) would compress the batch, which takes its time, for this connection and all on the same terms.
    #[cfg(all(feature = "io-uring", target_os = "linux"))]
    pub(crate) fn compresses_first(&self, batch: &Batch<'_>) -> bool {
        (self.deflating.as_ref())
            .filter(|deflating| deflating.wants(None))
            .and_then(|deflating| deflating.shared_terms())
            .is_some_and(|terms| !batch.has_compressed(terms))
    }

    /// Queues what [`admit`](Self::admit) gave, but for the first `sent` bytes, which is allowed only where nothing was queued.
    #[cfg(feature = "tokio")]
    pub(crate) fn queue_joined(&mut self, frames: &Bytes, sent: usize) {
        self.outbox.push_joined(frames, sent);
    }

    #[inline]
    fn check_message_may_begin(&self) -> Result<(), SendError> {
        if self.outbox.is_closing() {
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
        self.open_message = Some(Box::new(OpenMessage {
            kind,
            begun: false,
            compressed,
            utf8: Utf8Validator::default(),
        }));
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
        if self.outbox.is_closing() {
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
        if self.outbox.is_closing() {
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
}
