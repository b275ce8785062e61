//! The two encodings of the schema, one per subprotocol. Reading is total: any bytes give a value or a [`DecodeError`].

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::DecodeError;
use crate::limits::COMMAND_BYTES_MAX;
use crate::v1::{self, Command, Entry, ServerMessage};

/// The subprotocol whose messages are Protobuf in binary messages.
pub const SUBPROTOCOL_PROTO: &str = "suda.v1.proto";
/// The subprotocol whose messages are the schema's JSON mapping in text messages.
pub const SUBPROTOCOL_JSON: &str = "suda.v1.json";

/// Fields of `ServerMessage` and `Push` that [`Codec::encode_entry_push`] writes by hand.
const SERVER_MESSAGE_PUSH: u32 = 2;
const PUSH_ENTRY: u32 = 1;

/// How messages are written on a connection. Chosen by the subprotocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Protobuf, one message per binary WebSocket message.
    Proto,
    /// The canonical JSON mapping of Protobuf, one object per text WebSocket message: 64-bit numbers are written as
    /// strings and read as either, names in lowerCamelCase and read in snake_case too, unknown fields ignored.
    Json,
}

impl Codec {
    /// Both codecs, the preferred first.
    pub const ALL: [Codec; 2] = [Codec::Proto, Codec::Json];

    /// The codec of a subprotocol; none for a name that is not ours.
    pub fn from_subprotocol(name: &str) -> Option<Codec> {
        Codec::ALL
            .into_iter()
            .find(|codec| codec.subprotocol() == name)
    }

    /// The codec's name in `Sec-WebSocket-Protocol`.
    pub fn subprotocol(self) -> &'static str {
        match self {
            Codec::Proto => SUBPROTOCOL_PROTO,
            Codec::Json => SUBPROTOCOL_JSON,
        }
    }

    /// Whether it travels in text messages; else in binary ones.
    pub fn is_text(self) -> bool {
        self == Codec::Json
    }

    /// Reads a command. The result has an id of at least 1 and a request.
    pub fn decode_command(self, bytes: &[u8]) -> Result<Command, DecodeError> {
        if bytes.len() > COMMAND_BYTES_MAX {
            return Err(DecodeError::TooLarge { bytes: bytes.len() });
        }
        let command: Command = self.decode(bytes)?;
        match command {
            Command { id: 0, .. } => Err(DecodeError::NoId),
            Command { id, request: None } => Err(DecodeError::NoRequest { id }),
            command => Ok(command),
        }
    }

    /// Reads a server's message. Its `kind`, or the kind within, is none where this version doesn't know it; that is to
    /// be ignored.
    pub fn decode_server_message(self, bytes: &[u8]) -> Result<ServerMessage, DecodeError> {
        self.decode(bytes)
    }

    /// Writes a command.
    pub fn encode_command(self, command: &Command) -> Bytes {
        match self {
            Codec::Proto => command.encode_to_vec().into(),
            Codec::Json => to_json(command),
        }
    }

    /// Writes a server's message. A number that its enum doesn't have becomes that enum's zero in JSON.
    pub fn encode_server_message(self, message: &ServerMessage) -> Bytes {
        match self {
            Codec::Proto => message.encode_to_vec().into(),
            Codec::Json => match unknown_enums_zeroed(message) {
                Some(message) => to_json(&message),
                None => to_json(message),
            },
        }
    }

    /// Writes `ServerMessage{push{entry}}` around an entry without copying it into such a message first: once per codec
    /// for all who receive it.
    pub fn encode_entry_push(self, entry: &Entry) -> Bytes {
        match self {
            Codec::Proto => {
                let entry_bytes = entry.encoded_len();
                // Both field numbers are below 16, so that a key takes one byte.
                let push_bytes = 1 + encoded_len_varint(entry_bytes as u64) + entry_bytes;
                let mut buf =
                    BytesMut::with_capacity(1 + encoded_len_varint(push_bytes as u64) + push_bytes);
                encode_key(SERVER_MESSAGE_PUSH, WireType::LengthDelimited, &mut buf);
                encode_varint(push_bytes as u64, &mut buf);
                encode_key(PUSH_ENTRY, WireType::LengthDelimited, &mut buf);
                encode_varint(entry_bytes as u64, &mut buf);
                entry.encode_raw(&mut buf);
                buf.freeze()
            }
            Codec::Json => {
                let entry = to_json(entry);
                let mut buf = BytesMut::with_capacity(entry.len() + 24);
                buf.put_slice(br#"{"push":{"entry":"#);
                buf.put_slice(&entry);
                buf.put_slice(b"}}");
                buf.freeze()
            }
        }
    }

    fn decode<T: prost::Message + DeserializeOwned + Default>(
        self,
        bytes: &[u8],
    ) -> Result<T, DecodeError> {
        match self {
            Codec::Proto => T::decode(bytes).map_err(|error| DecodeError::Proto {
                message: error.to_string(),
            }),
            Codec::Json => serde_json::from_slice(bytes).map_err(|error| DecodeError::Json {
                message: error.to_string(),
                line: error.line(),
                column: error.column(),
                id: id_of(bytes),
            }),
        }
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Bytes {
    // The mapping fails on nothing but an enum number without a name, and those were replaced.
    serde_json::to_vec(value)
        .expect("the schema's types have a JSON mapping")
        .into()
}

/// The id of a JSON command whose rest is wrong, so that its author sees which one it was; 0 where even that can't be
/// read.
fn id_of(bytes: &[u8]) -> u64 {
    #[derive(Deserialize)]
    struct OnlyId {
        id: serde_json::Value,
    }
    let Ok(OnlyId { id }) = serde_json::from_slice(bytes) else {
        return 0;
    };
    id.as_u64()
        .or_else(|| id.as_str()?.parse().ok())
        .unwrap_or(0)
}

/// The message with enum numbers that have no name set to 0; none where all have names, which is nearly always.
fn unknown_enums_zeroed(message: &ServerMessage) -> Option<ServerMessage> {
    use v1::reply::Result as Answer;
    use v1::server_message::Kind;
    let Some(Kind::Reply(reply)) = &message.kind else {
        return None;
    };
    let answer = match reply.result.as_ref()? {
        Answer::Error(error) if v1::ErrorCode::try_from(error.code).is_err() => {
            Answer::Error(v1::Error {
                code: 0,
                ..error.clone()
            })
        }
        Answer::Opened(opened) if v1::Continuity::try_from(opened.continuity).is_err() => {
            Answer::Opened(v1::Opened {
                continuity: 0,
                ..opened.clone()
            })
        }
        _ => return None,
    };
    Some(ServerMessage {
        kind: Some(Kind::Reply(v1::Reply {
            id: reply.id,
            result: Some(answer),
        })),
    })
}
