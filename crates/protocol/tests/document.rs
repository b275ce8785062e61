//! The tables in `docs/protocol.md` say what the schema and the limits say.

use suda_protocol::limits::*;
use suda_protocol::{CloseCode, ErrorCode};

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "" }
}

fn errors() -> String {
    let mut table = String::from("| name | HTTP | retryable | |\n|---|---|---|---|\n");
    for code in ErrorCode::all().skip(1) {
        let (name, status, message) = (code.name(), code.http_status(), code.message());
        table += &format!(
            "| `{name}` | {status} | {} | {message} |\n",
            yes(code.retryable())
        );
    }
    table
}

fn closes() -> String {
    let mut table = String::from("| code | name | come back | |\n|---|---|---|---|\n");
    for code in CloseCode::all().skip(1) {
        let (number, name, message) = (code.number(), code.name(), code.message());
        table += &format!(
            "| {number} | `{name}` | {} | {message} |\n",
            yes(code.come_back())
        );
    }
    table
}

fn limits() -> String {
    let rows = [
        ("bytes of a command", COMMAND_BYTES_MAX),
        ("bytes of a message's text (UTF-8)", TEXT_BYTES_MAX),
        ("characters of a room's name", ROOM_NAME_CHARS_MAX),
        ("characters of a user's name", USER_NAME_CHARS_MAX),
        (
            "characters that a password has at least",
            PASSWORD_CHARS_MIN,
        ),
        ("bytes that a password has at most", PASSWORD_BYTES_MAX),
        ("rooms open on one connection", OPEN_ROOMS_MAX),
        (
            "commands of one connection without an answer; more wait unread",
            COMMANDS_IN_FLIGHT_MAX,
        ),
        (
            "commands that change something, per second and session",
            COMMAND_RATE_PER_S as usize,
        ),
        (
            "the same at once, after a pause",
            COMMAND_BURST_MAX as usize,
        ),
        (
            "commands of one connection that could not be read, before it closes",
            MALFORMED_COMMANDS_MAX,
        ),
        (
            "missed entries that `open` sends by itself",
            RESUME_ENTRIES_MAX,
        ),
        ("entries in a log page", LOG_PAGE_MAX),
        ("messages in a message page", MESSAGE_PAGE_MAX),
        (
            "bytes of a page's entries or messages, as Protobuf",
            PAGE_BYTES_MAX,
        ),
        ("rooms in a room list", ROOM_LIST_MAX),
        ("milliseconds between heartbeats", HEARTBEAT_MS as usize),
        (
            "milliseconds for the `connect` command",
            CONNECT_TIMEOUT_MS as usize,
        ),
        (
            "milliseconds for which a connection may take nothing",
            SLOW_READER_TIMEOUT_MS as usize,
        ),
        (
            "bytes waiting for one connection before its rooms lag",
            OUTBOX_BYTES_MAX,
        ),
        ("bytes of a server's message", SERVER_MESSAGE_BYTES_MAX),
    ];
    let mut table = String::from("| at most, unless said otherwise | |\n|---|---|\n");
    for (what, limit) in rows {
        table += &format!("| {what} | {limit} |\n");
    }
    table
}

#[test]
fn the_documents_tables_are_those_of_the_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol.md");
    let document = std::fs::read_to_string(path).expect("the document is there");
    for table in [errors(), closes(), limits()] {
        assert!(
            document.contains(&table),
            "docs/protocol.md lacks this table:\n\n{table}"
        );
    }
}
