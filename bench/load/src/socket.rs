//! TCP sockets to the server, without what an event loop would put around them.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::{
    io::Errno,
    net::{
        self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType,
        sockopt::{self, Timeout},
    },
};

/// Client addresses 127.0.0.2 and up, so that many thousand connections find free ports.
const SOURCE_ADDRESSES: usize = 8;
/// How long a blocking socket waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Socket(OwnedFd);

/// What a call on a socket that does not block gave.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    Bytes(usize),
    WouldBlock,
}

impl Socket {
    /// The `index`-th connection, made when this returns.
    pub(crate) fn connect(port: u16, index: usize) -> Result<Self> {
        let socket = Self::open(port, index, SocketFlags::CLOEXEC)?;
        sockopt::set_socket_timeout(&socket.0, Timeout::Recv, Some(ANSWER_TIMEOUT))?;
        Ok(socket)
    }

    /// The `index`-th connection, made when it becomes writable.
    pub(crate) fn begin_connect(port: u16, index: usize) -> Result<Self> {
        Self::open(port, index, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)
    }

    fn open(port: u16, index: usize, flags: SocketFlags) -> Result<Self> {
        let fd = net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)
            .context("socket")?;
        sockopt::set_tcp_nodelay(&fd, true)?;
        let last = 2 + (index % SOURCE_ADDRESSES) as u8;
        net::bind(&fd, &SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, last), 0)).context("bind")?;
        match net::connect(&fd, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(Self(fd)),
            Err(error) => Err(error).context("connect"),
        }
    }

    pub(crate) fn set_nonblocking(&self) -> Result<()> {
        rustix::io::ioctl_fionbio(&self.0, true)?;
        Ok(())
    }

    /// Closing it from now on resets the connection, which leaves no port behind in TIME_WAIT.
    pub(crate) fn reset_on_close(&self) -> Result<()> {
        sockopt::set_socket_linger(&self.0, Some(Duration::ZERO))?;
        Ok(())
    }

    pub(crate) fn send(&self, bytes: &[u8]) -> Result<Moved> {
        moved(net::send(&self.0, bytes, SendFlags::NOSIGNAL)).context("send")
    }

    /// All of it, or an error.
    pub(crate) fn send_whole(&self, bytes: &[u8]) -> Result<()> {
        match self.send(bytes)? {
            Moved::Bytes(sent) if sent == bytes.len() => Ok(()),
            _ => anyhow::bail!("the socket did not take {} bytes at once", bytes.len()),
        }
    }

    /// The server closing the connection is an error.
    pub(crate) fn receive(&self, room: &mut [u8]) -> Result<Moved> {
        self.receive_with(room, RecvFlags::empty())
    }

    /// Drops up to as many bytes as `room` has inside the kernel; `room` is not touched.
    pub(crate) fn discard(&self, room: &mut [u8]) -> Result<Moved> {
        self.receive_with(room, RecvFlags::TRUNC)
    }

    fn receive_with(&self, room: &mut [u8], flags: RecvFlags) -> Result<Moved> {
        match moved(net::recv(&self.0, room, flags).map(|(_, len)| len)).context("receive")? {
            Moved::Bytes(0) => anyhow::bail!("the server closed a connection"),
            moved => Ok(moved),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn moved(result: rustix::io::Result<usize>) -> Result<Moved> {
    match result {
        Ok(bytes) => Ok(Moved::Bytes(bytes)),
        Err(Errno::AGAIN) => Ok(Moved::WouldBlock),
        Err(error) => Err(error.into()),
    }
}
