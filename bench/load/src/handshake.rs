//! The opening handshake, with one fixed key for all.

use anyhow::{Context, Result, bail, ensure};

use crate::{
    options::{Deflate, Target},
    socket::{Moved, Socket},
};

const KEY: &str = "x3JJHMbDL1EzLkh9GBhXDw==";
/// What follows from the key (RFC 6455, section 4.2.2).
const ACCEPT: &str = "HSmrc0sMlYUkAGmm5OPpG2HaGWk=";
const ANSWER_BYTES_MAX: usize = 4096;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// An open connection, and what the server sent behind its answer.
pub(crate) struct Open {
    pub(crate) socket: Socket,
    pub(crate) behind: Vec<u8>,
}

pub(crate) fn request(target: &Target) -> Vec<u8> {
    let extensions = match target.deflate {
        Deflate::Off => "",
        Deflate::NoTakeover => {
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
        }
        Deflate::Takeover => "Sec-WebSocket-Extensions: permessage-deflate\r\n",
    };
    let Target { path, port, .. } = target;
    format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: bench-load\r\n\
         Origin: http://127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{extensions}\r\n"
    )
    .into_bytes()
}

/// Opens `count` connections, one after the other.
pub(crate) fn open_all(target: &Target, count: usize) -> Result<Vec<Open>> {
    let request = request(target);
    let one = |index| -> Result<Open> {
        let socket = Socket::connect(target.port, index)?;
        let behind = if target.raw {
            Vec::new()
        } else {
            open(&socket, &request, target.deflate)?
        };
        Ok(Open { socket, behind })
    };
    (0..count)
        .map(|index| one(index).with_context(|| format!("connection {index}")))
        .collect()
}

fn open(socket: &Socket, request: &[u8], deflate: Deflate) -> Result<Vec<u8>> {
    socket.send_whole(request)?;
    let mut answer = vec![0; ANSWER_BYTES_MAX];
    let mut len = 0;
    loop {
        ensure!(len < answer.len(), "the answer's head is too long");
        let Moved::Bytes(received) = socket.receive(&mut answer[len..])? else {
            bail!("no answer");
        };
        len += received;
        if let Some(end) = head_end(&answer[..len]) {
            check(&answer[..end], deflate)?;
            return Ok(answer[end..len].to_vec());
        }
    }
}

/// Where the head ends, once it does.
pub(crate) fn head_end(answer: &[u8]) -> Option<usize> {
    let at = answer
        .windows(HEAD_END.len())
        .position(|window| window == HEAD_END)?;
    Some(at + HEAD_END.len())
}

/// Whether the server agreed.
pub(crate) fn check(head: &[u8], deflate: Deflate) -> Result<()> {
    let head = String::from_utf8_lossy(head);
    let first = head.lines().next().unwrap_or_default();
    ensure!(head.starts_with("HTTP/1.1 101"), "the answer is {first:?}");
    ensure!(head.contains(ACCEPT), "the accept key is wrong");
    let compressed = head.to_ascii_lowercase().contains("permessage-deflate");
    let wanted = deflate != Deflate::Off;
    ensure!(
        compressed == wanted,
        "compression wanted: {wanted}, got: {compressed}"
    );
    Ok(())
}
