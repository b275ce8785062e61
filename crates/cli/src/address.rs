//! Where a server is, as a person types it.

use suda_client::Server;

use crate::exit::Failure;
use crate::visible;

/// Reads an address. Without a scheme, this very machine is spoken to plainly and any other one encrypted.
pub(crate) fn parse(typed: &str) -> Result<Server, Failure> {
    let typed = typed.trim();
    let parsed = if typed.contains("://") {
        typed.parse()
    } else if is_this_machine(typed) {
        format!("http://{typed}").parse()
    } else {
        format!("https://{typed}").parse()
    };
    parsed.map_err(|error: suda_client::ServerError| {
        Failure::usage(visible::line(&error.to_string()))
    })
}

fn is_this_machine(typed: &str) -> bool {
    let host = typed.split('/').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_each_server() {
        for (typed, form) in [
            ("http://localhost:8080/", "http://localhost:8080"),
            ("HTTPS://Chat.Example.org", "https://chat.example.org"),
            ("chat.example.org", "https://chat.example.org"),
            ("localhost:8080", "http://localhost:8080"),
            ("127.0.0.1:9", "http://127.0.0.1:9"),
            ("[::1]:9", "http://[::1]:9"),
            ("localhost.example.org", "https://localhost.example.org"),
        ] {
            let server = parse(typed).map(|server| server.to_string());
            assert_eq!(server.ok().as_deref(), Some(form), "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for typed in [
            "",
            "http://",
            "ftp://a",
            "http://me:secret@a",
            "a b",
            "http://a:x",
        ] {
            assert!(parse(typed).is_err(), "{typed}");
        }
    }
}
