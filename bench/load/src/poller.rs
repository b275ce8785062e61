//! Which sockets are ready: level-triggered epoll.

use std::{os::fd::OwnedFd, time::Duration};

use anyhow::{Context, Result};
use rustix::event::{
    Timespec,
    epoll::{self, CreateFlags, Event, EventData, EventFlags},
};

use crate::socket::Socket;

/// Events taken at once.
const EVENTS_MAX: usize = 1024;

pub(crate) struct Poller {
    epoll: OwnedFd,
    events: Vec<Event>,
}

#[derive(Clone, Copy)]
pub(crate) enum Interest {
    Readable,
    Writable,
    Both,
}

#[derive(Clone, Copy)]
pub(crate) struct Ready {
    pub(crate) token: usize,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

impl Interest {
    fn flags(self) -> EventFlags {
        match self {
            Self::Readable => EventFlags::IN,
            Self::Writable => EventFlags::OUT,
            Self::Both => EventFlags::IN | EventFlags::OUT,
        }
    }
}

impl Poller {
    pub(crate) fn new() -> Result<Self> {
        let none = Event {
            flags: EventFlags::empty(),
            data: EventData::new_u64(0),
        };
        Ok(Self {
            epoll: epoll::create(CreateFlags::CLOEXEC).context("epoll_create")?,
            events: vec![none; EVENTS_MAX],
        })
    }

    pub(crate) fn add(&self, socket: &Socket, token: usize, interest: Interest) -> Result<()> {
        let data = EventData::new_u64(token as u64);
        epoll::add(&self.epoll, socket, data, interest.flags()).context("epoll_ctl")
    }

    pub(crate) fn change(&self, socket: &Socket, token: usize, interest: Interest) -> Result<()> {
        let data = EventData::new_u64(token as u64);
        epoll::modify(&self.epoll, socket, data, interest.flags()).context("epoll_ctl")
    }

    /// Gives how many are ready; [`Self::ready`] tells which.
    pub(crate) fn wait(&mut self, timeout: Duration) -> Result<usize> {
        let timeout = Timespec::try_from(timeout)?;
        epoll::wait(&self.epoll, self.events.as_mut_slice(), Some(&timeout)).context("epoll_wait")
    }

    pub(crate) fn ready(&self, index: usize) -> Ready {
        let Event { flags, data } = self.events[index];
        Ready {
            token: data.u64() as usize,
            readable: flags.intersects(!EventFlags::OUT),
            writable: flags.contains(EventFlags::OUT),
        }
    }
}
