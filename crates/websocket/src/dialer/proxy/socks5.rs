//! A tunnel through a SOCKS5 proxy (RFC 1928), with user name and password if there are some (RFC 1929).
//!
//! Every answer says its own length in its first bytes and none is longer than 262, so nothing here needs a limit. Nothing is read beyond
//! an answer: the bytes after the last one are the target's.

use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::{Credentials, ProxyError};
use crate::handshake::Target;

/// Longest user name, password and host name: their lengths are sent as one byte.
pub(super) const CREDENTIAL_BYTES_MAX: usize = 255;

const VERSION: u8 = 5;
const METHOD_NONE: u8 = 0;
const METHOD_PASSWORD: u8 = 2;
/// The version of the sub-negotiation of RFC 1929.
const PASSWORD_VERSION: u8 = 1;
const COMMAND_CONNECT: u8 = 1;
const ADDRESS_V4: u8 = 1;
const ADDRESS_NAME: u8 = 3;
const ADDRESS_V6: u8 = 4;
const SUCCEEDED: u8 = 0;

pub(super) async fn open<S>(
    stream: &mut S,
    target: &Target,
    credentials: Option<&Credentials>,
) -> Result<(), ProxyError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // Built first, so that a name that cannot be asked for costs nothing.
    let request = request(target)?;
    let methods: &[u8] = match credentials {
        Some(_) => &[VERSION, 2, METHOD_NONE, METHOD_PASSWORD],
        None => &[VERSION, 1, METHOD_NONE],
    };
    send(stream, methods).await?;
    match (receive::<2>(stream).await?, credentials) {
        ([VERSION, METHOD_NONE], _) => {}
        ([VERSION, METHOD_PASSWORD], Some(credentials)) => {
            authenticate(stream, credentials).await?;
        }
        ([VERSION, _], _) => return Err(ProxyError::Authentication),
        _ => return Err(ProxyError::Malformed),
    }
    send(stream, &request).await?;
    receive_reply(stream).await
}

async fn authenticate<S>(
    stream: &mut S,
    Credentials { user, password }: &Credentials,
) -> Result<(), ProxyError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut message = vec![PASSWORD_VERSION];
    for text in [user, password] {
        message.push(length(text).ok_or(ProxyError::Credentials)?);
        message.extend_from_slice(text);
    }
    send(stream, &message).await?;
    match receive::<2>(stream).await? {
        [PASSWORD_VERSION, SUCCEEDED] => Ok(()),
        [PASSWORD_VERSION, _] => Err(ProxyError::Credentials),
        _ => Err(ProxyError::Malformed),
    }
}

/// CONNECT to the target. A name goes as it is: the proxy resolves it.
fn request(target: &Target) -> Result<Vec<u8>, ProxyError> {
    let mut request = vec![VERSION, COMMAND_CONNECT, 0];
    match target.host().parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(ADDRESS_V4);
            request.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(ADDRESS_V6);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            let name = target.host().as_bytes();
            request.push(ADDRESS_NAME);
            request.push(length(name).ok_or(ProxyError::HostTooLong)?);
            request.extend_from_slice(name);
        }
    }
    request.extend_from_slice(&target.port().to_be_bytes());
    Ok(request)
}

/// The reply, with the address that the proxy connects from, which nobody needs.
async fn receive_reply<S: AsyncRead + Unpin>(stream: &mut S) -> Result<(), ProxyError> {
    let [version, code, _, kind] = receive::<4>(stream).await?;
    if version != VERSION {
        return Err(ProxyError::Malformed);
    }
    if code != SUCCEEDED {
        return Err(ProxyError::Socks(code));
    }
    let address_bytes = match kind {
        ADDRESS_V4 => 4,
        ADDRESS_V6 => 16,
        ADDRESS_NAME => usize::from(receive::<1>(stream).await?[0]),
        _ => return Err(ProxyError::Malformed),
    };
    let mut address_and_port = [0; CREDENTIAL_BYTES_MAX + 2];
    read(stream, &mut address_and_port[..address_bytes + 2]).await
}

fn length(text: &[u8]) -> Option<u8> {
    u8::try_from(text.len()).ok().filter(|length| *length > 0)
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, message: &[u8]) -> Result<(), ProxyError> {
    stream.write_all(message).await?;
    Ok(stream.flush().await?)
}

async fn receive<const LENGTH: usize>(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<[u8; LENGTH], ProxyError> {
    let mut answer = [0; LENGTH];
    read(stream, &mut answer).await?;
    Ok(answer)
}

async fn read(stream: &mut (impl AsyncRead + Unpin), answer: &mut [u8]) -> Result<(), ProxyError> {
    match stream.read_exact(answer).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(ProxyError::Closed),
        Err(error) => Err(error.into()),
    }
}

/// What a reply's code means (RFC 1928, section 6).
pub(super) fn reply_text(code: u8) -> String {
    let text = match code {
        1 => "general failure",
        2 => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "time to live expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => return format!("code {code}"),
    };
    text.to_owned()
}
