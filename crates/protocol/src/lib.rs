//! What chat peers say to each other: the schema (`proto/suda/v1`), both of its codecs, the limits, and the table of
//! error and close codes.
//!
//! What doesn't live here: anything that decides or remembers (the engine), and anything that touches a socket. The
//! crate knows neither WebSockets nor a runtime.
//!
//! ```
//! use suda_protocol::{Codec, v1};
//!
//! let command = Codec::Json.decode_command(br#"{"id": 1, "join": {"room": "lobby"}}"#)?;
//! assert!(matches!(command.request, Some(v1::command::Request::Join(join)) if join.room == "lobby"));
//! # Ok::<(), suda_protocol::DecodeError>(())
//! ```

pub mod close;
mod codec;
mod decode_error;
pub mod error;
pub mod limits;
pub mod names;
mod tables;
/// The types of the schema, version 1.
pub mod v1;

pub use codec::{Codec, SUBPROTOCOL_JSON, SUBPROTOCOL_PROTO};
pub use decode_error::DecodeError;
pub use v1::{CloseCode, ErrorCode};
