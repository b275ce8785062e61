//! DEFLATE blocks to messages (RFC 7692, section 7.2.2).

use std::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::{TAIL, WINDOW_BITS_MAX};

/// The bytes are not DEFLATE, or end inside a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Corrupt;

/// One direction's context of inflating. Its window is always the largest, which takes whatever smaller one was agreed on.
pub(crate) struct Inflater {
    inflate: Inflate,
    /// Where in a message the context is.
    at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Nothing of a message was fed.
    Start,
    Middle,
    /// Behind a block that says it is the last (section 7.2.3.4).
    LastBlock,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            inflate: Inflate::new(false, WINDOW_BITS_MAX),
            at: At::Start,
        }
    }

    pub(super) fn reset(&mut self) {
        self.inflate.reset(false);
        self.at = At::Start;
    }

    /// Inflates the next bytes of a message; gives how many were taken and how many were made. While `output` is made full,
    /// more may follow without further input.
    pub(crate) fn inflate(
        &mut self,
        mut input: &[u8],
        output: &mut [u8],
    ) -> Result<(usize, usize), Corrupt> {
        let (mut taken, mut made) = (0, 0);
        loop {
            let (status, fresh_in, fresh_out) =
                self.run(input, &mut output[made..], InflateFlush::SyncFlush)?;
            input = &input[fresh_in..];
            taken += fresh_in;
            made += fresh_out;
            if fresh_in > 0 {
                self.at = At::Middle;
            }
            if status == Status::StreamEnd {
                // Further blocks may follow in the same message. They have no context: what writes a last block ends its own.
                self.inflate.reset(false);
                self.at = At::LastBlock;
            }
            // The end of a last block may be told by a call of its own, when the tail of the message before has ended it.
            let stuck = fresh_in + fresh_out == 0 && status != Status::StreamEnd;
            if input.is_empty() || made == output.len() || stuck {
                return Ok((taken, made));
            }
        }
    }

    /// The message ends here: with the tail that it did without, all must be at the end of a block.
    pub(crate) fn finish(&mut self) -> Result<(), Corrupt> {
        let at = std::mem::replace(&mut self.at, At::Start);
        // Some peers send an empty message as no bytes at all, and some no empty block behind a last one.
        if at != At::Middle {
            return Ok(());
        }
        // The byte behind the tail stays untouched exactly if the tail ends a block.
        let probe = [TAIL[0], TAIL[1], TAIL[2], TAIL[3], 0];
        let (status, taken, made) = self.run(&probe, &mut [0; 1], InflateFlush::Block)?;
        if taken != TAIL.len() || made > 0 {
            return Err(Corrupt);
        }
        if status == Status::StreamEnd {
            self.inflate.reset(false);
        }
        Ok(())
    }

    fn run(
        &mut self,
        input: &[u8],
        output: &mut [u8],
        flush: InflateFlush,
    ) -> Result<(Status, usize, usize), Corrupt> {
        let (taken, made) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self
            .inflate
            .decompress(input, output, flush)
            .map_err(|_| Corrupt)?;
        Ok((
            status,
            (self.inflate.total_in() - taken) as usize,
            (self.inflate.total_out() - made) as usize,
        ))
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
