//! Two connections and the link between them, and frames made by hand.
#![allow(dead_code)] // Each test binary uses its part.

use suda_websocket::{Config, Connection, Event, Parts, Role};

/// Defines a test twice: with the machine under test as the client and as the server.
macro_rules! both_roles {
    ($($(#[$meta:meta])* fn $name:ident($role:ident) $body:block)*) => {$(
        mod $name {
            use super::*;

            fn check($role: suda_websocket::Role) $body

            $(#[$meta])*
            #[test]
            fn as_client() {
                check(suda_websocket::Role::Client);
            }

            $(#[$meta])*
            #[test]
            fn as_server() {
                check(suda_websocket::Role::Server);
            }
        }
    )*};
}
pub(crate) use both_roles;

pub(crate) const FIN: u8 = 0x80;
pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub(crate) fn connection(role: Role, config: Config) -> Connection {
    Connection::new(Parts::new(role, config))
}

/// A frame as the peer of `role` sends it, with the shortest length there is.
pub(crate) fn frame_to(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header_to(role, first, payload.len() as u64);
    match role {
        Role::Server => bytes.extend(
            payload
                .iter()
                .zip(KEY.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        ),
        Role::Client => bytes.extend(payload),
    }
    bytes
}

/// Only the header of such a frame.
pub(crate) fn header_to(role: Role, first: u8, len: u64) -> Vec<u8> {
    let masked = if role == Role::Server { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match len {
        0..=125 => bytes.push(masked | len as u8),
        126..=0xffff => {
            bytes.push(masked | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        _ => {
            bytes.push(masked | 127);
            bytes.extend(len.to_be_bytes());
        }
    }
    if role == Role::Server {
        bytes.extend(KEY);
    }
    bytes
}

/// A close frame's payload.
pub(crate) fn close_payload(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), reason].concat()
}

/// A frame as the machine under test sent it, unmasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) first: u8,
    pub(crate) masked: bool,
    pub(crate) payload: Vec<u8>,
}

/// Takes all that `connection` has to send and cuts it into frames.
pub(crate) fn sent(connection: &mut Connection) -> Vec<Sent> {
    frames(&drain(connection))
}

/// Takes all that `connection` has to send.
pub(crate) fn drain(connection: &mut Connection) -> Vec<u8> {
    let bytes = connection.transmit().collect::<Vec<_>>().concat();
    assert_eq!(bytes.len(), connection.buffered());
    connection.advance(bytes.len());
    assert_eq!(connection.buffered(), 0);
    bytes
}

pub(crate) fn frames(mut bytes: &[u8]) -> Vec<Sent> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (first, second) = (bytes[0], bytes[1]);
        bytes = &bytes[2..];
        let len_bytes = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let len = match len_bytes {
            0 => usize::from(second & 0x7f),
            _ => bytes[..len_bytes]
                .iter()
                .fold(0, |len, byte| len << 8 | usize::from(*byte)),
        };
        bytes = &bytes[len_bytes..];
        let masked = second & 0x80 != 0;
        let key = if masked {
            let key = [bytes[0], bytes[1], bytes[2], bytes[3]];
            bytes = &bytes[4..];
            key
        } else {
            [0; 4]
        };
        let payload = bytes[..len]
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key)
            .collect();
        bytes = &bytes[len..];
        frames.push(Sent {
            first,
            masked,
            payload,
        });
    }
    frames
}

/// All events until there are none.
pub(crate) fn events(connection: &mut Connection) -> Vec<Event> {
    std::iter::from_fn(|| connection.poll_event()).collect()
}

/// A client and a server, joined by a link that carries at most so many bytes at once.
pub(crate) struct Pair {
    pub(crate) client: Connection,
    pub(crate) server: Connection,
    pub(crate) link_bytes: usize,
}

impl Pair {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            client: connection(Role::Client, config.clone()),
            server: connection(Role::Server, config),
            link_bytes: usize::MAX,
        }
    }

    /// Carries bytes both ways until nothing is left to carry. Gives the events of client and server.
    pub(crate) fn run(&mut self) -> (Vec<Event>, Vec<Event>) {
        let (mut at_client, mut at_server) = (Vec::new(), Vec::new());
        while self.client.buffered() + self.server.buffered() > 0 {
            carry(&mut self.client, &mut self.server, self.link_bytes);
            at_server.extend(events(&mut self.server));
            carry(&mut self.server, &mut self.client, self.link_bytes);
            at_client.extend(events(&mut self.client));
        }
        (at_client, at_server)
    }
}

fn carry(from: &mut Connection, to: &mut Connection, bytes_max: usize) {
    let mut bytes = from.transmit().collect::<Vec<_>>().concat();
    bytes.truncate(bytes_max);
    from.advance(bytes.len());
    to.receive(&bytes);
}
