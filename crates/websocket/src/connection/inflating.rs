//! The incoming half of permessage-deflate: the context, and the message that is being inflated.

use bytes::Bytes;

use crate::{
    Compression, Role, Violation,
    deflate::{INFLATED_CHUNK_BYTES, Inflater, Workspace},
};

/// Most compressed bytes that a message may take for each byte of the read limit. An honest sender needs one and a bit, or six if it
/// flushes after every byte; blocks without content, which no limit on what is inflated catches, must end somewhere.
const COMPRESSED_PER_INFLATED_MAX: usize = 8;
/// Compressed bytes that are always allowed.
const COMPRESSED_BYTES_FREE: usize = 1 << 10;

#[derive(Debug)]
pub(super) struct Inflating {
    /// The peer keeps its context from message to message, so this one is kept, too.
    takes_over: bool,
    inflater: Option<Inflater>,
    /// What was inflated of the message at hand, for delivery as a whole, until it is given out.
    data: Vec<u8>,
    /// Bytes of the message so far.
    inflated: usize,
    read_limit: usize,
}

/// What one go gave.
pub(super) struct Progress {
    /// Compressed bytes taken.
    pub(super) taken: usize,
    /// Inflated bytes, at the start of the chunk.
    pub(super) made: usize,
    /// More may follow without further input.
    pub(super) more: bool,
}

impl Inflating {
    pub(super) fn new(role: Role, compression: &Compression, read_limit: usize) -> Self {
        let peer_forgets = match role {
            Role::Client => compression.server_no_context_takeover,
            Role::Server => compression.client_no_context_takeover,
        };
        Self {
            takes_over: !peer_forgets,
            inflater: None,
            data: Vec::new(),
            inflated: 0,
            read_limit,
        }
    }

    pub(super) fn set_read_limit(&mut self, bytes: usize) {
        self.read_limit = bytes;
    }

    /// Bytes of the message at hand that were inflated so far.
    pub(super) fn inflated(&self) -> usize {
        self.inflated
    }

    /// The longest compressed message that is worth reading, in bytes.
    pub(super) fn compressed_bytes_max(&self) -> usize {
        self.read_limit
            .saturating_mul(COMPRESSED_PER_INFLATED_MAX)
            .saturating_add(COMPRESSED_BYTES_FREE)
    }

    /// Inflates what fits into a chunk.
    pub(super) fn inflate(
        &mut self,
        input: &[u8],
        work: &mut Workspace,
    ) -> Result<Progress, Violation> {
        let inflater = self.inflater.get_or_insert_with(Inflater::lend);
        let (taken, made) = inflater
            .inflate(input, work.chunk())
            .map_err(|_| Violation::BadCompression)?;
        self.inflated += made;
        if self.inflated > self.read_limit {
            return Err(Violation::TooLong);
        }
        Ok(Progress {
            taken,
            made,
            more: made == INFLATED_CHUNK_BYTES,
        })
    }

    /// Keeps what was inflated until the message is whole. Never sets more aside than the read limit.
    pub(super) fn keep(&mut self, fresh: &[u8]) {
        let needed = self.data.len() + fresh.len();
        if needed > self.data.capacity() {
            let wanted = (2 * self.data.capacity()).min(self.read_limit).max(needed);
            self.data.reserve_exact(wanted - self.data.len());
        }
        self.data.extend_from_slice(fresh);
    }

    /// What was kept, and behind it `fresh`.
    pub(super) fn take_with(&mut self, fresh: &[u8]) -> Bytes {
        if self.data.is_empty() {
            // In a buffer that is just as long: who keeps a short message must not keep a chunk.
            return Bytes::copy_from_slice(fresh);
        }
        if !fresh.is_empty() {
            self.keep(fresh);
        }
        std::mem::take(&mut self.data).into()
    }

    /// The message's last byte was inflated.
    pub(super) fn finish(&mut self) -> Result<(), Violation> {
        self.inflated = 0;
        let Some(mut inflater) = self.inflater.take() else {
            return Ok(());
        };
        inflater.finish().map_err(|_| Violation::BadCompression)?;
        if self.takes_over {
            self.inflater = Some(inflater);
        } else {
            inflater.give_back();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_read_limit_is_set_aside_for_what_is_inflated() {
        const LIMIT: usize = 1_000_000;
        let chunk = [7; INFLATED_CHUNK_BYTES];
        let mut inflating = Inflating::new(Role::Server, &Compression::default(), LIMIT);
        while inflating.data.len() + chunk.len() <= LIMIT {
            inflating.keep(&chunk);
            let (len, capacity) = (inflating.data.len(), inflating.data.capacity());
            assert!(capacity <= (2 * len).min(LIMIT), "{capacity} for {len}");
        }
        assert!(inflating.data.len() > LIMIT - chunk.len());
    }
}
