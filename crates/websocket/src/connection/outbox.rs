//! What is to be sent: frames in order, control frames ahead of data.
//!
//! A segment begins and ends at a frame's edge. Control frames go out between two segments, never inside one.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::{
    Role, SendError, buffers,
    frame::{self, HEADER_BYTES_MAX, Lead, OpCode},
    mask,
    prepared::Framed,
};

/// Control frames that may wait for the socket besides pongs; each is at most 139 bytes.
pub const CONTROL_FRAMES_MAX: usize = 64;
/// Answers to pings that may wait for the socket. With more pings than that, only the newest are answered (section 5.5.3).
pub const PENDING_PONGS_MAX: usize = 16;
/// Payloads up to this many bytes are copied behind each other, which is cheaper than a reference to each.
const COPY_BYTES_MAX: usize = 4 << 10;
/// Bytes of small frames that are joined to one segment, and so what a control frame may have to wait for.
const JOINED_BYTES_MAX: usize = 64 << 10;
/// Slots of an empty queue of control frames that are worth keeping.
const IDLE_SLOTS_MAX: usize = 16;

/// Small frames and maybe a header, then the payload (or the prepared frame) that they announce.
#[derive(Debug, Default)]
struct Segment {
    head: BytesMut,
    body: Bytes,
}

impl Segment {
    fn len(&self) -> usize {
        self.head.len() + self.body.len()
    }

    fn is_empty(&self) -> bool {
        self.head.is_empty() && self.body.is_empty()
    }

    fn after(&self, sent: usize) -> [&[u8]; 2] {
        match sent.checked_sub(self.head.len()) {
            Some(sent) => [&[], &self.body[sent..]],
            None => [&self.head[sent..], &self.body],
        }
    }
}

#[derive(Debug)]
struct ControlFrame {
    pong: bool,
    bytes: BytesMut,
}

#[derive(Debug)]
pub(super) struct Outbox {
    role: Role,
    frame_bytes_max: usize,
    /// The first segment, empty if there is none. It stands apart so that what is mostly all costs no queue.
    first: Segment,
    /// Sent bytes of the first segment. If above 0 it goes before the control frames.
    first_sent: usize,
    /// The segments behind the first.
    rest: VecDeque<Segment>,
    control: VecDeque<ControlFrame>,
    /// Sent bytes of the first control frame.
    control_sent: usize,
    /// All unsent bytes.
    bytes: usize,
}

impl Outbox {
    pub(super) fn new(role: Role, frame_bytes_max: usize) -> Self {
        Self {
            role,
            frame_bytes_max: frame_bytes_max.max(1),
            first: Segment::default(),
            first_sent: 0,
            rest: VecDeque::new(),
            control: VecDeque::new(),
            control_sent: 0,
            bytes: 0,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Queues a message, cut into frames of at most `frame_bytes_max`.
    pub(super) fn push_message(&mut self, mut lead: Lead, mut payload: Bytes) {
        while payload.len() > self.frame_bytes_max {
            let piece = payload.split_to(self.frame_bytes_max);
            self.push_frame(false, lead, piece);
            lead = Lead::CONTINUATION;
        }
        self.push_frame(true, lead, payload);
    }

    fn push_frame(&mut self, fin: bool, lead: Lead, payload: Bytes) {
        if self.role == Role::Client || payload.len() <= COPY_BYTES_MAX {
            self.append_copy(fin, lead, &payload);
            return;
        }
        self.bytes += payload.len();
        let segment = self.open_segment(HEADER_BYTES_MAX);
        let before = segment.head.len();
        frame::encode_header(&mut segment.head, fin, lead, None, payload.len());
        let header_len = segment.head.len() - before;
        segment.body = payload;
        self.bytes += header_len;
    }

    /// Queues a copy of `payload`, cut as [`Self::push_message`] does.
    pub(super) fn push_copy(&mut self, fin: bool, mut lead: Lead, mut payload: &[u8]) {
        while payload.len() > self.frame_bytes_max {
            let (piece, rest) = payload.split_at(self.frame_bytes_max);
            self.append_copy(false, lead, piece);
            lead = Lead::CONTINUATION;
            payload = rest;
        }
        self.append_copy(fin, lead, payload);
    }

    fn append_copy(&mut self, fin: bool, lead: Lead, payload: &[u8]) {
        let role = self.role;
        let segment = self.open_segment(HEADER_BYTES_MAX + payload.len());
        let before = segment.head.len();
        encode_frame(&mut segment.head, role, fin, lead, payload);
        let added = segment.head.len() - before;
        self.bytes += added;
    }

    /// The last segment if `room` more bytes may be joined to its head, else a new one.
    fn open_segment(&mut self, room: usize) -> &mut Segment {
        let joinable = self
            .last()
            .is_some_and(|last| last.body.is_empty() && last.head.len() + room <= JOINED_BYTES_MAX);
        if !joinable {
            let head = if room <= JOINED_BYTES_MAX {
                buffers::take()
            } else {
                BytesMut::with_capacity(room)
            };
            self.push_segment(Segment {
                head,
                body: Bytes::new(),
            });
        }
        self.rest.back_mut().unwrap_or(&mut self.first)
    }

    fn last(&self) -> Option<&Segment> {
        let first = (!self.first.is_empty()).then_some(&self.first);
        self.rest.back().or(first)
    }

    fn push_segment(&mut self, segment: Segment) {
        if self.first.is_empty() {
            self.first = segment;
        } else {
            self.rest.push_back(segment);
        }
    }

    /// Queues a reference to a frame that a server can send as it is.
    pub(super) fn push_prepared(&mut self, lead: Lead, framed: &Framed) {
        if self.role == Role::Client || framed.payload.len() > self.frame_bytes_max {
            self.push_message(lead, framed.payload.clone());
            return;
        }
        let frame = framed.frame.clone();
        self.bytes += frame.len();
        let last = self.rest.back_mut().unwrap_or(&mut self.first);
        if last.body.is_empty() {
            last.body = frame;
        } else {
            self.rest.push_back(Segment {
                head: BytesMut::new(),
                body: frame,
            });
        }
    }

    pub(super) fn push_control(&mut self, op: OpCode, payload: &[u8]) -> Result<(), SendError> {
        if self.control.len() >= CONTROL_FRAMES_MAX + PENDING_PONGS_MAX {
            return Err(SendError::ControlQueueFull);
        }
        self.push_control_frame(op, payload);
        Ok(())
    }

    /// Queues the answer to a ping. When too many wait, it takes the place of the oldest that is not on its way.
    pub(super) fn push_pong(&mut self, payload: &[u8]) {
        let first_unsent = usize::from(self.control_sent > 0);
        if self.control.iter().filter(|frame| frame.pong).count() >= PENDING_PONGS_MAX {
            let oldest = (first_unsent..self.control.len()).find(|&index| self.control[index].pong);
            if let Some(dropped) = oldest.and_then(|index| self.control.remove(index)) {
                self.bytes -= dropped.bytes.len();
            }
        }
        self.push_control_frame(OpCode::Pong, payload);
    }

    fn push_control_frame(&mut self, op: OpCode, payload: &[u8]) {
        let mut bytes = BytesMut::with_capacity(HEADER_BYTES_MAX + payload.len());
        encode_frame(&mut bytes, self.role, true, op.into(), payload);
        self.bytes += bytes.len();
        self.control.push_back(ControlFrame {
            pong: op == OpCode::Pong,
            bytes,
        });
    }

    /// Queues a close frame behind all data.
    pub(super) fn push_close(&mut self, payload: &[u8]) {
        // In a segment of its own: control frames that wait behind a begun segment must still go out before it.
        if !self.first.is_empty() {
            self.rest.push_back(Segment::default());
        }
        self.append_copy(true, OpCode::Close.into(), payload);
    }

    /// Whether some of the last segment is sent: after [`Self::push_close`], of the close frame.
    pub(super) fn last_segment_begun(&self) -> bool {
        self.rest.is_empty() && (self.first_sent > 0 || self.first.is_empty())
    }

    /// All unsent bytes, if they lie in one piece: the common case, without what [`Self::chunks`] has to look at.
    #[cfg(feature = "tokio")]
    pub(super) fn only_chunk(&self) -> Option<&[u8]> {
        if !self.control.is_empty() || !self.rest.is_empty() {
            return None;
        }
        match self.first.after(self.first_sent) {
            [chunk, []] | [[], chunk] => Some(chunk),
            _ => None,
        }
    }

    /// All unsent bytes in the order in which they must go out.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        let [begun, waiting] = if self.first_sent > 0 {
            [self.first.after(self.first_sent), Default::default()]
        } else {
            [Default::default(), self.first.after(0)]
        };
        let control = self.control.iter().enumerate().map(|(index, frame)| {
            let sent = if index == 0 { self.control_sent } else { 0 };
            &frame.bytes[sent..]
        });
        let rest = self.rest.iter().flat_map(|segment| segment.after(0));
        (begun.into_iter())
            .chain(control)
            .chain(waiting)
            .chain(rest)
            .filter(|chunk| !chunk.is_empty())
    }

    /// Forgets the first `sent` bytes of [`Self::chunks`].
    pub(super) fn advance(&mut self, mut sent: usize) {
        debug_assert!(sent <= self.bytes);
        self.bytes = self.bytes.saturating_sub(sent);
        if self.first_sent > 0 {
            sent = self.advance_first(sent);
        }
        while let Some(frame) = self.control.front() {
            let left = frame.bytes.len() - self.control_sent;
            if sent < left {
                self.control_sent += sent;
                return;
            }
            sent -= left;
            self.control_sent = 0;
            self.control.pop_front();
        }
        while sent > 0 && !self.first.is_empty() {
            sent = self.advance_first(sent);
        }
        if self.bytes == 0 && self.rest.capacity() > 0 {
            self.rest = VecDeque::new();
        }
        if self.control.is_empty() && self.control.capacity() > IDLE_SLOTS_MAX {
            self.control = VecDeque::new();
        }
    }

    /// Takes up to `sent` bytes off the first segment; gives what is left of `sent`.
    fn advance_first(&mut self, sent: usize) -> usize {
        let left = self.first.len() - self.first_sent;
        if sent < left {
            self.first_sent += sent;
            return 0;
        }
        self.first_sent = 0;
        let next = self.rest.pop_front().unwrap_or_default();
        let Segment { head, .. } = std::mem::replace(&mut self.first, next);
        if !head.is_empty() {
            buffers::give(head);
        }
        sent - left
    }

    pub(super) fn clear(&mut self) {
        self.first = Segment::default();
        self.rest = VecDeque::new();
        self.control = VecDeque::new();
        (self.first_sent, self.control_sent, self.bytes) = (0, 0, 0);
    }
}

fn encode_frame(out: &mut BytesMut, role: Role, fin: bool, lead: Lead, payload: &[u8]) {
    let key = (role == Role::Client).then(mask::random_key);
    frame::encode_header(out, fin, lead, key, payload.len());
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = key {
        mask::apply(&mut out[start..], key, 0);
    }
}
