//! A compressed message's frames: unmasked and inflated as they arrive, chunk by chunk, so that neither a frame's compressed bytes
//! nor, for a reader of parts, a message's inflated ones are ever together in memory.

use bytes::Buf;

use super::{Delivery, Progress, Receiver, Step, check_text, whole};
use crate::{MessageKind, Part, Violation, deflate::Workspace, mask};

impl Receiver {
    /// Goes on with the frame at hand as far as its payload is here.
    pub(super) fn advance_compressed_frame(
        &mut self,
        delivery: Delivery,
    ) -> Result<Progress, Violation> {
        if let Some(arriving) = &mut self.arriving
            && let (Some(frame), Some(message)) = (&mut arriving.frame, &mut arriving.message)
        {
            let available = self.input.len().min(frame.payload_len - frame.taken);
            if let Some(key) = frame.mask {
                let fresh = &mut self.input[frame.checked..available];
                mask::apply(fresh, key, frame.taken + frame.checked);
            }
            frame.checked = available;
            message.in_parts |= delivery == Delivery::Parts;
            message.skipped |= message.in_parts && delivery == Delivery::Whole;
        }
        let mut work = Workspace::take();
        loop {
            if let Some(progress) = self.inflate_chunk(&mut work)? {
                return Ok(progress);
            }
        }
    }

    /// Inflates one chunk; `None` if there is more to inflate at once.
    fn inflate_chunk(&mut self, work: &mut Workspace) -> Result<Option<Progress>, Violation> {
        let (Some(arriving), Some(inflating)) = (&mut self.arriving, &mut self.inflating) else {
            return Ok(Some(Progress::Starved));
        };
        let (Some(frame), Some(message)) = (&mut arriving.frame, &mut arriving.message) else {
            return Ok(Some(Progress::Starved));
        };
        let inflated = inflating.inflate(&self.input[..frame.checked], work)?;
        self.input.advance(inflated.taken);
        frame.taken += inflated.taken;
        frame.checked -= inflated.taken;
        let complete = frame.taken == frame.payload_len && !inflated.more;
        let fin = complete && frame.fin;
        let fresh = &work.chunk()[..inflated.made];
        let (kind, in_parts, skipped) = (message.kind, message.in_parts, message.skipped);
        if kind == MessageKind::Text {
            check_text(&mut message.utf8, fresh, false, fin)?;
        }
        if fin {
            inflating.finish()?;
            arriving.message = None;
        }
        if complete {
            arriving.frame = None;
        }
        if !skipped {
            if in_parts {
                let data = inflating.take_with(fresh);
                if fin || !data.is_empty() {
                    return Ok(Some(Progress::Step(Step::Part(Part { kind, data, fin }))));
                }
            } else if fin {
                let data = inflating.take_with(fresh);
                return Ok(Some(Progress::Step(Step::Message(whole(kind, data)))));
            } else {
                inflating.keep(fresh);
            }
        }
        Ok(if complete {
            Some(Progress::FrameDone)
        } else if inflated.more {
            None
        } else {
            Some(Progress::Starved)
        })
    }
}
