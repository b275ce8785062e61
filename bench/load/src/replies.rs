//! What the server sends: frames are counted, payloads skipped.

use anyhow::{Result, bail};

/// Reads a server's frames from a stream of bytes.
#[derive(Default)]
pub(crate) struct Replies {
    header: [u8; 10],
    header_len: usize,
    payload_left: u64,
    in_payload: bool,
    fin: bool,
    opcode: u8,
    compressed: bool,
    /// The payload of the message at hand, while it is wanted.
    kept: Option<Vec<u8>>,
}

/// A message that was wanted.
pub(crate) struct Kept {
    pub(crate) payload: Vec<u8>,
    pub(crate) compressed: bool,
}

const CLOSE: u8 = 8;
const CONTROL: u8 = 8;

impl Replies {
    /// Keeps the payloads of messages until [`Self::skip`].
    pub(crate) fn keeping() -> Self {
        Self {
            kept: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// From the next message on payloads are not kept.
    pub(crate) fn skip(&mut self) {
        self.kept = None;
    }

    /// Payload bytes that are still to come and that nobody wants.
    pub(crate) fn unwanted(&self) -> u64 {
        if self.in_payload && self.kept.is_none() {
            self.payload_left
        } else {
            0
        }
    }

    /// So many of the unwanted bytes, but not the last one, are gone.
    pub(crate) fn dropped(&mut self, bytes: usize) {
        self.payload_left -= bytes as u64;
    }

    /// Reads on; `on_message` hears of each whole message, with its payload if that is kept.
    pub(crate) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut on_message: impl FnMut(&mut Self, Option<Kept>) -> Result<()>,
    ) -> Result<()> {
        while !bytes.is_empty() {
            if self.in_payload {
                let len = self.payload_left.min(bytes.len() as u64) as usize;
                if let Some(kept) = &mut self.kept
                    && self.opcode < CONTROL
                {
                    kept.extend_from_slice(&bytes[..len]);
                }
                bytes = &bytes[len..];
                self.payload_left -= len as u64;
                if self.payload_left == 0 {
                    self.frame_ends(&mut on_message)?;
                }
                continue;
            }
            // The common case: a whole short message whose payload nobody wants.
            if self.header_len == 0 && self.kept.is_none() && bytes.len() >= 2 && bytes[1] < 126 {
                let len = 2 + usize::from(bytes[1]);
                if bytes.len() >= len && bytes[0] & 0x88 == 0x80 {
                    bytes = &bytes[len..];
                    on_message(self, None)?;
                    continue;
                }
            }
            self.header[self.header_len] = bytes[0];
            self.header_len += 1;
            bytes = &bytes[1..];
            self.header_grew(&mut on_message)?;
        }
        Ok(())
    }

    fn header_grew(
        &mut self,
        on_message: &mut impl FnMut(&mut Self, Option<Kept>) -> Result<()>,
    ) -> Result<()> {
        if self.header_len < 2 {
            return Ok(());
        }
        let [first, short_len, ..] = self.header;
        if short_len & 0x80 != 0 {
            bail!("the server masked a frame");
        }
        let (needed, len) = match short_len {
            126 => (
                4,
                u64::from(u16::from_be_bytes([self.header[2], self.header[3]])),
            ),
            127 => {
                let [_, _, len @ ..] = self.header;
                (10, u64::from_be_bytes(len))
            }
            len => (2, u64::from(len)),
        };
        if self.header_len < needed {
            return Ok(());
        }
        self.header_len = 0;
        self.payload_left = len;
        self.in_payload = true;
        self.fin = first & 0x80 != 0;
        self.opcode = first & 0x0f;
        if self.opcode == 1 || self.opcode == 2 {
            self.compressed = first & 0x40 != 0;
        }
        if len == 0 {
            self.frame_ends(on_message)?;
        }
        Ok(())
    }

    fn frame_ends(
        &mut self,
        on_message: &mut impl FnMut(&mut Self, Option<Kept>) -> Result<()>,
    ) -> Result<()> {
        self.in_payload = false;
        match self.opcode {
            CLOSE => bail!("the server sent a close frame"),
            opcode if opcode < CONTROL && self.fin => {
                let compressed = self.compressed;
                let kept = self.kept.as_mut().map(|kept| Kept {
                    payload: std::mem::take(kept),
                    compressed,
                });
                on_message(self, kept)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_however_the_bytes_are_cut() {
        let mut stream = Vec::new();
        stream.extend([0x82, 3, 1, 2, 3]);
        stream.extend([0x02, 1, 4, 0x89, 1, 9, 0x80, 1, 5]);
        stream.extend([0x82, 126, 0, 200]);
        stream.extend([7; 200]);
        for step in [1, 2, 3, 7, 1000] {
            let mut replies = Replies::keeping();
            let mut lens = Vec::new();
            for piece in stream.chunks(step) {
                let on_message = |_: &mut Replies, kept: Option<Kept>| {
                    lens.extend(kept.map(|kept| kept.payload.len()));
                    Ok(())
                };
                replies.feed(piece, on_message).unwrap();
            }
            assert_eq!(lens, [3, 2, 200], "pieces of {step}");
        }
    }
}
