//! What a turn of the roster sends: entries for members to whom nothing else is on its way, past their outboxes.

use super::connection::Key;
use super::shared_entry::SharedEntry;
use suda_engine::{Cursor, Sequenced as _};
use suda_protocol::Codec;
use suda_websocket::PreparedMessage;

/// Frames that are longer together go through the outboxes, whose bound sees to those who take nothing. Below it they are joined.
const PAST_OUTBOX_BYTES_MAX: usize = 64 << 10;

#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) runs: Vec<Run>,
}

/// The same entries for members with the same codec.
#[derive(Debug)]
pub(super) struct Run {
    codec: Codec,
    /// The first entry and the last. Ids are never given twice, whatever the room.
    ends: (Cursor, Cursor),
    bytes: usize,
    pub(super) frames: Vec<PreparedMessage>,
    pub(super) members: Vec<Key>,
}

impl Turn {
    /// Takes entries for a member to whom nothing else is on its way; false where they are too long for that, or where it gets others in this
    /// turn already, with which they are to be sent.
    pub(super) fn take(
        &mut self,
        member: Key,
        codec: Codec,
        entries: &[SharedEntry],
        outbox_bytes_max: usize,
    ) -> bool {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return true;
        };
        let ends = (first.cursor(), last.cursor());
        // A member is offered the entries of a room once in a turn.
        let mut others = self.runs.iter().filter(|run| run.ends != ends);
        if others.any(|run| run.members.contains(&member)) {
            return false;
        }
        // Members of a room come one after the other, mostly with one codec.
        let known = (self.runs.iter()).rposition(|run| run.codec == codec && run.ends == ends);
        let at = known.unwrap_or_else(|| {
            self.runs.push(Run::new(codec, ends, entries));
            self.runs.len() - 1
        });
        let run = &mut self.runs[at];
        let fits = run.bytes <= PAST_OUTBOX_BYTES_MAX.min(outbox_bytes_max);
        if fits {
            run.members.push(member);
        }
        fits
    }

    /// What a member was to be sent, now to be queued.
    pub(super) fn take_back(&mut self, member: Key) -> Vec<PreparedMessage> {
        for run in &mut self.runs {
            if let Some(at) = run.members.iter().position(|key| *key == member) {
                run.members.swap_remove(at);
                return run.frames.clone();
            }
        }
        Vec::new()
    }
}

impl Run {
    fn new(codec: Codec, ends: (Cursor, Cursor), entries: &[SharedEntry]) -> Self {
        let frames: Vec<PreparedMessage> = (entries.iter())
            .map(|entry| entry.frame(codec).clone())
            .collect();
        Self {
            codec,
            ends,
            bytes: frames.iter().map(|frame| frame.payload().len()).sum(),
            frames,
            members: Vec::new(),
        }
    }
}
