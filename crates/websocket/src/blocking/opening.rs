//! The opening handshake of both roles on a stream that blocks. Its size is bounded by the handshake's limits, its time by
//! [`OPENING_TIMEOUT`] and the stream's own timeout for one read.

use std::{
    io::{self, Read, Write},
    time::{Duration, Instant},
};

use http::Response;

use super::{Conn, OpenError, check_time};
use crate::{
    Config, Parts, Role,
    handshake::{
        Accept, Answered, ClientHandshake, ClientOptions, Judged, Policy, Request, ServerHandshake,
        Target,
    },
};

/// Bytes that one read asks for.
const READ_BYTES: usize = 4 << 10;

/// After so long [`accept`] and [`client`] begin no further read, but fail with [`io::ErrorKind::TimedOut`]. So a peer that sends a byte now
/// and then has this and one more of the stream's read timeouts.
pub const OPENING_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads the request from a fresh stream, answers it, and gives the connection and the request head.
///
/// # Errors
/// [`OpenError`]. A client that is refused was sent the answer that says why.
pub fn accept<S: Read + Write>(
    stream: S,
    policy: Policy,
    config: Config,
) -> Result<(Conn<S>, Request), OpenError> {
    accept_until(
        Instant::now().checked_add(OPENING_TIMEOUT),
        stream,
        policy,
        config,
    )
}

fn accept_until<S: Read + Write>(
    deadline: Option<Instant>,
    mut stream: S,
    policy: Policy,
    config: Config,
) -> Result<(Conn<S>, Request), OpenError> {
    let mut handshake = ServerHandshake::new(policy);
    let mut piece = [0; READ_BYTES];
    loop {
        let count = read(deadline, &mut stream, &mut piece)?;
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
    stream: S,
    target: &Target,
    options: &ClientOptions,
    config: Config,
) -> Result<(Conn<S>, Response<()>), OpenError> {
    client_until(
        Instant::now().checked_add(OPENING_TIMEOUT),
        stream,
        target,
        options,
        config,
    )
}

fn client_until<S: Read + Write>(
    deadline: Option<Instant>,
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
        let count = read(deadline, &mut stream, &mut piece)?;
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

/// Reads once, unless it is late.
fn read(deadline: Option<Instant>, stream: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        check_time(deadline)?;
        match stream.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer that never comes to the end of its header, until it is gone.
    struct Drip(usize);

    impl Read for Drip {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let Some(left) = self.0.checked_sub(1) else {
                return Ok(0);
            };
            self.0 = left;
            out[0] = b'G';
            Ok(1)
        }
    }

    impl Write for Drip {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_peer_that_sends_a_byte_now_and_then_runs_out_of_time() {
        let now = Some(Instant::now());
        let timed_out = |result: Result<(), OpenError>| match result {
            Err(OpenError::Io(error)) => error.kind() == io::ErrorKind::TimedOut,
            _ => false,
        };
        let accepted = accept_until(now, Drip(100), Policy::default(), Config::default());
        assert!(timed_out(accepted.map(drop)));
        let target = "ws://127.0.0.1/".parse().unwrap();
        let options = ClientOptions::default();
        let opened = client_until(now, Drip(100), &target, &options, Config::default());
        assert!(timed_out(opened.map(drop)));
    }
}
