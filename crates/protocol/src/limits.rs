//! Every bound of the protocol with its unit, and why it is what it is. The server tells a client those that concern it
//! in `Hello`; where a server is configured otherwise, `Hello` is what counts.

use crate::v1;

/// Bytes of one command's frame: a text of the longest kind, escaped as badly as JSON can for usual text, and room
/// around it.
pub const COMMAND_BYTES_MAX: usize = 64 * 1024;

/// Bytes of one message from the server that a client accepts: a page of [`PAGE_BYTES_MAX`] in JSON, where a byte can
/// become six.
pub const SERVER_MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Bytes of a message's text in UTF-8: some 5,000 Korean syllables, more than a screen.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Characters (Unicode scalar values, after normalising) of a room's name: what fits a line of a list.
pub const ROOM_NAME_CHARS_MAX: usize = 64;

/// Characters (Unicode scalar values, after normalising) of a user's name: what fits in front of each line of a
/// terminal.
pub const USER_NAME_CHARS_MAX: usize = 32;

/// Characters that a password has at least: short enough to be typed, too many to guess at the pace that signing in
/// allows.
pub const PASSWORD_CHARS_MIN: usize = 8;

/// Bytes that a password has at most, so that hashing one cannot be made expensive.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Bytes of the `client` field of `Connect`: it goes into every log line of the session.
pub const CLIENT_NAME_BYTES_MAX: usize = 64;

/// Rooms open on one connection: their tops fit one heartbeat of less than 100 KiB.
pub const OPEN_ROOMS_MAX: usize = 500;

/// Commands of one connection that wait for an answer; the server stops reading above it.
pub const COMMANDS_IN_FLIGHT_MAX: usize = 32;

/// Commands that could not be read, on one connection, before it is closed: enough for typing by hand, little for
/// garbage.
pub const MALFORMED_COMMANDS_MAX: usize = 16;

/// Entries in one `LogPage`.
pub const LOG_PAGE_MAX: usize = 500;

/// Messages in one `MessagePage`: a few screens.
pub const MESSAGE_PAGE_MAX: usize = 100;

/// Bytes (as Protobuf) of the entries or messages of one page: a page ends before the one that would go over it, but
/// has at least one.
pub const PAGE_BYTES_MAX: usize = 256 * 1024;

/// Missed entries that `Open` sends by itself; over that the client pages with `Log`, at its own pace.
pub const RESUME_ENTRIES_MAX: usize = 500;

/// Rooms in one `RoomList`.
pub const ROOM_LIST_MAX: usize = 200;

/// Milliseconds between heartbeats: below the 30 s after which many proxies drop a silent connection.
pub const HEARTBEAT_MS: u32 = 25_000;

/// Milliseconds that a connection has for its `Connect`.
pub const CONNECT_TIMEOUT_MS: u32 = 10_000;

/// Milliseconds for which a connection may take no bytes at all before it is closed.
pub const SLOW_READER_TIMEOUT_MS: u32 = 10_000;

/// Bytes that wait to be sent on one connection; over that its rooms' streams end with `Lag`. Sixteen texts of the
/// longest kind.
pub const OUTBOX_BYTES_MAX: usize = 256 * 1024;

/// Mutating commands per second that one session may keep up.
pub const COMMAND_RATE_PER_S: u32 = 100;

/// Mutating commands that one session may send at once after a pause.
pub const COMMAND_BURST_MAX: u32 = 200;

impl v1::Limits {
    /// The limits of this module, as `Hello` tells them.
    pub fn standard() -> v1::Limits {
        v1::Limits {
            command_bytes_max: COMMAND_BYTES_MAX as u32,
            text_bytes_max: TEXT_BYTES_MAX as u32,
            room_name_chars_max: ROOM_NAME_CHARS_MAX as u32,
            open_rooms_max: OPEN_ROOMS_MAX as u32,
            commands_in_flight_max: COMMANDS_IN_FLIGHT_MAX as u32,
            log_page_max: LOG_PAGE_MAX as u32,
            message_page_max: MESSAGE_PAGE_MAX as u32,
            resume_entries_max: RESUME_ENTRIES_MAX as u32,
            room_list_max: ROOM_LIST_MAX as u32,
        }
    }
}
