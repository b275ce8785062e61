//! The floor: one thread, one level-triggered epoll loop, and no WebSocket but what the rows cannot do without.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    os::fd::{AsRawFd, OwnedFd},
};

use anyhow::Result;
use clap::{Parser, ValueEnum};
use rustix::{
    event::epoll::{self, CreateFlags, Event, EventData, EventFlags},
    io::Errno,
    net::{
        self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType,
        sockopt::{set_socket_reuseaddr, set_tcp_nodelay},
    },
};

/// The answer to the one handshake key of the load generator.
const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n\r\n";
const BACKLOG: i32 = 4096;
const EVENTS_MAX: usize = 1024;
const READ_BYTES: usize = 128 << 10;
/// The part of a frame's second byte that is its length, or says that the length follows in two bytes.
const LENGTH_BITS: u8 = 0x7f;
const LENGTH_IN_TWO_BYTES: u8 = 126;
const KEY_BYTES: usize = 4;
const ROOM_MEMBERS: usize = 10;

#[derive(Parser)]
struct Cli {
    /// Port on 127.0.0.1.
    #[arg(long)]
    port: u16,
    #[arg(long, value_enum)]
    mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Send back the bytes that came: no handshake, no frames.
    Bytes,
    /// Answer a connection's first bytes with a fixed handshake, and then send back short frames, unmasked.
    Frames,
    /// The same, but send the frames to all other connections.
    Broadcast,
    /// The same, but to the ten connections that opened together, the sender among them.
    Rooms,
}

struct Client {
    socket: OwnedFd,
    open: bool,
    room: usize,
    /// What the socket did not take.
    unsent: Vec<u8>,
    /// Bytes of a frame that is not whole.
    partial: Vec<u8>,
}

struct Server {
    mode: Mode,
    epoll: OwnedFd,
    /// By descriptor.
    clients: Vec<Option<Client>>,
    /// Descriptors of the members, in the order in which connections opened.
    rooms: Vec<Vec<usize>>,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let listener = net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    set_socket_reuseaddr(&listener, true)?;
    net::bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, cli.port))?;
    net::listen(&listener, BACKLOG)?;
    let mut server = Server {
        mode: cli.mode,
        epoll: epoll::create(CreateFlags::CLOEXEC)?,
        clients: Vec::new(),
        rooms: Vec::new(),
    };
    let data = EventData::new_u64(listener.as_raw_fd() as u64);
    epoll::add(&server.epoll, &listener, data, EventFlags::IN)?;
    let none = Event {
        flags: EventFlags::empty(),
        data,
    };
    let mut events = vec![none; EVENTS_MAX];
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let count = epoll::wait(&server.epoll, events.as_mut_slice(), None)?;
        for &Event { flags, data } in &events[..count] {
            let fd = data.u64() as usize;
            if fd == listener.as_raw_fd() as usize {
                server.accept(&listener)?;
            } else if flags.contains(EventFlags::OUT) {
                server.go_on_sending(fd)?;
            } else {
                server.receive(fd, &mut buffer)?;
            }
        }
    }
}

impl Server {
    fn accept(&mut self, listener: &OwnedFd) -> Result<()> {
        loop {
            let socket = match net::accept_with(listener, SocketFlags::NONBLOCK) {
                Ok(socket) => socket,
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            set_tcp_nodelay(&socket, true)?;
            let fd = socket.as_raw_fd() as usize;
            epoll::add(
                &self.epoll,
                &socket,
                EventData::new_u64(fd as u64),
                EventFlags::IN,
            )?;
            if self.clients.len() <= fd {
                self.clients.resize_with(fd + 1, || None);
            }
            self.clients[fd] = Some(Client {
                socket,
                open: self.mode == Mode::Bytes,
                room: 0,
                unsent: Vec::new(),
                partial: Vec::new(),
            });
        }
    }

    fn receive(&mut self, fd: usize, buffer: &mut [u8]) -> Result<()> {
        let Some(client) = &mut self.clients[fd] else {
            return Ok(());
        };
        let len = match net::recv(&client.socket, &mut *buffer, RecvFlags::empty()) {
            Err(Errno::AGAIN) => return Ok(()),
            Ok((_, 0)) | Err(_) => {
                self.clients[fd] = None;
                return Ok(());
            }
            Ok((_, len)) => len,
        };
        if !client.open {
            client.open = true;
            if self
                .rooms
                .last()
                .is_none_or(|room| room.len() == ROOM_MEMBERS)
            {
                self.rooms.push(Vec::new());
            }
            client.room = self.rooms.len() - 1;
            self.rooms[client.room].push(fd);
            return client.send(&self.epoll, ANSWER);
        }
        if self.mode == Mode::Bytes {
            return client.send(&self.epoll, &buffer[..len]);
        }
        client.partial.extend_from_slice(&buffer[..len]);
        let frames = take_frames(&mut client.partial);
        if frames.is_empty() {
            return Ok(());
        }
        if self.mode == Mode::Frames {
            return client.send(&self.epoll, &frames);
        }
        if self.mode == Mode::Rooms {
            for &member in &self.rooms[client.room] {
                if let Some(client) = &mut self.clients[member] {
                    client.send(&self.epoll, &frames)?;
                }
            }
            return Ok(());
        }
        for (other, client) in self.clients.iter_mut().enumerate() {
            if let Some(client) = client
                && client.open
                && other != fd
            {
                client.send(&self.epoll, &frames)?;
            }
        }
        Ok(())
    }

    fn go_on_sending(&mut self, fd: usize) -> Result<()> {
        let Some(client) = &mut self.clients[fd] else {
            return Ok(());
        };
        let unsent = std::mem::take(&mut client.unsent);
        let data = EventData::new_u64(fd as u64);
        epoll::modify(&self.epoll, &client.socket, data, EventFlags::IN)?;
        client.send(&self.epoll, &unsent)
    }
}

impl Client {
    /// Sends what the socket takes. While something is left, nothing is read.
    fn send(&mut self, epoll: &OwnedFd, bytes: &[u8]) -> Result<()> {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let sent = match net::send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(sent) => sent,
            Err(Errno::AGAIN) => 0,
            // The next read tells that it is gone.
            Err(_) => return Ok(()),
        };
        if sent < bytes.len() {
            self.unsent.extend_from_slice(&bytes[sent..]);
            let data = EventData::new_u64(self.socket.as_raw_fd() as u64);
            epoll::modify(epoll, &self.socket, data, EventFlags::OUT)?;
        }
        Ok(())
    }
}

/// Takes the whole frames out of `partial`, as a server's frames.
fn take_frames(partial: &mut Vec<u8>) -> Vec<u8> {
    let mut frames = Vec::new();
    let mut taken = 0;
    while let [_, second, rest @ ..] = &partial[taken..] {
        let (len, len_bytes) = match (second & LENGTH_BITS, rest) {
            (LENGTH_IN_TWO_BYTES, [high, low, ..]) => (u16::from_be_bytes([*high, *low]), 2),
            (LENGTH_IN_TWO_BYTES, _) => break,
            (len, _) => (u16::from(len), 0),
        };
        assert!(second & LENGTH_BITS <= LENGTH_IN_TWO_BYTES, "a long frame");
        let Some((key, masked)) = rest[len_bytes..].split_first_chunk::<KEY_BYTES>() else {
            break;
        };
        let Some(masked) = masked.get(..usize::from(len)) else {
            break;
        };
        let head = 2 + len_bytes;
        frames.extend(&partial[taken..taken + head]);
        let second_of_frame = frames.len() - head + 1;
        frames[second_of_frame] &= LENGTH_BITS;
        frames.extend(
            masked
                .iter()
                .zip(key.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
        taken += head + KEY_BYTES + usize::from(len);
    }
    partial.drain(..taken);
    frames
}
