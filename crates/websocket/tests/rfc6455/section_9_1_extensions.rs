//! Negotiating extensions (RFC 6455, section 9.1).

use suda_websocket::{
    Compression,
    handshake::{Judged, Policy, ServerHandshake},
};

fn answer(extension_lines: &[&str]) -> Option<String> {
    let lines: String = extension_lines
        .iter()
        .map(|line| format!("Sec-WebSocket-Extensions: {line}\r\n"))
        .collect();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{lines}\r\n"
    );
    let policy = Policy {
        compression: Some(Compression::default()),
        ..Policy::default()
    };
    match ServerHandshake::new(policy).receive(request.as_bytes()) {
        Judged::Accept(accept) => {
            let response = String::from_utf8(accept.response.to_vec()).unwrap();
            let mut fields = response.lines().filter_map(|line| line.split_once(": "));
            let line = fields
                .find(|(name, _)| name.eq_ignore_ascii_case("Sec-WebSocket-Extensions"))
                .map(|(_, value)| value);
            Some(line.unwrap_or("none").to_owned())
        }
        _ => None,
    }
}

#[test]
fn several_lines_mean_what_one_line_with_commas_means() {
    let one = answer(&["x-unknown; a=1, permessage-deflate; client_max_window_bits"]);
    let two = answer(&[
        "x-unknown; a=1",
        "permessage-deflate; client_max_window_bits",
    ]);
    assert!(one.as_ref().unwrap().starts_with("permessage-deflate"));
    assert_eq!(one, two);
}

#[test]
fn what_was_not_offered_is_not_chosen() {
    assert_eq!(answer(&[]).as_deref(), Some("none"));
    assert_eq!(answer(&["x-unknown"]).as_deref(), Some("none"));
}

#[test]
fn a_header_that_does_not_keep_to_the_grammar_is_refused() {
    for bad in [
        ";",
        "a b",
        "permessage-deflate; =",
        "permessage-deflate; x=\"",
        "é",
    ] {
        assert_eq!(answer(&[bad]), None, "{bad}");
    }
}

#[test]
fn a_quoted_value_is_the_value() {
    let plain = answer(&["permessage-deflate; server_max_window_bits=10"]);
    let quoted = answer(&["permessage-deflate; server_max_window_bits=\"10\""]);
    assert!(
        plain
            .as_ref()
            .unwrap()
            .contains("server_max_window_bits=10")
    );
    assert_eq!(plain, quoted);
}
