//! Where a server is, and the addresses of what it offers.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// A server's address: `http://127.0.0.1:8080`, `https://chat.example.org`, perhaps with a path in front of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server(Url);

/// Why a text is no server's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no address of a server: {reason}. An address looks like https://chat.example.org"
)]
pub struct ServerError {
    text: String,
    reason: String,
}

impl FromStr for Server {
    type Err = ServerError;

    /// Reads an address. Credentials, a query or a fragment in it are refused: no secret belongs in an address.
    fn from_str(text: &str) -> Result<Server, ServerError> {
        let fail = |reason: &str| ServerError {
            text: text.to_owned(),
            reason: reason.to_owned(),
        };
        let url = Url::parse(text.trim()).map_err(|error| fail(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(fail("it does not begin with http:// or https://"));
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(fail("it holds more than a host, a port and a path"));
        }
        Ok(Server(url))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl Server {
    /// The address of something over HTTP, by its path without a leading slash.
    pub(crate) fn http(&self, path: &str) -> String {
        format!("{self}/{path}")
    }

    /// The address of the WebSocket.
    pub fn websocket(&self) -> String {
        // `http` becomes `ws`, and `https` `wss`.
        format!("ws{}", self.http("ws").trim_start_matches("http"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_websocket_is_as_safe_as_the_page() {
        let plain: Server = "http://127.0.0.1:8080/".parse().unwrap();
        assert_eq!(plain.websocket(), "ws://127.0.0.1:8080/ws");
        let safe: Server = "https://chat.example.org/suda".parse().unwrap();
        assert_eq!(safe.websocket(), "wss://chat.example.org/suda/ws");
        assert_eq!(
            safe.http("api/v1/me"),
            "https://chat.example.org/suda/api/v1/me"
        );
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        for text in [
            "",
            "chat.example.org",
            "ws://a/",
            "http://name:password@a/",
            "http://a/?token=1",
            "http://a/#x",
        ] {
            let error = Server::from_str(text).unwrap_err();
            assert!(error.to_string().contains("no address"), "{error}");
        }
    }
}
