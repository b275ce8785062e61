//! A tunnel through an HTTP proxy: CONNECT (RFC 9110, section 9.3.6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::super::REFUSAL_TIME_MAX;
use super::{Credentials, ProxyError};
use crate::handshake::{AnswerFault, HeadLimits, Received, ResponseReader, Target};

/// Bytes to ask a stream for at once.
const READ_BYTES: usize = 4 * 1024;

pub(super) async fn open<S>(
    stream: &mut S,
    target: &Target,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream
        .write_all(request(target, credentials).as_bytes())
        .await?;
    stream.flush().await?;
    // Any 2xx opens the tunnel, and announces no body whatever its headers say.
    let mut answer = ResponseReader::new(HeadLimits::RESPONSE, |status| status.is_success());
    let mut piece = vec![0; READ_BYTES];
    loop {
        let reading = stream.read(&mut piece);
        let length = if answer.is_refused() {
            // A refusal whose body doesn't come, or breaks off, is a refusal still.
            timeout(REFUSAL_TIME_MAX, reading)
                .await
                .map_or(0, |read| read.unwrap_or(0))
        } else {
            reading.await?
        };
        if length == 0 {
            return Err(match answer.handle_end() {
                Some(refusal) => ProxyError::Refused(Box::new(refusal)),
                None => ProxyError::Closed,
            });
        }
        match answer.receive(&piece[..length]).map_err(fault)? {
            Received::Pending => {}
            Received::Refusal(refusal) => return Err(ProxyError::Refused(Box::new(refusal))),
            Received::Success(_, rest) if rest.is_empty() => return Ok(()),
            // The target says nothing before it is asked: these bytes come from the proxy, and would be taken for the target's.
            Received::Success(..) => return Err(ProxyError::Malformed),
        }
    }
}

fn request(target: &Target, credentials: Option<&Credentials>) -> String {
    let authority = target.authority();
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if let Some(Credentials { user, password }) = credentials {
        let plain = [user, &b":"[..], password].concat();
        let line = format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(plain));
        request.push_str(&line);
    }
    request.push_str("\r\n");
    request
}

fn fault(fault: AnswerFault) -> ProxyError {
    match fault {
        AnswerFault::HeadTooLarge
        | AnswerFault::TooManyHeaders
        | AnswerFault::TooManyInformational => ProxyError::TooLong,
        _ => ProxyError::Malformed,
    }
}
