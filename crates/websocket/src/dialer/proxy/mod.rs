//! Proxies between the dialer and the server: HTTP (CONNECT, RFC 9110, section 9.3.6), the same inside TLS, and SOCKS5 (RFC 1928).
//!
//! What lives here: naming a proxy, choosing one by target, asking it for a tunnel. What does not: connecting to the proxy
//! itself, which is done as for any other host.

mod bypass;
mod error;
mod http_connect;
mod rules;
mod socks5;

use std::fmt;
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::handshake::{Target, host_and_port};

pub use error::{ProxyError, ProxyUrlError};
pub use rules::ProxyRules;

const PORT_HTTP: u16 = 80;
const PORT_HTTPS: u16 = 443;
const PORT_SOCKS: u16 = 1080;

/// A proxy, from a URL: `http://host:port`, `https://host:port` or `socks5://host:port`, with `user:password@` before the host if it
/// wants that (percent-encoded where needed). Without a scheme it is `http`. `socks5h` is taken for `socks5`: names are resolved by
/// the proxy either way.
///
/// ```
/// use suda_websocket::Proxy;
///
/// let proxy: Proxy = "socks5://me:secret@proxy.example:1080".parse()?;
/// // What is shown and logged has no credentials.
/// assert_eq!(proxy.to_string(), "socks5://proxy.example:1080");
/// # Ok::<(), suda_websocket::ProxyUrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    /// An IPv6 address without brackets.
    host: String,
    port: u16,
    credentials: Option<Credentials>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Http,
    Https,
    Socks5,
}

/// Percent-decoded.
#[derive(Clone, PartialEq, Eq)]
struct Credentials {
    user: Vec<u8>,
    password: Vec<u8>,
}

impl Proxy {
    /// The proxy's name or address, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The proxy's port; 80, 443 or 1080 if the URL had none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether TLS is spoken with the proxy itself.
    pub(super) fn is_tls(&self) -> bool {
        self.kind == Kind::Https
    }

    /// Asks for a tunnel to the target over a stream to the proxy. What goes over the stream afterwards goes to the target.
    pub(super) async fn open_tunnel<S>(
        &self,
        stream: &mut S,
        target: &Target,
    ) -> Result<(), ProxyError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match self.kind {
            Kind::Http | Kind::Https => {
                http_connect::open(stream, target, self.credentials.as_ref()).await
            }
            Kind::Socks5 => socks5::open(stream, target, self.credentials.as_ref()).await,
        }
    }
}

impl FromStr for Proxy {
    type Err = ProxyUrlError;

    fn from_str(url: &str) -> Result<Self, ProxyUrlError> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (kind, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Kind::Http, PORT_HTTP),
            "https" => (Kind::Https, PORT_HTTPS),
            "socks5" | "socks5h" => (Kind::Socks5, PORT_SOCKS),
            _ => return Err(ProxyUrlError::Scheme),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user_info, authority) = match rest.rsplit_once('@') {
            Some((user_info, authority)) => (Some(user_info), authority),
            None => (None, rest),
        };
        let (host, port) = host_and_port(authority).ok_or(ProxyUrlError::Malformed)?;
        let port = port.unwrap_or(default_port);
        if port == 0 {
            return Err(ProxyUrlError::Malformed);
        }
        let credentials = user_info.map(Credentials::parse).transpose()?;
        if credentials.as_ref().is_some_and(|c| !c.can_go_to(kind)) {
            return Err(ProxyUrlError::Credentials);
        }
        Ok(Self {
            kind,
            host: without_brackets(host).to_ascii_lowercase(),
            port,
            credentials,
        })
    }
}

impl Credentials {
    fn parse(user_info: &str) -> Result<Self, ProxyUrlError> {
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        let decoded = |text| percent_decoded(text).ok_or(ProxyUrlError::Credentials);
        Ok(Self {
            user: decoded(user)?,
            password: decoded(password)?,
        })
    }

    /// Whether the scheme of authentication can carry them.
    fn can_go_to(&self, kind: Kind) -> bool {
        match kind {
            // RFC 7617, section 2: the first colon ends the user name; control characters are not allowed.
            Kind::Http | Kind::Https => {
                !self.user.contains(&b':')
                    && !(self.user.iter().chain(&self.password)).any(u8::is_ascii_control)
            }
            // RFC 1929, section 2: lengths are one byte, and start at 1.
            Kind::Socks5 => [&self.user, &self.password]
                .iter()
                .all(|text| (1..=socks5::CREDENTIAL_BYTES_MAX).contains(&text.len())),
        }
    }
}

/// `None` if a percent sign isn't followed by two hexadecimal digits.
fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        decoded.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(decoded)
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

/// The URL without user name and password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Https => "https",
            Kind::Socks5 => "socks5",
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// Without user name and password, too: debug output ends in logs.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_url_gives_kind_host_port_and_credentials() {
        for (url, shown, user) in [
            ("proxy.example", "http://proxy.example:80", None),
            ("proxy.example:3128/", "http://proxy.example:3128", None),
            ("HTTPS://Proxy.Example", "https://proxy.example:443", None),
            ("socks5h://[::1]", "socks5://[::1]:1080", None),
            (
                "http://me%40home:p%3Aw@p:8080",
                "http://p:8080",
                Some(("me@home", "p:w")),
            ),
            ("http://me@p", "http://p:80", Some(("me", ""))),
        ] {
            let proxy: Proxy = url.parse().unwrap_or_else(|e| panic!("{url}: {e}"));
            assert_eq!(proxy.to_string(), shown, "{url}");
            let credentials = proxy.credentials.as_ref();
            let told = credentials.map(|c| (&c.user[..], &c.password[..]));
            assert_eq!(
                told,
                user.map(|(u, p)| (u.as_bytes(), p.as_bytes())),
                "{url}"
            );
        }
    }

    #[test]
    fn every_bad_proxy_url_says_what_is_wrong() {
        let long = format!("socks5://{}:x@p", "u".repeat(256));
        for (url, error) in [
            ("", ProxyUrlError::Malformed),
            ("http://", ProxyUrlError::Malformed),
            ("http://p:0", ProxyUrlError::Malformed),
            ("http://p:99999", ProxyUrlError::Malformed),
            ("http://p/path", ProxyUrlError::Malformed),
            ("http://p q", ProxyUrlError::Malformed),
            ("ftp://p", ProxyUrlError::Scheme),
            ("http://%zz@p", ProxyUrlError::Credentials),
            ("http://a%3Ab:c@p", ProxyUrlError::Credentials),
            ("http://a%0d%0aX:c@p", ProxyUrlError::Credentials),
            ("socks5://me@p", ProxyUrlError::Credentials),
            (&long, ProxyUrlError::Credentials),
        ] {
            assert_eq!(url.parse::<Proxy>(), Err(error), "{url}");
        }
    }
}
