//! The opening handshake over HTTP/2, both sides: an extended CONNECT (RFC 8441, sections 4 and 5).
//!
//! HTTP/2's own framing is not here: an HTTP/2 library has parsed the request, or will encode it. Key and accept value do not
//! exist: what they prove, that the server speaks WebSocket, its SETTINGS have said.

use std::fmt;

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, Uri, Version};

use super::answer::{AnswerFault, Expected};
use super::client::{ClientOptions, HandshakeError};
use super::compression;
use super::field::{Single, has_body, single};
use super::origin::host_and_port;
use super::policy::{Agreement, Policy, check_subprotocols};
use super::refusal::Refusal;
use super::target::Target;
use crate::Compression;

/// The value of `:protocol`.
pub const CONNECT_PROTOCOL: &str = "websocket";

impl Policy {
    /// Judges the head of a request over HTTP/2. `protocol` is its `:protocol` pseudo-header, if it has one.
    ///
    /// ```
    /// use http::{Method, Request, Version};
    /// use suda_websocket::handshake::{Policy, Refusal};
    ///
    /// let request = Request::connect("https://chat.example/room").version(Version::HTTP_2).header("sec-websocket-version", "13");
    /// let (head, ()) = request.body(())?.into_parts();
    /// assert_eq!(Policy::default().judge_connect(&head, Some("websocket")).unwrap().response.status(), 200);
    /// assert_eq!(Policy::default().judge_connect(&head, None).unwrap_err(), Refusal::ConnectMethod);
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn judge_connect(
        &self,
        request: &Parts,
        protocol: Option<&str>,
    ) -> Result<Agreement, Refusal> {
        match protocol {
            Some(protocol) if request.method == Method::CONNECT => {
                // Protocol names are tokens of HTTP's Upgrade, which have no case (RFC 9110, section 7.8).
                if !protocol.eq_ignore_ascii_case(CONNECT_PROTOCOL) {
                    return Err(Refusal::Protocol);
                }
            }
            _ => return Err(Refusal::ConnectMethod),
        }
        check_target(request)?;
        check_headers(&request.headers)?;
        self.agree(request, Response::new(()))
    }
}

fn check_target(request: &Parts) -> Result<(), Refusal> {
    let uri = &request.uri;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || !uri.path().starts_with('/') {
        return Err(Refusal::ConnectTarget);
    }
    let authority = uri
        .authority()
        .map(|authority| authority.as_str())
        .filter(|authority| host_and_port(authority).is_some())
        .ok_or(Refusal::ConnectAuthority)?;
    // RFC 9113, section 8.3.1: who sends both must not let them differ.
    match single(&request.headers, header::HOST) {
        Single::Absent => Ok(()),
        Single::One(host) if host.eq_ignore_ascii_case(authority.as_bytes()) => Ok(()),
        _ => Err(Refusal::ConnectAuthority),
    }
}

fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(header::CONNECTION) || headers.contains_key(header::UPGRADE) {
        return Err(Refusal::ConnectionHeader);
    }
    if has_body(headers) {
        return Err(Refusal::Body);
    }
    match single(headers, header::SEC_WEBSOCKET_VERSION) {
        Single::One(b"13") => {}
        Single::Malformed => return Err(Refusal::DuplicateVersion),
        _ => return Err(Refusal::ConnectVersion),
    }
    check_subprotocols(headers)
}

/// The client's side: a request to send, and what its answer must be.
pub struct ExtendedConnect {
    request: Request<()>,
    expected: Expected,
}

/// Without the request, which may hold credentials.
impl fmt::Debug for ExtendedConnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtendedConnect").finish_non_exhaustive()
    }
}

impl ExtendedConnect {
    /// Builds the request. Its `:protocol`, [`CONNECT_PROTOCOL`], is for the HTTP/2 library to send.
    ///
    /// # Errors
    /// As [`ClientHandshake::new`](super::ClientHandshake::new).
    pub fn new(target: &Target, options: &ClientOptions) -> Result<Self, HandshakeError> {
        options.check()?;
        let mut request = Request::new(());
        *request.method_mut() = Method::CONNECT;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = uri(target).ok_or(HandshakeError::Target)?;
        let headers = request.headers_mut();
        headers.clone_from(&options.headers);
        headers.insert(
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        );
        if !options.subprotocols.is_empty() {
            let list = options.subprotocols.join(", ");
            let value =
                HeaderValue::from_str(&list).map_err(|_| HandshakeError::Subprotocol(list))?;
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, value);
        }
        let offer = options.compression.as_ref().map(compression::offer);
        // What we have written ourselves is always a value.
        if let Some(Ok(value)) = offer.map(HeaderValue::try_from) {
            headers.insert(header::SEC_WEBSOCKET_EXTENSIONS, value);
        }
        Ok(Self {
            request,
            expected: Expected {
                // There is no key to answer.
                accept: String::new(),
                subprotocols: options.subprotocols.clone(),
                compression: options.compression,
            },
        })
    }

    /// The request.
    pub fn request(&self) -> &Request<()> {
        &self.request
    }

    /// Verifies the answer's head: any 2xx opens the WebSocket (RFC 9113, section 8.5). Gives the subprotocol that the server chose,
    /// and the compression that it agreed to.
    ///
    /// # Errors
    /// [`AnswerFault::Refused`] for any other status; otherwise what the server must not have agreed to.
    pub fn verify(
        &self,
        response: &Response<()>,
    ) -> Result<(Option<String>, Option<Compression>), AnswerFault> {
        if !response.status().is_success() {
            return Err(AnswerFault::Refused);
        }
        self.expected.verify_agreement(response.headers())
    }
}

/// `wss` is `https` here, and `ws` is `http` (RFC 8441, section 5).
fn uri(target: &Target) -> Option<Uri> {
    let scheme = if target.is_secure() { "https" } else { "http" };
    Uri::builder()
        .scheme(scheme)
        .authority(target.host_header())
        .path_and_query(target.path_and_query())
        .build()
        .ok()
}
