//! What is to be sent: frames in order, control frames ahead of data.
//!
//! A segment begins and ends at a frame's edge. Control frames go out between two segments, never inside one.

use std::{cell::RefCell, collections::VecDeque};

use bytes::{Bytes, BytesMut};

#[cfg(feature = "tokio")]
use crate::frame::SHORT_FRAME_BYTES_MAX;
use crate::{
    Role, SendError, buffers,
    frame::{self, HEADER_BYTES_MAX, Lead, OpCode},
    mask,
    prepared::Framed,
};

/// Control frames of the program that may wait for the socket, besides the answers to pings; each is at most 139 bytes.
pub const CONTROL_FRAMES_MAX: usize = 64;
/// Answers to pings that may wait for the socket. With more pings than that, only the newest are answered (section 5.5.3).
pub const PENDING_PONGS_MAX: usize = 16;
/// Payloads up to this many bytes are copied behind each other, which is cheaper than a reference to each.
pub(crate) const COPY_BYTES_MAX: usize = 4 << 10;
/// Bytes of small frames that are joined to one segment, and so what a control frame may have to wait for.
const JOINED_BYTES_MAX: usize = 64 << 10;
/// Slots of an empty queue that are worth keeping.
const IDLE_SLOTS_MAX: usize = 16;
/// Queues without content that a thread keeps for its connections.
const SPARE_MAX: usize = 256;
/// As many of them may have room for frames, 64 KiB each.
const SPARE_ROOMY_MAX: usize = 4;
/// Bytes of all rooms of the others.
const SPARE_ROOM_BYTES_MAX: usize = 64 * MIDDLE_ROOM_BYTES;
/// Room for the first frames, in bytes, of a queue that has none. It is changed for the next size when they need more. Where many connections have
/// something to send at once, they so don't take 64 KiB each, and the processor's cache keeps it.
const SMALL_ROOM_BYTES: usize = 4 << 10;
/// The size between that and 64 KiB.
const MIDDLE_ROOM_BYTES: usize = 20 << 10;

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

    /// Changes a room that is too little for `room` more bytes for one of the next size, if they are joined to what is there.
    fn outgrow_room(&mut self, room: usize) {
        let has_less = (1..=MIDDLE_ROOM_BYTES).contains(&self.head.capacity());
        let needed = self.head.len() + room;
        let is_joined = self.body.is_empty() && needed <= JOINED_BYTES_MAX;
        if has_less && is_joined && needed > self.head.capacity() {
            let last = std::mem::replace(&mut self.head, first_head(needed));
            self.head.extend_from_slice(&last);
        }
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
    /// To a ping: a newer one may take its place.
    answer: bool,
    bytes: BytesMut,
}

/// What one connection has to send. While that is nothing, it holds no memory for it.
#[derive(Debug)]
pub(super) struct Outbox {
    role: Role,
    frame_bytes_max: u32,
    /// A close frame is queued or sent: nothing may be queued behind it.
    closing: bool,
    /// Lent by the thread as soon as there is something to send, and given back when all of it is sent.
    queue: Option<Box<Queue>>,
}

#[derive(Debug, Default)]
struct Queue {
    /// The first segment, empty if there is none. It stands apart so that what is mostly all costs no queue. Empty, its head may have
    /// room, for the next frame.
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

thread_local! {
    static SPARE: RefCell<Spare> = const {
        RefCell::new(Spare {
            roomy: Vec::new(),
            others: Vec::new(),
            room_bytes: 0,
        })
    };
}

/// Queues of a thread that nobody uses.
#[expect(clippy::vec_box, reason = "the boxes are what is lent")]
struct Spare {
    /// Those with room for 64 KiB, which are lent first.
    roomy: Vec<Box<Queue>>,
    others: Vec<Box<Queue>>,
    /// Of the others' rooms.
    room_bytes: usize,
}

impl Spare {
    fn lend(&mut self) -> Option<Box<Queue>> {
        self.roomy.pop().or_else(|| {
            let queue = self.others.pop()?;
            self.room_bytes -= queue.first.head.capacity();
            Some(queue)
        })
    }

    fn give(&mut self, mut queue: Box<Queue>) {
        let room_bytes = queue.first.head.capacity();
        if room_bytes > MIDDLE_ROOM_BYTES {
            if self.roomy.len() < SPARE_ROOMY_MAX && room_bytes <= 2 * JOINED_BYTES_MAX {
                return self.roomy.push(queue);
            }
            buffers::give(std::mem::take(&mut queue.first.head));
        } else if self.room_bytes + room_bytes > SPARE_ROOM_BYTES_MAX {
            queue.first.head = BytesMut::new();
        }
        if self.others.len() < SPARE_MAX {
            self.room_bytes += queue.first.head.capacity();
            self.others.push(queue);
        }
    }
}

impl Outbox {
    pub(super) fn new(role: Role, frame_bytes_max: usize) -> Self {
        Self {
            role,
            frame_bytes_max: u32::try_from(frame_bytes_max).unwrap_or(u32::MAX).max(1),
            closing: false,
            queue: None,
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.bytes)
    }

    fn frame_bytes_max(&self) -> usize {
        self.frame_bytes_max as usize
    }

    #[inline]
    fn queue(&mut self) -> &mut Queue {
        self.queue.get_or_insert_with(Queue::lend)
    }

    /// Queues a message, cut into frames of at most `frame_bytes_max`.
    pub(super) fn push_message(&mut self, mut lead: Lead, mut payload: Bytes) {
        while payload.len() > self.frame_bytes_max() {
            let piece = payload.split_to(self.frame_bytes_max());
            self.push_frame(false, lead, piece);
            lead = Lead::CONTINUATION;
        }
        self.push_frame(true, lead, payload);
    }

    /// Whether a message of that length goes out in one frame which refers to its bytes.
    #[cfg(feature = "tokio")]
    pub(super) fn refers_to(&self, payload_len: usize) -> bool {
        self.role == Role::Server
            && payload_len > COPY_BYTES_MAX
            && payload_len <= self.frame_bytes_max()
    }

    fn push_frame(&mut self, fin: bool, lead: Lead, payload: Bytes) {
        let role = self.role;
        if role == Role::Client || payload.len() <= COPY_BYTES_MAX {
            self.queue().append_copy(role, fin, lead, &payload);
        } else {
            self.queue().append_reference(fin, lead, payload);
        }
    }

    /// Queues a copy of a short message of a server if it can be joined to those that wait; gives whether it did. All others are for
    /// [`Self::push_message`].
    #[cfg(feature = "tokio")]
    #[inline]
    pub(super) fn push_short(&mut self, lead: Lead, payload: &[u8]) -> bool {
        let is_short = payload.len() <= COPY_BYTES_MAX.min(self.frame_bytes_max());
        is_short && self.role == Role::Server && self.queue().append_short(lead, payload)
    }

    /// Writes into `frame` what [`Self::push_short`] would queue, and gives its length.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(super) fn write_short(
        &self,
        lead: Lead,
        payload: &[u8],
        frame: &mut [u8; SHORT_FRAME_BYTES_MAX],
    ) -> Option<usize> {
        if self.role == Role::Client || payload.len() > self.frame_bytes_max() {
            return None;
        }
        frame::write_short(lead, payload, frame)
    }

    /// Queues a copy of `payload`, cut as [`Self::push_message`] does.
    pub(super) fn push_copy(&mut self, fin: bool, mut lead: Lead, mut payload: &[u8]) {
        let role = self.role;
        while payload.len() > self.frame_bytes_max() {
            let (piece, rest) = payload.split_at(self.frame_bytes_max());
            self.queue().append_copy(role, false, lead, piece);
            lead = Lead::CONTINUATION;
            payload = rest;
        }
        self.queue().append_copy(role, fin, lead, payload);
    }

    /// Queues a frame that a server can send as it is.
    pub(super) fn push_prepared(&mut self, lead: Lead, framed: &Framed) {
        if self.role == Role::Client || framed.payload.len() > self.frame_bytes_max() {
            self.push_message(lead, framed.payload.clone());
        } else {
            self.queue().append_prepared(&framed.frame);
        }
    }

    /// The longest payload that a frame made for all may have here; none if this side makes its frames itself.
    #[cfg(feature = "tokio")]
    pub(super) fn shared_frame_bytes_max(&self) -> Option<usize> {
        (self.role == Role::Server).then(|| self.frame_bytes_max())
    }

    /// Queues server frames in one piece, of which the first `sent` bytes are sent: more than none only if nothing was queued.
    #[cfg(feature = "tokio")]
    pub(super) fn push_joined(&mut self, frames: &Bytes, sent: usize) {
        debug_assert!(sent == 0 || self.bytes() == 0);
        self.queue().append_prepared(frames);
        self.advance(sent);
    }

    pub(super) fn push_control(&mut self, op: OpCode, payload: &[u8]) -> Result<(), SendError> {
        let own = |queue: &Queue| queue.control.iter().filter(|frame| !frame.answer).count();
        if self.queue.as_deref().map_or(0, own) >= CONTROL_FRAMES_MAX {
            return Err(SendError::ControlQueueFull);
        }
        let role = self.role;
        self.queue().push_control_frame(role, op, payload, false);
        Ok(())
    }

    /// Queues the answer to a ping. When too many wait, it takes the place of the oldest that is not on its way.
    pub(super) fn push_pong(&mut self, payload: &[u8]) {
        let role = self.role;
        let queue = self.queue();
        queue.make_room_for_answer();
        queue.push_control_frame(role, OpCode::Pong, payload, true);
    }

    /// Queues a close frame behind all data.
    pub(super) fn push_close(&mut self, payload: &[u8]) {
        self.closing = true;
        let role = self.role;
        let queue = self.queue();
        // In a segment of its own: control frames that wait behind a begun segment must still go out before it.
        if !queue.first.is_empty() {
            queue.rest.push_back(Segment::default());
        }
        queue.append_copy(role, true, OpCode::Close.into(), payload);
    }

    /// Whether some of the last segment is sent: after [`Self::push_close`], of the close frame.
    pub(super) fn last_segment_begun(&self) -> bool {
        (self.queue.as_ref()).is_none_or(|queue| {
            queue.rest.is_empty() && (queue.first_sent > 0 || queue.first.is_empty())
        })
    }

    /// All unsent bytes, if they lie in no more than two pieces, of which either may be empty: the common case, without what
    /// [`Self::chunks`] has to look at.
    #[cfg(feature = "tokio")]
    pub(super) fn few_chunks(&self) -> Option<[&[u8]; 2]> {
        match &self.queue {
            None => Some([&[], &[]]),
            Some(queue) => queue.few_chunks(),
        }
    }

    /// All unsent bytes in the order in which they must go out.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        self.queue.iter().flat_map(|queue| queue.chunks())
    }

    /// Forgets the first `sent` bytes of [`Self::chunks`].
    pub(super) fn advance(&mut self, sent: usize) {
        debug_assert!(sent <= self.bytes());
        if let Some(queue) = self.queue.take_if(|queue| queue.advance(sent)) {
            queue.give_back();
        }
    }

    /// Drops all that is queued. Nothing can be sent any more.
    pub(super) fn discard(&mut self) {
        self.closing = true;
        self.queue = None;
    }
}

impl Queue {
    fn lend() -> Box<Self> {
        SPARE
            .try_with(|spare| spare.borrow_mut().lend())
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    /// All was sent.
    fn give_back(mut self: Box<Self>) {
        if self.control.capacity() > IDLE_SLOTS_MAX {
            self.control = VecDeque::new();
        }
        if self.rest.capacity() > IDLE_SLOTS_MAX {
            self.rest = VecDeque::new();
        }
        // A thread that is ending has no spares any more: the queue is freed then.
        let _ = SPARE.try_with(move |spare| spare.borrow_mut().give(self));
    }

    fn append_copy(&mut self, role: Role, fin: bool, lead: Lead, payload: &[u8]) {
        let segment = self.open_segment(HEADER_BYTES_MAX + payload.len());
        let before = segment.head.len();
        encode_frame(&mut segment.head, role, fin, lead, payload);
        let added = segment.head.len() - before;
        self.bytes += added;
    }

    /// As [`Self::append_copy`], if the first segment is all there is and has room.
    #[cfg(feature = "tokio")]
    #[inline]
    fn append_short(&mut self, lead: Lead, payload: &[u8]) -> bool {
        let head = &mut self.first.head;
        let before = head.len();
        let after = before + HEADER_BYTES_MAX + payload.len();
        let is_all = self.rest.is_empty() && self.first.body.is_empty();
        if !is_all || after > head.capacity() || after > JOINED_BYTES_MAX {
            return false;
        }
        frame::encode_header(head, true, lead, None, payload.len());
        head.extend_from_slice(payload);
        self.bytes += head.len() - before;
        true
    }

    /// Appends a server's frame whose payload is not copied.
    fn append_reference(&mut self, fin: bool, lead: Lead, payload: Bytes) {
        self.bytes += payload.len();
        let segment = self.open_segment(HEADER_BYTES_MAX);
        let before = segment.head.len();
        frame::encode_header(&mut segment.head, fin, lead, None, payload.len());
        let header_len = segment.head.len() - before;
        segment.body = payload;
        self.bytes += header_len;
    }

    /// A frame that stands alone is referred to. Short ones that come together are copied behind each other: one piece costs the
    /// system less than several.
    fn append_prepared(&mut self, frame: &Bytes) {
        self.bytes += frame.len();
        if frame.len() <= COPY_BYTES_MAX && !self.first.is_empty() {
            self.copy_short_body();
            let segment = self.open_segment(frame.len());
            segment.head.extend_from_slice(frame);
            return;
        }
        let last = self.rest.back_mut().unwrap_or(&mut self.first);
        if last.body.is_empty() {
            last.body = frame.clone();
        } else {
            self.rest.push_back(Segment {
                head: BytesMut::new(),
                body: frame.clone(),
            });
        }
    }

    /// Turns a first segment of which nothing is sent, and which is all there is, from a reference to a short frame into a copy.
    fn copy_short_body(&mut self) {
        let body = &self.first.body;
        let is_short = !body.is_empty() && body.len() <= COPY_BYTES_MAX;
        if is_short && self.first_sent == 0 && self.rest.is_empty() && self.first.head.is_empty() {
            let body = std::mem::take(&mut self.first.body);
            self.open_segment(body.len()).head.extend_from_slice(&body);
        }
    }

    /// The last segment if `room` more bytes may be joined to its head, else a new one.
    fn open_segment(&mut self, room: usize) -> &mut Segment {
        if self.first.is_empty() && self.rest.is_empty() {
            if self.first.head.capacity() < room {
                self.first.head = first_head(room);
            }
            return &mut self.first;
        }
        if self.rest.is_empty() {
            self.first.outgrow_room(room);
        }
        let last = self.rest.back().unwrap_or(&self.first);
        if !last.body.is_empty() || last.head.len() + room > JOINED_BYTES_MAX {
            self.rest.push_back(Segment {
                head: new_head(room),
                body: Bytes::new(),
            });
        }
        self.rest.back_mut().unwrap_or(&mut self.first)
    }

    /// Drops the oldest answer that is not on its way, if as many wait as may.
    fn make_room_for_answer(&mut self) {
        let first_unsent = usize::from(self.control_sent > 0);
        if self.control.iter().filter(|frame| frame.answer).count() >= PENDING_PONGS_MAX {
            let oldest =
                (first_unsent..self.control.len()).find(|&index| self.control[index].answer);
            if let Some(dropped) = oldest.and_then(|index| self.control.remove(index)) {
                self.bytes -= dropped.bytes.len();
            }
        }
    }

    fn push_control_frame(&mut self, role: Role, op: OpCode, payload: &[u8], answer: bool) {
        let mut bytes = BytesMut::with_capacity(HEADER_BYTES_MAX + payload.len());
        encode_frame(&mut bytes, role, true, op.into(), payload);
        self.bytes += bytes.len();
        self.control.push_back(ControlFrame { answer, bytes });
    }

    #[cfg(feature = "tokio")]
    fn few_chunks(&self) -> Option<[&[u8]; 2]> {
        let is_first = self.control.is_empty() && self.rest.is_empty();
        is_first.then(|| self.first.after(self.first_sent))
    }

    fn chunks(&self) -> impl Iterator<Item = &[u8]> {
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

    /// Forgets the first `sent` bytes; gives whether nothing is left.
    fn advance(&mut self, mut sent: usize) -> bool {
        self.bytes = self.bytes.saturating_sub(sent);
        if self.first_sent > 0 {
            sent = self.advance_first(sent);
        }
        while let Some(frame) = self.control.front() {
            let left = frame.bytes.len() - self.control_sent;
            if sent < left {
                self.control_sent += sent;
                return false;
            }
            sent -= left;
            self.control_sent = 0;
            self.control.pop_front();
        }
        while sent > 0 && !self.first.is_empty() {
            sent = self.advance_first(sent);
        }
        self.bytes == 0
    }

    /// Takes up to `sent` bytes off the first segment; gives what is left of `sent`.
    fn advance_first(&mut self, sent: usize) -> usize {
        let left = self.first.len() - self.first_sent;
        if sent < left {
            self.first_sent += sent;
            return 0;
        }
        self.first_sent = 0;
        match self.rest.pop_front() {
            Some(next) => {
                let Segment { head, .. } = std::mem::replace(&mut self.first, next);
                if head.capacity() > 0 {
                    buffers::give(head);
                }
            }
            None => {
                self.first.head.clear();
                self.first.body = Bytes::new();
            }
        }
        sent - left
    }
}

fn first_head(room: usize) -> BytesMut {
    if room <= SMALL_ROOM_BYTES {
        BytesMut::with_capacity(SMALL_ROOM_BYTES)
    } else if room <= MIDDLE_ROOM_BYTES {
        BytesMut::with_capacity(MIDDLE_ROOM_BYTES)
    } else {
        new_head(room)
    }
}

fn new_head(room: usize) -> BytesMut {
    if room <= JOINED_BYTES_MAX {
        buffers::take()
    } else {
        BytesMut::with_capacity(room)
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
