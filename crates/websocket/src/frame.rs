//! Frame headers (RFC 6455, section 5.2): encoding, and parsing with every check that needs the header alone.

use bytes::{BufMut, BytesMut};

use crate::{MessageKind, Role, Violation};

/// Longest header: two bytes, eight of length, four of mask.
pub(crate) const HEADER_BYTES_MAX: usize = 14;
/// Longest frame that is written past the queue, in bytes: a payload of 4 KiB and the header that a server gives it.
#[cfg(feature = "tokio")]
pub(crate) const SHORT_FRAME_BYTES_MAX: usize = 4 + (4 << 10);
/// Longest payload of a control frame, in bytes (section 5.5).
pub const CONTROL_PAYLOAD_BYTES_MAX: usize = 125;
const RSV1: u8 = 0x40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpCode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl OpCode {
    pub(crate) fn of(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Text => Self::Text,
            MessageKind::Binary => Self::Binary,
        }
    }

    fn parse(bits: u8) -> Result<Self, Violation> {
        Ok(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            other => return Err(Violation::UnknownOpCode(other)),
        })
    }

    fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    pub(crate) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// How a frame of a message begins: its opcode, and whether it is the first of a compressed message (RFC 7692, section 6).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lead {
    pub(crate) op: OpCode,
    pub(crate) compressed: bool,
}

impl Lead {
    /// Only the first frame says what the message is.
    pub(crate) const CONTINUATION: Self = Self {
        op: OpCode::Continuation,
        compressed: false,
    };

    /// The first frame of a message as it is.
    pub(crate) fn plain(kind: MessageKind) -> Self {
        OpCode::of(kind).into()
    }

    /// The first frame of a compressed message.
    pub(crate) fn compressed(kind: MessageKind) -> Self {
        Self {
            op: OpCode::of(kind),
            compressed: true,
        }
    }
}

impl From<OpCode> for Lead {
    fn from(op: OpCode) -> Self {
        Self {
            op,
            compressed: false,
        }
    }
}

/// A parsed and checked header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub(crate) fin: bool,
    /// RSV1: the first frame of a compressed message.
    pub(crate) compressed: bool,
    pub(crate) op: OpCode,
    pub(crate) mask: Option<[u8; 4]>,
    pub(crate) payload_len: u64,
    /// Bytes that the header itself takes.
    pub(crate) header_len: usize,
}

/// Reads a header at the start of `bytes`, as `role` receives it. `None` while more bytes are needed; what the bytes at
/// hand already rule out fails without waiting for the rest. `deflate`: compression was agreed on.
pub(crate) fn parse_header(
    bytes: &[u8],
    role: Role,
    deflate: bool,
) -> Result<Option<Header>, Violation> {
    let &[first, second, ref rest @ ..] = bytes else {
        return Ok(None);
    };
    check_reserved_bits(first, deflate)?;
    let fin = first & 0x80 != 0;
    let op = OpCode::parse(first & 0x0f)?;
    let masked = second & 0x80 != 0;
    let short_len = second & 0x7f;
    if op.is_control() {
        if !fin {
            return Err(Violation::FragmentedControl);
        }
        if usize::from(short_len) > CONTROL_PAYLOAD_BYTES_MAX {
            return Err(Violation::LongControl);
        }
    }
    match (role, masked) {
        (Role::Server, false) => return Err(Violation::Unmasked),
        (Role::Client, true) => return Err(Violation::Masked),
        _ => {}
    }
    let (payload_len, rest, len_bytes) = match short_len {
        126 => {
            let Some((len, rest)) = rest.split_first_chunk::<2>() else {
                return Ok(None);
            };
            let len = u64::from(u16::from_be_bytes(*len));
            if len < 126 {
                return Err(Violation::BadLength);
            }
            (len, rest, 2)
        }
        127 => {
            let Some((len, rest)) = rest.split_first_chunk::<8>() else {
                return Ok(None);
            };
            let len = u64::from_be_bytes(*len);
            if len <= u64::from(u16::MAX) || len >> 63 != 0 {
                return Err(Violation::BadLength);
            }
            (len, rest, 8)
        }
        len => (u64::from(len), rest, 0),
    };
    let mask = if masked {
        let Some(key) = rest.first_chunk::<4>() else {
            return Ok(None);
        };
        Some(*key)
    } else {
        None
    };
    let header_len = 2 + len_bytes + if masked { 4 } else { 0 };
    Ok(Some(Header {
        fin,
        compressed: first & RSV1 != 0,
        op,
        mask,
        payload_len,
        header_len,
    }))
}

/// A frame that is a whole message, not compressed, and all here.
pub(crate) struct Lone {
    pub(crate) kind: MessageKind,
    pub(crate) mask: Option<[u8; 4]>,
    pub(crate) payload_len: usize,
    pub(crate) header_len: usize,
}

/// The frame at the start of `bytes`, if it is such a one: what most are. Of all others, also of those that break a rule,
/// [`parse_header`] has to tell.
#[inline]
pub(crate) fn parse_lone(bytes: &[u8], role: Role) -> Option<Lone> {
    let &[first, second, ref rest @ ..] = bytes else {
        return None;
    };
    let kind = match first {
        0x81 => MessageKind::Text,
        0x82 => MessageKind::Binary,
        _ => return None,
    };
    let masked = second & 0x80 != 0;
    if masked != (role == Role::Server) {
        return None;
    }
    let (payload_len, rest) = match second & 0x7f {
        127 => {
            let (len, rest) = rest.split_first_chunk::<8>()?;
            let len = u64::from_be_bytes(*len);
            if len <= u64::from(u16::MAX) {
                return None;
            }
            (usize::try_from(len).ok()?, rest)
        }
        126 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            let len = u16::from_be_bytes(*len);
            if len < 126 {
                return None;
            }
            (usize::from(len), rest)
        }
        len => (usize::from(len), rest),
    };
    let (mask, rest) = if masked {
        let (key, rest) = rest.split_first_chunk::<4>()?;
        (Some(*key), rest)
    } else {
        (None, rest)
    };
    (payload_len <= rest.len()).then_some(Lone {
        kind,
        mask,
        payload_len,
        header_len: bytes.len() - rest.len(),
    })
}

/// The one place that judges RSV1–3. RSV1 may stand at the start of a message if compression was agreed on (RFC 7692,
/// section 6); else each must be 0.
fn check_reserved_bits(first: u8, deflate: bool) -> Result<(), Violation> {
    if first & 0x70 == 0 || (deflate && first & 0x70 == RSV1 && matches!(first & 0x0f, 0x1 | 0x2)) {
        Ok(())
    } else {
        Err(Violation::ReservedBits)
    }
}

/// Appends a header to `out`.
pub(crate) fn encode_header(
    out: &mut BytesMut,
    fin: bool,
    lead: Lead,
    mask: Option<[u8; 4]>,
    payload_len: usize,
) {
    let first =
        if fin { 0x80 } else { 0 } | if lead.compressed { RSV1 } else { 0 } | lead.op.bits();
    let mask_bit = if mask.is_some() { 0x80 } else { 0 };
    // Arrays of known length: a copy of two or four bytes is one instruction instead of a call.
    match payload_len {
        0..=125 => out.put_slice(&[first, mask_bit | payload_len as u8]),
        126..=0xffff => {
            let [high, low] = (payload_len as u16).to_be_bytes();
            out.put_slice(&[first, mask_bit | 126, high, low]);
        }
        _ => {
            out.put_slice(&[first, mask_bit | 127]);
            out.put_slice(&(payload_len as u64).to_be_bytes());
        }
    }
    if let Some(key) = mask {
        out.put_slice(&key);
    }
}

/// The header of a server's frame, all of a message that is not compressed.
#[cfg(feature = "tokio")]
pub(crate) struct ServerHeader {
    bytes: [u8; Self::BYTES_MAX],
    len: usize,
}

#[cfg(feature = "tokio")]
impl ServerHeader {
    const BYTES_MAX: usize = 10;

    pub(crate) fn new(kind: MessageKind, payload_len: usize) -> Self {
        let mut bytes = [0; Self::BYTES_MAX];
        bytes[0] = 0x80 | OpCode::of(kind).bits();
        let len = match payload_len {
            0..=125 => {
                bytes[1] = payload_len as u8;
                2
            }
            126..=0xffff => {
                bytes[1] = 126;
                bytes[2..4].copy_from_slice(&(payload_len as u16).to_be_bytes());
                4
            }
            _ => {
                bytes[1] = 127;
                bytes[2..].copy_from_slice(&(payload_len as u64).to_be_bytes());
                Self::BYTES_MAX
            }
        };
        Self { bytes, len }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Writes a server's frame, all of a message, into `frame`, and gives its length; none if it does not fit.
#[cfg(feature = "tokio")]
#[inline]
pub(crate) fn write_short(
    lead: Lead,
    payload: &[u8],
    frame: &mut [u8; SHORT_FRAME_BYTES_MAX],
) -> Option<usize> {
    let header_bytes = if payload.len() <= 125 {
        frame[1] = payload.len() as u8;
        2
    } else {
        let [high, low] = u16::try_from(payload.len()).ok()?.to_be_bytes();
        frame[1..4].copy_from_slice(&[126, high, low]);
        4
    };
    frame[0] = 0x80 | if lead.compressed { RSV1 } else { 0 } | lead.op.bits();
    let frame_bytes = header_bytes + payload.len();
    frame
        .get_mut(header_bytes..frame_bytes)?
        .copy_from_slice(payload);
    Some(frame_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_encoded_is_parsed_at_every_length_boundary() {
        for len in [0, 1, 125, 126, 127, 0xffff, 0x1_0000, 1 << 40] {
            for mask in [None, Some([1, 2, 3, 4])] {
                let role = if mask.is_some() {
                    Role::Server
                } else {
                    Role::Client
                };
                let mut bytes = BytesMut::new();
                encode_header(&mut bytes, true, OpCode::Binary.into(), mask, len);
                for cut in 0..bytes.len() {
                    assert!(
                        parse_header(&bytes[..cut], role, false).unwrap().is_none(),
                        "cut at {cut}"
                    );
                }
                let header = parse_header(&bytes, role, false).unwrap().unwrap();
                assert_eq!(
                    (header.payload_len, header.mask, header.header_len),
                    (len as u64, mask, bytes.len())
                );
                assert!(header.fin && header.op == OpCode::Binary);
            }
        }
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn a_servers_header_is_what_is_encoded_for_it() {
        for len in [0, 125, 126, 0xffff, 0x1_0000, 1 << 40] {
            for kind in [MessageKind::Text, MessageKind::Binary] {
                let mut bytes = BytesMut::new();
                encode_header(&mut bytes, true, Lead::plain(kind), None, len);
                assert_eq!(ServerHeader::new(kind, len).as_bytes(), bytes);
            }
        }
    }

    /// Bytes of which many are frames.
    fn frame_like() -> impl Strategy<Value = Vec<u8>> {
        let first = prop_oneof![Just(0x81), Just(0x82), any::<u8>()];
        let lens = prop_oneof![0usize..140, Just(0xffff), Just(0x1_0000)];
        (first, any::<bool>(), lens, 0usize..20, any::<[u8; 8]>()).prop_map(
            |(first, masked, len, cut, noise)| {
                let mut bytes = BytesMut::new();
                let key = masked.then_some([1, 2, 3, 4]);
                encode_header(&mut bytes, true, OpCode::Binary.into(), key, len);
                bytes[0] = first;
                bytes.resize(bytes.len() + len, noise[0]);
                bytes.truncate(bytes.len().saturating_sub(cut));
                if cut > 15 {
                    // A length that is told with more bytes than it needs, or anything at all.
                    for (byte, noise) in bytes.iter_mut().zip(noise).skip(1) {
                        *byte = noise;
                    }
                }
                bytes.to_vec()
            },
        )
    }

    proptest! {
        /// What the short way takes, and what it leaves, is what the long way says.
        #[test]
        fn a_lone_frame_is_what_its_header_says(bytes in frame_like(), server: bool) {
            let role = if server { Role::Server } else { Role::Client };
            let header = parse_header(&bytes, role, false).ok().flatten();
            let lone = header.filter(|header| {
                let ends = header.header_len as u64 + header.payload_len;
                header.fin
                    && matches!(header.op, OpCode::Text | OpCode::Binary)
                    && ends <= bytes.len() as u64
            });
            match (parse_lone(&bytes, role), lone) {
                (None, None) => {}
                (Some(lone), Some(header)) => {
                    prop_assert_eq!(OpCode::of(lone.kind), header.op);
                    prop_assert_eq!(lone.mask, header.mask);
                    prop_assert_eq!(lone.payload_len as u64, header.payload_len);
                    prop_assert_eq!(lone.header_len, header.header_len);
                }
                (lone, header) => prop_assert!(false, "{} {:?}", lone.is_some(), header),
            }
        }
    }
}
