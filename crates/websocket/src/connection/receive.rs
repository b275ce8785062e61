//! What arrives: bytes to frames to messages, every check on the way. It never touches what is to be sent.

mod compressed;

use bytes::{Buf, Bytes, BytesMut};

use super::{
    Part,
    inflating::Inflating,
    lone::{ReadTerms, whole},
};
use crate::{
    CloseCode, CloseError, Config, FRAGMENT_CONTENT_BYTES, Message, MessageKind, Role, Violation,
    frame::{self, Header, OpCode},
    mask,
    utf8::Utf8Validator,
};

/// How messages are given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    Whole,
    Parts,
}

#[derive(Debug)]
pub(super) enum Step {
    Message(Message),
    Part(Part),
    Ping(Bytes),
    Pong(Bytes),
    Closed(CloseError),
    Failed(Violation),
}

#[derive(Debug)]
pub(super) struct Receiver {
    role: Role,
    read_limit: usize,
    fragments_max: u32,
    /// What arrived and is not consumed. Inside a data frame it begins with that frame's payload.
    pub(super) input: BytesMut,
    pub(super) eof: bool,
    /// The data frame and the message that are arriving. There is none before the first that does not come whole at once, and it
    /// is kept for the next, so that connections with short messages pay nothing for it, and those with long ones only once.
    arriving: Option<Box<Arriving>>,
    /// About how many bytes the last data frame had that is all here, with its header.
    last_frame_bytes: usize,
    /// If compression was agreed on.
    inflating: Option<Box<Inflating>>,
    ended: bool,
}

#[derive(Debug, Default)]
struct Arriving {
    frame: Option<DataFrame>,
    message: Option<Assembly>,
}

/// The data frame whose payload is arriving.
#[derive(Debug)]
struct DataFrame {
    fin: bool,
    /// Of a compressed message.
    compressed: bool,
    mask: Option<[u8; 4]>,
    payload_len: usize,
    /// Payload bytes that left `input`.
    taken: usize,
    /// Payload bytes at the start of `input` that are unmasked and, if they are not compressed, checked.
    checked: usize,
}

/// The message whose frames are arriving.
#[derive(Debug)]
struct Assembly {
    kind: MessageKind,
    compressed: bool,
    utf8: Utf8Validator,
    /// Payload of the frames that are complete, until it is given out.
    data: BytesMut,
    /// Payload bytes of all its frames so far, the one at hand included.
    announced: usize,
    fragments: u64,
    /// Some of it was given out as a part: the rest can only follow as parts, or be skipped.
    in_parts: bool,
    /// The rest is checked but not given out.
    skipped: bool,
}

impl Receiver {
    pub(super) fn new(
        role: Role,
        config: &Config,
        input: BytesMut,
        inflating: Option<Box<Inflating>>,
    ) -> Self {
        Self {
            role,
            read_limit: config.read_limit,
            fragments_max: config.fragments_max,
            input,
            eof: false,
            arriving: None,
            last_frame_bytes: 0,
            inflating,
            ended: false,
        }
    }

    pub(super) fn role(&self) -> Role {
        self.role
    }

    pub(super) fn set_read_limit(&mut self, bytes: usize) {
        self.read_limit = bytes;
        if let Some(inflating) = &mut self.inflating {
            inflating.set_read_limit(bytes);
        }
    }

    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// See [`Connection::is_between_messages`](super::Connection::is_between_messages).
    #[cfg(feature = "tokio")]
    #[inline]
    pub(super) fn is_between_messages(&self) -> bool {
        !self.eof && !self.ended && self.nothing_arriving()
    }

    fn nothing_arriving(&self) -> bool {
        (self.arriving.as_ref())
            .is_none_or(|arriving| arriving.frame.is_none() && arriving.message.is_none())
    }

    /// What a message in one frame is judged by.
    #[inline]
    pub(super) fn terms(&self) -> ReadTerms {
        ReadTerms {
            role: self.role,
            read_limit: self.read_limit,
        }
    }

    pub(super) fn missing_bytes(&self) -> usize {
        self.frame().map_or(0, |frame| {
            (frame.payload_len - frame.taken).saturating_sub(self.input.len())
        })
    }

    /// See [`Connection::frame_bytes`](super::Connection::frame_bytes).
    #[cfg(feature = "tokio")]
    pub(super) fn frame_bytes(&self) -> usize {
        self.frame().map_or(0, |frame| frame.payload_len)
    }

    /// See [`Connection::last_frame_bytes`](super::Connection::last_frame_bytes).
    #[cfg(feature = "tokio")]
    pub(super) fn last_frame_bytes(&self) -> usize {
        self.last_frame_bytes
    }

    #[cfg(feature = "tokio")]
    pub(super) fn set_last_frame_bytes(&mut self, bytes: usize) {
        self.last_frame_bytes = bytes;
    }

    /// How many bytes the next read had best take: what is missing of the frame at hand, or a frame like the last one.
    #[cfg(feature = "tokio")]
    pub(super) fn expected_bytes(&self) -> usize {
        match self.missing_bytes() {
            0 => self.last_frame_bytes.saturating_sub(self.input.len()),
            missing => missing,
        }
    }

    /// Gives out nothing more of a message whose beginning was given out.
    pub(super) fn skip_message(&mut self) {
        if let Some(message) = self.message_mut() {
            message.skipped |= message.in_parts;
        }
    }

    fn frame(&self) -> Option<&DataFrame> {
        self.arriving.as_ref()?.frame.as_ref()
    }

    fn message(&self) -> Option<&Assembly> {
        self.arriving.as_ref()?.message.as_ref()
    }

    fn message_mut(&mut self) -> Option<&mut Assembly> {
        self.arriving.as_mut()?.message.as_mut()
    }

    pub(super) fn step(&mut self, delivery: Delivery) -> Option<Step> {
        if self.ended {
            self.input.clear();
            return None;
        }
        let step = match self.try_step(delivery) {
            Ok(None) if self.eof => Step::Closed(CloseError::abnormal()),
            Ok(step) => step?,
            Err(violation) => Step::Failed(violation),
        };
        if matches!(step, Step::Closed(_) | Step::Failed(_)) {
            self.ended = true;
            self.input = BytesMut::new();
            self.arriving = None;
            self.inflating = None;
        }
        Some(step)
    }

    fn try_step(&mut self, delivery: Delivery) -> Result<Option<Step>, Violation> {
        loop {
            if let Some(frame) = self.frame() {
                let progress = if frame.compressed {
                    self.advance_compressed_frame(delivery)?
                } else {
                    self.advance_frame(delivery)?
                };
                match progress {
                    Progress::Step(step) => return Ok(Some(step)),
                    Progress::Starved => return Ok(None),
                    Progress::FrameDone => continue,
                }
            }
            if delivery == Delivery::Whole
                && let Some(message) = self.take_lone()
            {
                return Ok(Some(Step::Message(message)));
            }
            let Some(header) =
                frame::parse_header(&self.input, self.role, self.inflating.is_some())?
            else {
                return Ok(None);
            };
            if header.op.is_control() {
                return self.control_frame(header);
            }
            self.begin_frame(header)?;
            if delivery == Delivery::Parts
                && let Some(arriving) = &mut self.arriving
                && let Some(message) = &mut arriving.message
                && !message.in_parts
            {
                message.in_parts = true;
                let data = match &mut self.inflating {
                    Some(inflating) if message.compressed => inflating.take_with(&[]),
                    _ => std::mem::take(&mut message.data).freeze(),
                };
                return Ok(Some(Step::Part(Part {
                    kind: message.kind,
                    data,
                    fin: false,
                })));
            }
        }
    }

    /// A control frame, once all of it is here.
    fn control_frame(&mut self, header: Header) -> Result<Option<Step>, Violation> {
        // At most 125: checked with the header.
        let payload_len = header.payload_len as usize;
        if self.input.len() < header.header_len + payload_len {
            return Ok(None);
        }
        self.input.advance(header.header_len);
        let mut payload = self.input.split_to(payload_len);
        if let Some(key) = header.mask {
            mask::apply(&mut payload, key, 0);
        }
        let payload = payload.freeze();
        Ok(Some(match header.op {
            OpCode::Ping => Step::Ping(payload),
            OpCode::Pong => Step::Pong(payload),
            _ => Step::Closed(parse_close(&payload)?),
        }))
    }

    /// The next message, if it is the next frame, all here, and needs nothing but to be unmasked and checked: the common case, which
    /// the long way through [`Self::begin_frame`] treats no differently.
    fn take_lone(&mut self) -> Option<Message> {
        if !self.nothing_arriving() {
            return None;
        }
        let before = self.input.len();
        let message = self.terms().take_lone(&mut self.input)?;
        self.last_frame_bytes = before - self.input.len();
        Some(message)
    }

    /// Judges a data frame by its header: its place in the message, and the limits, before its payload is read.
    fn begin_frame(&mut self, header: Header) -> Result<(), Violation> {
        let begun = self.message().map_or(0, |message| message.announced);
        let announced = u64::try_from(begun)
            .ok()
            .and_then(|begun| begun.checked_add(header.payload_len))
            .and_then(|announced| usize::try_from(announced).ok())
            .unwrap_or(usize::MAX);
        let arriving = self.arriving.get_or_insert_default();
        let compressed = match (&mut arriving.message, header.op) {
            (None, OpCode::Continuation) => return Err(Violation::UnexpectedContinuation),
            (Some(_), OpCode::Text | OpCode::Binary) => {
                return Err(Violation::ExpectedContinuation);
            }
            (Some(message), _) => {
                let content = match &self.inflating {
                    Some(inflating) if message.compressed => inflating.inflated(),
                    _ => begun,
                };
                let earned = (content / FRAGMENT_CONTENT_BYTES) as u64;
                message.fragments += 1;
                if message.fragments > u64::from(self.fragments_max) + earned {
                    return Err(Violation::TooManyFragments);
                }
                message.announced = announced;
                message.compressed
            }
            (None, op) => {
                let kind = if op == OpCode::Text {
                    MessageKind::Text
                } else {
                    MessageKind::Binary
                };
                arriving.message = Some(Assembly {
                    kind,
                    compressed: header.compressed,
                    utf8: Utf8Validator::default(),
                    data: BytesMut::new(),
                    announced,
                    fragments: 1,
                    in_parts: false,
                    skipped: false,
                });
                header.compressed
            }
        };
        let announced_max = match &self.inflating {
            Some(inflating) if compressed => inflating.compressed_bytes_max(),
            _ => self.read_limit,
        };
        if announced > announced_max {
            return Err(Violation::TooLong);
        }
        // Where the limit is all that an address can say, the length may still be more.
        let payload_len = usize::try_from(header.payload_len).map_err(|_| Violation::TooLong)?;
        self.input.advance(header.header_len);
        arriving.frame = Some(DataFrame {
            fin: header.fin,
            compressed,
            mask: header.mask,
            payload_len,
            taken: 0,
            checked: 0,
        });
        Ok(())
    }

    /// Goes on with the frame at hand as far as its payload is here.
    fn advance_frame(&mut self, delivery: Delivery) -> Result<Progress, Violation> {
        let Some(arriving) = &mut self.arriving else {
            return Ok(Progress::Starved);
        };
        let (Some(frame), Some(message)) = (&mut arriving.frame, &mut arriving.message) else {
            return Ok(Progress::Starved);
        };
        let available = self.input.len().min(frame.payload_len - frame.taken);
        let complete = frame.taken + available == frame.payload_len;
        let fresh = &mut self.input[frame.checked..available];
        if let Some(key) = frame.mask {
            mask::apply(fresh, key, frame.taken + frame.checked);
        }
        if message.kind == MessageKind::Text {
            let whole_at_once =
                fresh.len() == frame.payload_len && frame.fin && message.fragments == 1;
            check_text(
                &mut message.utf8,
                fresh,
                whole_at_once,
                complete && frame.fin,
            )?;
        }
        frame.checked = available;

        let in_parts = delivery == Delivery::Parts || message.in_parts;
        if !complete && (!in_parts || available == 0 && message.data.is_empty()) {
            return Ok(Progress::Starved);
        }
        let payload = self.input.split_to(available);
        frame.taken += available;
        frame.checked = 0;
        let (kind, fin) = (message.kind, complete && frame.fin);
        if complete {
            self.last_frame_bytes = frame.payload_len + frame::HEADER_BYTES_MAX;
            arriving.frame = None;
        }
        if in_parts {
            message.skipped |= delivery == Delivery::Whole;
            message.in_parts = true;
            let skipped = message.skipped;
            let data = join(&mut message.data, payload).freeze();
            if fin {
                arriving.message = None;
            }
            return Ok(match (skipped, complete, data.is_empty() && !fin) {
                (false, _, false) => Progress::Step(Step::Part(Part { kind, data, fin })),
                (_, true, _) => Progress::FrameDone,
                (_, false, _) => Progress::Starved,
            });
        }
        if !fin {
            // A copy, also of the first: the rest may be long in coming, and the read buffer would be kept for so long.
            message.data.extend_from_slice(&payload);
            return Ok(Progress::FrameDone);
        }
        let data = join(&mut message.data, payload);
        arriving.message = None;
        Ok(Progress::Step(Step::Message(whole(kind, data.freeze()))))
    }
}

enum Progress {
    Step(Step),
    /// More bytes are needed.
    Starved,
    /// The frame is consumed and gave nothing out.
    FrameDone,
}

/// What was assembled and what follows it; without a copy if nothing was assembled.
fn join(assembled: &mut BytesMut, payload: BytesMut) -> BytesMut {
    let mut data = std::mem::take(assembled);
    if data.is_empty() {
        return payload;
    }
    data.extend_from_slice(&payload);
    data
}

fn check_text(
    utf8: &mut Utf8Validator,
    fresh: &[u8],
    whole_at_once: bool,
    ends: bool,
) -> Result<(), Violation> {
    if whole_at_once {
        // The common case: nothing to remember, so the fastest check does.
        return simdutf8::basic::from_utf8(fresh)
            .map(drop)
            .map_err(|_| Violation::InvalidUtf8);
    }
    utf8.feed(fresh).map_err(|_| Violation::InvalidUtf8)?;
    if ends {
        utf8.finish().map_err(|_| Violation::InvalidUtf8)
    } else {
        Ok(())
    }
}

/// A close frame's payload (section 5.5.1): empty, or a code and a reason.
fn parse_close(payload: &Bytes) -> Result<CloseError, Violation> {
    if payload.is_empty() {
        return Ok(CloseError {
            code: CloseCode::NO_STATUS_RECEIVED,
            reason: Box::default(),
        });
    }
    let Some((code, _)) = payload.split_first_chunk::<2>() else {
        return Err(Violation::BadClose);
    };
    let code = CloseCode(u16::from_be_bytes(*code));
    if !code.is_sendable() {
        return Err(Violation::BadClose);
    }
    let reason = simdutf8::basic::from_utf8(&payload[2..]).map_err(|_| Violation::InvalidUtf8)?;
    Ok(CloseError {
        code,
        reason: reason.into(),
    })
}
