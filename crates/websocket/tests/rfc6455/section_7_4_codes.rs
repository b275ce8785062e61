//! Close codes (RFC 6455, section 7.4).

use suda_websocket::{CloseCode, Config, SendError, Violation};

use crate::pair::*;
use crate::violating::breaks_protocol;
use crate::violating::closed;

both_roles! {
    fn only_codes_and_reasons_that_may_be_sent_are_taken(role) {
        let mut connection = connection(role, Config::default());
        for code in [0, 999, 1004, 1006, 1015, 2999, 5000] {
            assert_eq!(connection.close(CloseCode(code), ""), Err(SendError::BadCloseCode));
        }
        assert_eq!(connection.close(CloseCode::NORMAL, &"x".repeat(124)), Err(SendError::ReasonTooLong));
        assert_eq!(connection.buffered(), 0);
        connection.close(CloseCode(4000), &"x".repeat(123)).unwrap();
        assert_eq!(sent(&mut connection)[0].payload.len(), 125);
    }

    fn close_codes_that_must_not_be_sent_fail(role) {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
            breaks_protocol(role, &frame_to(role, FIN | CLOSE, &close_payload(code, b"")), Violation::BadClose);
        }
    }

    fn every_code_that_may_be_sent_is_taken_from_the_peer(role) {
        for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
            let mut connection = connection(role, Config::default());
            connection.receive(&frame_to(role, FIN | CLOSE, &close_payload(code, b"")));
            assert_eq!(events(&mut connection), [closed(code, "")]);
        }
    }

    fn a_close_frame_can_be_sent_without_a_code(role) {
        let mut connection = connection(role, Config::default());
        connection.close(CloseCode::NO_STATUS_RECEIVED, "").unwrap();
        let frames = sent(&mut connection);
        assert_eq!((frames[0].first, &frames[0].payload[..]), (FIN | CLOSE, &b""[..]));
    }
}
