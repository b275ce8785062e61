//! Where to connect: a `ws` or `wss` URL (RFC 6455, section 3).

use std::fmt;
use std::str::FromStr;

use http::Uri;

use super::origin::host_and_port;

/// Bytes of a URL. Its path and query must fit into a request head that servers accept.
const URL_BYTES_MAX: usize = 8 * 1024;

const PORT_WS: u16 = 80;
const PORT_WSS: u16 = 443;

/// A parsed `ws://` or `wss://` URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    secure: bool,
    host: String,
    port: u16,
    path_and_query: String,
}

/// Why a text is no URL to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Longer than 8 KiB.
    #[error("the URL is longer than {URL_BYTES_MAX} bytes")]
    TooLong,
    /// Not a URL with a host.
    #[error("this is not a URL like ws://host/path")]
    Malformed,
    /// The scheme is neither `ws` nor `wss`.
    #[error("the URL must begin with ws:// or wss://")]
    Scheme,
    /// RFC 6455, section 3: fragment identifiers are meaningless and must not be used.
    #[error("a WebSocket URL has no fragment (#…)")]
    Fragment,
    /// User name or password in the URL: they would end in logs. Send an `Authorization` header instead.
    #[error("a WebSocket URL has no user name or password")]
    UserInfo,
    /// Not a number from 1 to 65535.
    #[error("the port of the URL is not valid")]
    Port,
}

impl Target {
    /// Whether the scheme is `wss`.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host without the brackets of an IPv6 address: what to resolve, and the name that a certificate must have.
    pub fn host(&self) -> &str {
        self.host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(&self.host)
    }

    /// The port; 80 for `ws` and 443 for `wss` if the URL has none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port, as a proxy is asked for them; an IPv6 address in brackets.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// What stands in the request line: never empty.
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The same server with another path and query.
    ///
    /// # Errors
    /// As for a URL with this path.
    pub fn with_path(&self, path_and_query: &str) -> Result<Self, TargetError> {
        if !path_and_query.starts_with('/') {
            return Err(TargetError::Malformed);
        }
        let scheme = if self.secure { "wss" } else { "ws" };
        format!("{scheme}://{}{path_and_query}", self.authority()).parse()
    }

    /// What stands in the `Host` header: the port only if it isn't the scheme's default.
    pub fn host_header(&self) -> String {
        let default = if self.secure { PORT_WSS } else { PORT_WS };
        if self.port == default {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(url: &str) -> Result<Self, TargetError> {
        if url.len() > URL_BYTES_MAX {
            return Err(TargetError::TooLong);
        }
        // `Uri` silently drops a fragment.
        if url.contains('#') {
            return Err(TargetError::Fragment);
        }
        let (scheme, rest) = url.split_once("://").ok_or(TargetError::Malformed)?;
        let secure = match scheme {
            s if s.eq_ignore_ascii_case("ws") => false,
            s if s.eq_ignore_ascii_case("wss") => true,
            _ => return Err(TargetError::Scheme),
        };
        let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(authority_end);
        if authority.contains('@') {
            return Err(TargetError::UserInfo);
        }
        let (host, port) = match host_and_port(authority) {
            Some(parsed) => parsed,
            None if port_is_wrong(authority) => return Err(TargetError::Port),
            None => return Err(TargetError::Malformed),
        };
        let port = port.unwrap_or(if secure { PORT_WSS } else { PORT_WS });
        if port == 0 {
            return Err(TargetError::Port);
        }
        let path_and_query = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        // The path goes into the request line as it is: spaces and line breaks must not get there.
        let uri: Uri = path_and_query.parse().map_err(|_| TargetError::Malformed)?;
        if uri.path_and_query().map(|p| p.as_str()) != Some(path_and_query.as_str()) {
            return Err(TargetError::Malformed);
        }
        Ok(Self {
            secure,
            host: host.to_ascii_lowercase(),
            port,
            path_and_query,
        })
    }
}

/// Whether `authority` is a good host with a bad port.
fn port_is_wrong(authority: &str) -> bool {
    authority
        .rsplit_once(':')
        .is_some_and(|(host, _)| host_and_port(host).is_some_and(|(_, port)| port.is_none()))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(
            f,
            "{scheme}://{}{}",
            self.host_header(),
            self.path_and_query
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Target, TargetError> {
        url.parse()
    }

    #[test]
    fn host_port_and_path_follow_the_scheme() {
        for (url, host, header, port, path) in [
            ("ws://Chat.Example", "chat.example", "chat.example", 80, "/"),
            (
                "WSS://chat.example/a?b=c",
                "chat.example",
                "chat.example",
                443,
                "/a?b=c",
            ),
            (
                "ws://chat.example:80/",
                "chat.example",
                "chat.example",
                80,
                "/",
            ),
            (
                "ws://chat.example:443/",
                "chat.example",
                "chat.example:443",
                443,
                "/",
            ),
            (
                "wss://chat.example?x=1",
                "chat.example",
                "chat.example",
                443,
                "/?x=1",
            ),
            ("ws://[::1]:9000/x", "::1", "[::1]:9000", 9000, "/x"),
            ("wss://[::1]/", "::1", "[::1]", 443, "/"),
        ] {
            let target = parse(url).unwrap_or_else(|e| panic!("{url}: {e}"));
            assert_eq!((target.host(), target.port()), (host, port), "{url}");
            assert_eq!(
                (target.host_header().as_str(), target.path_and_query()),
                (header, path),
                "{url}"
            );
        }
    }

    #[test]
    fn every_bad_url_says_what_is_wrong() {
        for (url, error) in [
            ("", TargetError::Malformed),
            ("chat.example", TargetError::Malformed),
            ("ws:///path", TargetError::Malformed),
            ("ws://[::1", TargetError::Malformed),
            ("ws://[::zz]/", TargetError::Malformed),
            ("ws://a b/", TargetError::Malformed),
            ("ws://host/a b", TargetError::Malformed),
            ("ws://host/a\r\nX: y", TargetError::Malformed),
            ("http://host/", TargetError::Scheme),
            ("ws://host/#top", TargetError::Fragment),
            ("ws://me:secret@host/", TargetError::UserInfo),
            ("ws://host:99999/", TargetError::Port),
            ("ws://host:0/", TargetError::Port),
            ("ws://host:abc/", TargetError::Port),
            (
                &format!("ws://host/{}", "a".repeat(9000)),
                TargetError::TooLong,
            ),
        ] {
            assert_eq!(parse(url), Err(error), "{url}");
        }
    }
}
