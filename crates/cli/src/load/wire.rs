//! Reading what the server pushes without building the whole message: there are many receivers for each post, and a generator
//! that is slower than the server measures itself.

use suda_protocol::Codec;
use suda_protocol::v1::server_message::Kind;
use suda_protocol::v1::{self, ServerMessage, entry::What, push::Event};
use uuid::Uuid;

/// A message from the server, as far as the generator needs it.
#[derive(Debug)]
pub(super) enum Incoming<'a> {
    Entry(Delivery<'a>),
    /// Anything else.
    Other(ServerMessage),
}

/// An entry's place and text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delivery<'a> {
    /// The room's id, as text.
    pub(super) room: &'a str,
    pub(super) seq: u64,
    pub(super) id: u128,
    /// What was said; empty for what is no message.
    pub(super) text: &'a str,
}

impl<'a> Delivery<'a> {
    /// The same of an entry that was read the long way.
    pub(super) fn of(entry: &'a v1::Entry) -> Option<Delivery<'a>> {
        Some(Delivery {
            room: &entry.room,
            seq: entry.seq,
            id: id(&entry.id)?,
            text: match &entry.what {
                Some(What::MessagePosted(posted)) => &posted.text,
                _ => "",
            },
        })
    }
}

/// An entry's id as a number.
pub(super) fn id(text: &str) -> Option<u128> {
    Uuid::try_parse(text).ok().map(|id| id.as_u128())
}

/// Reads a message; none where it cannot be read.
pub(super) fn read(codec: Codec, bytes: &[u8]) -> Option<Incoming<'_>> {
    if codec == Codec::Proto
        && let Some(delivery) = pushed_entry(bytes)
    {
        return Some(Incoming::Entry(delivery));
    }
    codec.decode_server_message(bytes).ok().map(Incoming::Other)
}

/// The entry of a message that has been read.
pub(super) fn entry_of(message: &ServerMessage) -> Option<&v1::Entry> {
    match &message.kind {
        Some(Kind::Push(v1::Push {
            event: Some(Event::Entry(entry)),
        })) => Some(entry),
        _ => None,
    }
}

/// `ServerMessage{push{entry}}`, field by field; none for any other message.
fn pushed_entry(bytes: &[u8]) -> Option<Delivery<'_>> {
    let push = only_field(bytes, 2)?;
    let entry = only_field(push, 1)?;
    let (mut room, mut seq, mut entry_id, mut text) = ("", 0, None, "");
    let mut rest = entry;
    while !rest.is_empty() {
        match field(&mut rest)? {
            (1, Value::Bytes(bytes)) => room = std::str::from_utf8(bytes).ok()?,
            (2, Value::Number(number)) => seq = number,
            (3, Value::Bytes(bytes)) => entry_id = id(std::str::from_utf8(bytes).ok()?),
            (13, Value::Bytes(mut posted)) => {
                while !posted.is_empty() {
                    if let (1, Value::Bytes(bytes)) = field(&mut posted)? {
                        text = std::str::from_utf8(bytes).ok()?;
                    }
                }
            }
            _ => {}
        }
    }
    Some(Delivery {
        room,
        seq,
        id: entry_id?,
        text,
    })
}

/// The bytes of a message's only field, if it is that one.
fn only_field(mut bytes: &[u8], number: u64) -> Option<&[u8]> {
    match field(&mut bytes)? {
        (found, Value::Bytes(value)) if found == number && bytes.is_empty() => Some(value),
        _ => None,
    }
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The next field. The schema's entries have none of a fixed width, so those are not read here.
fn field<'a>(bytes: &mut &'a [u8]) -> Option<(u64, Value<'a>)> {
    let key = varint(bytes)?;
    let value = match key & 7 {
        0 => Value::Number(varint(bytes)?),
        2 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            let (value, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            Value::Bytes(value)
        }
        _ => return None,
    };
    Some((key >> 3, value))
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted() -> v1::Entry {
        v1::Entry {
            room: Uuid::from_u128(1).to_string(),
            seq: 300,
            id: Uuid::from_u128(2).to_string(),
            author: Uuid::from_u128(3).to_string(),
            author_name: "하늘".to_owned(),
            at_ms: 1_700_000_000_000,
            what: Some(What::MessagePosted(v1::MessagePosted {
                text: "안녕 ".repeat(40),
                reply_to: 7,
            })),
        }
    }

    #[test]
    fn the_short_way_reads_what_the_long_way_reads() {
        let joined = v1::Entry {
            what: Some(What::MemberJoined(v1::MemberJoined {})),
            ..posted()
        };
        for entry in [posted(), joined] {
            let bytes = Codec::Proto.encode_entry_push(&entry);
            let Some(Incoming::Entry(short)) = read(Codec::Proto, &bytes) else {
                panic!("the short way was not taken");
            };
            assert_eq!(Some(short), Delivery::of(&entry));
        }
    }

    #[test]
    fn json_takes_the_long_way() {
        let bytes = Codec::Json.encode_entry_push(&posted());
        let Some(Incoming::Other(message)) = read(Codec::Json, &bytes) else {
            panic!("read in another way");
        };
        assert_eq!(entry_of(&message), Some(&posted()));
    }

    #[test]
    fn everything_else_is_read_the_long_way_and_garbage_not_at_all() {
        let message = ServerMessage {
            kind: Some(Kind::Push(v1::Push {
                event: Some(Event::Heartbeat(v1::Heartbeat::default())),
            })),
        };
        let bytes = Codec::Proto.encode_server_message(&message);
        assert!(matches!(
            read(Codec::Proto, &bytes),
            Some(Incoming::Other(read)) if read == message
        ));
        let bytes = Codec::Proto.encode_entry_push(&posted());
        for length in 0..bytes.len() {
            assert!(pushed_entry(&bytes[..length]).is_none(), "{length}");
        }
        assert!(read(Codec::Proto, &[0xff; 20]).is_none());
    }
}
