//! What can go wrong with a proxy.

use std::io;

use bytes::Bytes;
use http::Response;

use crate::dialer::DialError;

/// Why a text names no proxy. It never repeats the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyUrlError {
    /// Not a URL with a host, or one with a path or a bad port.
    #[error("a proxy's URL is like http://host:port")]
    Malformed,
    /// The scheme is none of `http`, `https`, `socks5`, `socks5h`.
    #[error("a proxy's URL begins with http://, https:// or socks5://")]
    Scheme,
    /// User name or password are not percent-encoded, or are such that the scheme cannot carry them: a colon in the user name or
    /// control characters with HTTP; empty or over 255 bytes with SOCKS5.
    #[error("the user name or password of the proxy's URL cannot be sent")]
    Credentials,
}

/// Why a proxy gave no tunnel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The variable, of the environment or of the rules, names no proxy.
    #[error("the variable {variable} is wrong: {source}")]
    Variable {
        /// The variable's name.
        variable: &'static str,
        /// What is wrong with its value.
        source: ProxyUrlError,
    },
    /// The proxy itself cannot be reached: its name, its port, its TLS.
    #[error(transparent)]
    Unreachable(Box<DialError>),
    /// The HTTP proxy refused. 407 wants credentials, or others. Holds status and headers, and the first
    /// [`REFUSAL_BODY_BYTES_MAX`](crate::handshake::REFUSAL_BODY_BYTES_MAX) bytes of the body.
    #[error("it refused ({})", .0.status())]
    Refused(Box<Response<Bytes>>),
    /// What it sent is no answer of its protocol, or bytes followed the answer although nobody was asked for them.
    #[error("its answer is malformed")]
    Malformed,
    /// Its answer has a longer head, more header lines or more informational answers than the limits of a handshake's answer.
    #[error("its answer is too long")]
    TooLong,
    /// It closed before its answer was complete.
    #[error("it closed the connection before it had answered")]
    Closed,
    /// The SOCKS5 proxy takes no authentication that we could offer.
    #[error("it wants another authentication than it was offered")]
    Authentication,
    /// The SOCKS5 proxy did not take user name and password.
    #[error("it did not take the user name and password")]
    Credentials,
    /// The SOCKS5 proxy refused, with this code of RFC 1928, section 6.
    #[error("it refused: {}", super::socks5::reply_text(*.0))]
    Socks(u8),
    /// The target's name is longer than the 255 bytes that SOCKS5 can carry.
    #[error("the host's name is too long for SOCKS5")]
    HostTooLong,
    /// It did not answer in time.
    #[error("it did not answer in time")]
    Timeout,
    /// The stream to it failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}
