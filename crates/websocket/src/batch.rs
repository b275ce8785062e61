//! Prepared messages that go to many together: their frames joined once for all connections that get the same bytes.
//!
//! What a connection may be sent as it is, and what it has to make for itself, is `connection::sending`'s to say.

use bytes::{Bytes, BytesMut};

use crate::{PreparedMessage, deflate::Settings, prepared::Framed};

/// Frames that are longer together, in bytes, are not joined: a copy would cost more than it spares, and a control frame would have to
/// wait for all of them.
const JOINED_BYTES_MAX: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Batch<'m> {
    messages: &'m [PreparedMessage],
    plain: Joined,
    compressed: Vec<(Terms, Joined)>,
    /// Of the plain frames but the last.
    bytes_before_last: usize,
}

/// What a connection compresses, and how, if what it sends depends on nothing that was sent before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) settings: Settings,
    /// Payloads below it stay as they are.
    pub(crate) bytes_min: usize,
}

/// All frames of a batch in one piece.
#[derive(Debug)]
struct Joined {
    /// None: too long.
    bytes: Option<Bytes>,
    /// The longest frame's.
    payload_bytes_max: usize,
}

impl Joined {
    fn new<'m>(frames: impl Iterator<Item = &'m Framed> + Clone) -> Self {
        let payload_bytes_max = frames.clone().map(|framed| framed.payload.len()).max();
        let total: usize = frames.clone().map(|framed| framed.frame.len()).sum();
        let mut all = frames.map(|framed| &framed.frame);
        let bytes = match (all.next(), all.next()) {
            (Some(only), None) => Some(only.clone()),
            (Some(first), Some(second)) if total <= JOINED_BYTES_MAX => {
                let mut bytes = BytesMut::with_capacity(total);
                for frame in [first, second].into_iter().chain(all) {
                    bytes.extend_from_slice(frame);
                }
                Some(bytes.freeze())
            }
            _ => None,
        };
        Self {
            bytes,
            payload_bytes_max: payload_bytes_max.unwrap_or(0),
        }
    }

    /// For connections whose frames may have so long payloads.
    fn up_to(&self, frame_bytes_max: usize) -> Option<&Bytes> {
        (self.bytes.as_ref()).filter(|_| self.payload_bytes_max <= frame_bytes_max)
    }
}

impl<'m> Batch<'m> {
    pub(crate) fn new(messages: &'m [PreparedMessage]) -> Self {
        let frames = messages.iter().map(PreparedMessage::plain);
        let before_last = messages.len().saturating_sub(1);
        Self {
            messages,
            bytes_before_last: (frames.clone().take(before_last))
                .map(|framed| framed.frame.len())
                .sum(),
            plain: Joined::new(frames),
            compressed: Vec::new(),
        }
    }

    pub(crate) fn messages(&self) -> &'m [PreparedMessage] {
        self.messages
    }

    /// What is queued when the last message comes, in bytes, if none is compressed.
    pub(crate) fn bytes_before_last(&self) -> usize {
        self.bytes_before_last
    }

    /// All frames in one piece, unless they are too long for that or for the connection.
    pub(crate) fn plain(&self, frame_bytes_max: usize) -> Option<&Bytes> {
        self.plain.up_to(frame_bytes_max)
    }

    /// Whether somebody had the frames compressed on these terms.
    #[cfg(all(feature = "io-uring", target_os = "linux"))]
    pub(crate) fn has_compressed(&self, terms: Terms) -> bool {
        self.compressed.iter().any(|(of, _)| *of == terms)
    }

    /// [`plain`](Self::plain) for connections that compress on these terms.
    pub(crate) fn compressed(&mut self, terms: Terms, frame_bytes_max: usize) -> Option<&Bytes> {
        let known = (self.compressed.iter()).position(|(of, _)| *of == terms);
        let place = known.unwrap_or_else(|| {
            let frames = self.messages.iter().map(|message| {
                if message.payload().len() >= terms.bytes_min {
                    message.compressed(terms.settings)
                } else {
                    message.plain()
                }
            });
            self.compressed.push((terms, Joined::new(frames)));
            self.compressed.len() - 1
        });
        self.compressed[place].1.up_to(frame_bytes_max)
    }
}
