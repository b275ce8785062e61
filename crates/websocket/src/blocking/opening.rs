//! The opening handshake of both roles on a stream that blocks. Its time is bounded by the stream's own timeouts, its size by the
//! handshake's limits.

use std::io::{Read, Write};

use http::{Response, request};

use super::{Conn, OpenError};
use crate::{
    Config, Parts, Role,
    handshake::{
        Accept, Answered, ClientHandshake, ClientOptions, Judged, Policy, ServerHandshake, Target,
    },
};

/// Bytes that one read asks for.
const READ_BYTES: usize = 4 << 10;

/// Reads the request from a fresh stream, answers it, and gives the connection and the request head.
///
/// # Errors
/// [`OpenError`]. A client that is refused was sent the answer that says why.
pub fn accept<S: Read + Write>(
    mut stream: S,
    policy: Policy,
    config: Config,
) -> Result<(Conn<S>, request::Parts), OpenError> {
    let mut handshake = ServerHandshake::new(policy);
    let mut piece = [0; READ_BYTES];
    loop {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Err(OpenError::Closed);
        }
        match handshake.receive(&piece[..count]) {
            Judged::Pending => {}
            Judged::Accept(accept) => {
                let Accept {
                    request,
                    response,
                    subprotocol,
                    compression,
                    leftover,
                    ..
                } = *accept;
                stream.write_all(&response)?;
                stream.flush()?;
                let parts = Parts::new(Role::Server, config)
                    .read_buf(leftover)
                    .subprotocol(subprotocol)
                    .compression(compression);
                return Ok((Conn::from_parts(stream, parts), request));
            }
            Judged::Reject(reject) => {
                // The reason matters more to the caller than whether the client could be told.
                let _ = stream
                    .write_all(&reject.response)
                    .and_then(|()| stream.flush());
                return Err(reject.reason.into());
            }
        }
    }
}

/// Opens a connection to `target` over a stream that is connected to it, and gives the server's answer besides.
///
/// # Errors
/// [`OpenError`].
pub fn client<S: Read + Write>(
    mut stream: S,
    target: &Target,
    options: &ClientOptions,
    config: Config,
) -> Result<(Conn<S>, Response<()>), OpenError> {
    let mut handshake = ClientHandshake::new(target, options)?;
    stream.write_all(handshake.request())?;
    stream.flush()?;
    let mut piece = [0; READ_BYTES];
    loop {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Err(handshake.handle_end().into());
        }
        match handshake.receive(&piece[..count]) {
            Answered::Pending => {}
            Answered::Accept(answer) => {
                let parts = Parts::new(Role::Client, config)
                    .read_buf(answer.leftover)
                    .subprotocol(answer.subprotocol)
                    .compression(answer.compression);
                return Ok((Conn::from_parts(stream, parts), answer.response));
            }
            Answered::Fail(error) => return Err(error.into()),
        }
    }
}
