//! What follows a broken rule, and what a close frame is told as.

use suda_websocket::{CloseCode, CloseError, Config, Event, Role, Violation};

use crate::pair::*;

/// Feeds `bytes` and expects the violation, exactly one close frame, and silence after it.
pub(crate) fn violates(role: Role, config: Config, bytes: &[u8], violation: Violation) {
    let mut connection = connection(role, config);
    connection.receive(bytes);
    assert_eq!(
        connection.poll_event(),
        Some(Event::Failed(violation)),
        "{bytes:x?}"
    );
    assert_eq!(connection.poll_event(), None);

    connection.receive(&frame_to(role, FIN | TEXT, b"too late"));
    connection.receive_eof();
    assert_eq!(connection.poll_event(), None, "what follows is ignored");
    assert!(connection.is_closing() && connection.is_ended());

    let code = violation.close_code().0;
    let frames = sent(&mut connection);
    assert_eq!(frames.len(), 1);
    assert_eq!(
        (frames[0].first, &frames[0].payload[..2]),
        (FIN | CLOSE, &code.to_be_bytes()[..])
    );
    assert_eq!(frames[0].masked, role == Role::Client);
}

pub(crate) fn breaks_protocol(role: Role, bytes: &[u8], violation: Violation) {
    assert_eq!(violation.close_code().0, 1002);
    violates(role, Config::default(), bytes, violation);
}

pub(crate) fn closed(code: u16, reason: &'static str) -> Event {
    Event::Closed(CloseError {
        code: CloseCode(code),
        reason: reason.into(),
    })
}
