//! The one table of codes keeps the promises that programs rely on.

use suda_protocol::{CloseCode, ErrorCode, close, v1};

#[test]
fn every_error_has_a_name_a_sentence_and_a_status() {
    for code in ErrorCode::all() {
        assert_eq!(ErrorCode::from_name(code.name()), Some(code));
        assert!(code.message().ends_with('.'), "{code:?}");
        assert!((400..600).contains(&code.http_status()), "{code:?}");
        assert_eq!(
            code.as_str_name(),
            format!("ERROR_CODE_{}", code.name().to_uppercase())
        );
    }
    assert_eq!(ErrorCode::UnknownRoom.name(), "unknown_room");
    assert!(ErrorCode::Busy.retryable() && !ErrorCode::NameTaken.retryable());
}

#[test]
fn an_error_on_the_wire_says_what_the_table_says() {
    let error = v1::Error::of(ErrorCode::RateLimited).with_retry_after_ms(250);
    assert_eq!(error.code(), ErrorCode::RateLimited);
    assert_eq!(
        (error.name.as_str(), error.retryable, error.retry_after_ms),
        ("rate_limited", true, 250)
    );
    assert_eq!(error.to_string(), ErrorCode::RateLimited.message());
}

#[test]
fn close_codes_come_back_by_their_range() {
    assert_eq!(CloseCode::all().next(), Some(CloseCode::Unspecified));
    for code in CloseCode::all().skip(1) {
        assert!((4000..5000).contains(&code.number()), "{code:?}");
        assert_eq!(code.come_back(), code.number() < 4500, "{code:?}");
        assert_eq!(
            close::is_come_back(code.number()),
            code.come_back(),
            "{code:?}"
        );
        assert_eq!(CloseCode::from_number(code.number()), Some(code));
        assert!(code.message().len() <= 123, "{code:?}");
    }
    assert_eq!(CloseCode::from_number(0), None);
}

#[test]
fn codes_of_the_websocket_itself_come_back_where_only_the_link_or_the_server_went_away() {
    for code in [1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 4499] {
        assert!(close::is_come_back(code), "{code}");
    }
    for code in [
        0, 1002, 1003, 1007, 1008, 1009, 1010, 1015, 3000, 4500, 4999, 5000,
    ] {
        assert!(!close::is_come_back(code), "{code}");
    }
}
