//! A simulated client: the real machine, and the thin driver that a real one has too.

use std::collections::BTreeMap;

use suda_client::{Config, ConnectionOrder, Event, Machine};
use suda_protocol::v1;

use crate::connection::Link;
use crate::rng::Rng;
use crate::stats::Mark;
use crate::timeline::{ConnId, Happening, Time};
use crate::world::{USERS, World};

/// Milliseconds after which a driver gives up a connection attempt.
const DIAL_TIMEOUT_MS: u64 = 10_000;

pub(crate) struct Client {
    pub(crate) machine: Machine,
    /// Which user it is of.
    pub(crate) user: usize,
    pub(crate) conn: Option<ConnId>,
    /// The connection was made, or given up.
    dialed: bool,
    timeout_at: Option<Time>,
    /// Rooms that the person has open: the name, and the id once it is known.
    pub(crate) open: BTreeMap<String, Option<String>>,
    /// How much this person has said.
    pub(crate) said: u64,
}

impl Client {
    pub(crate) fn new(index: usize, rng: &mut Rng) -> Self {
        let user = index % USERS;
        Self {
            machine: machine(rng),
            user,
            conn: None,
            dialed: false,
            timeout_at: None,
            open: BTreeMap::new(),
            said: 0,
        }
    }
}

pub(crate) fn machine(rng: &mut Rng) -> Machine {
    let device = rng.uuid().to_string();
    Machine::new(Config {
        token: "token".into(),
        device,
        client: "simulator/1".into(),
        seed: rng.next(),
    })
}

impl World {
    /// Does all that a machine wants, as a driver does after every call.
    pub(crate) fn drain_machine(&mut self, index: usize) {
        while let Some(order) = self.clients[index].machine.poll_connection() {
            match order {
                ConnectionOrder::Connect => self.connect(index),
                ConnectionOrder::Drop => self.hang_up(index),
            }
        }
        while let Some(command) = self.clients[index].machine.poll_transmit() {
            self.transmit(index, command);
        }
        while let Some(event) = self.clients[index].machine.poll_event() {
            self.event(index, event);
        }
        let at = self.clients[index].machine.poll_timeout();
        if let Some(at) = at
            && self.clients[index]
                .timeout_at
                .is_none_or(|planned| planned > at || planned < self.now())
        {
            self.clients[index].timeout_at = Some(at);
            self.timeline
                .at(at, Happening::Timeout { client: index, at });
        }
    }

    pub(crate) fn machine_timeout(&mut self, index: usize, at: Time) {
        if self.clients[index].timeout_at != Some(at) {
            return;
        }
        self.clients[index].timeout_at = None;
        let now = self.now();
        self.clients[index].machine.handle_timeout(now);
        self.drain_machine(index);
    }

    fn connect(&mut self, index: usize) {
        self.last_conn += 1;
        let conn = self.last_conn;
        self.say(|| format!("client {index} dials, connection {conn}"));
        self.links.insert(conn, Link::new(index));
        self.clients[index].conn = Some(conn);
        self.clients[index].dialed = false;
        self.timeline.after(
            DIAL_TIMEOUT_MS,
            Happening::DialTimeout {
                client: index,
                conn,
            },
        );
        let latency_ms = self.latency_ms();
        self.timeline.after(
            latency_ms,
            Happening::Dial {
                client: index,
                conn,
            },
        );
    }

    /// The machine gives its connection up; the server hears of it if the link still carries anything.
    pub(crate) fn hang_up(&mut self, index: usize) {
        let Some(conn) = self.clients[index].conn.take() else {
            return;
        };
        self.say(|| format!("client {index} drops connection {conn}"));
        let latency_ms = self.latency_ms();
        self.timeline
            .after(latency_ms, Happening::GoneAtServer { conn });
    }

    pub(crate) fn dialed(&mut self, index: usize, conn: ConnId) {
        let lost = self
            .links
            .get(&conn)
            .is_none_or(|link| link.cut || link.silent_to_client);
        if !lost && self.clients[index].conn == Some(conn) {
            self.clients[index].dialed = true;
            let now = self.now();
            self.clients[index].machine.handle_connected(now);
            self.drain_machine(index);
        }
    }

    pub(crate) fn dial_timeout(&mut self, index: usize, conn: ConnId) {
        if self.clients[index].conn == Some(conn) && !self.clients[index].dialed {
            self.hang_up(index);
            let now = self.now();
            self.clients[index].machine.handle_disconnected(now, None);
            self.drain_machine(index);
        }
    }

    fn transmit(&mut self, index: usize, command: v1::Command) {
        let Some(conn) = self.clients[index].conn else {
            return;
        };
        self.mark_reopening(index, &command);
        let latency_ms = self.latency_ms() as i64;
        let now = self.now();
        let Some(link) = self.links.get_mut(&conn) else {
            return;
        };
        link.to_server_at = link.to_server_at.max(now + latency_ms);
        self.timeline
            .at(link.to_server_at, Happening::ToServer { conn, command });
    }

    fn mark_reopening(&mut self, index: usize, command: &v1::Command) {
        if let Some(v1::command::Request::Open(open)) = &command.request
            && self.lagged.remove(&(index, open.room.clone()))
        {
            self.stats.mark(Mark::OpenAgainAfterLag);
        }
    }

    pub(crate) fn at_client(&mut self, index: usize, conn: ConnId, message: v1::ServerMessage) {
        let lost = self
            .links
            .get(&conn)
            .is_none_or(|link| link.cut || link.silent_to_client);
        if lost || self.clients[index].conn != Some(conn) {
            return;
        }
        let now = self.now();
        self.say(|| format!("client {index} gets on {conn}: {message:?}"));
        self.clients[index].machine.handle_message(now, message);
        self.drain_machine(index);
    }

    pub(crate) fn gone_at_client(&mut self, index: usize, conn: ConnId, close_code: Option<u16>) {
        let silent = self
            .links
            .get(&conn)
            .is_some_and(|link| link.silent_to_client && !link.cut);
        if silent || self.clients[index].conn != Some(conn) {
            return;
        }
        self.say(|| format!("client {index} loses connection {conn}: {close_code:?}"));
        self.clients[index].conn = None;
        let now = self.now();
        self.clients[index]
            .machine
            .handle_disconnected(now, close_code);
        self.drain_machine(index);
    }

    fn event(&mut self, index: usize, event: Event) {
        self.say(|| format!("client {index} gives {event:?}"));
        self.checker.given(index, &event, &self.store);
        let client = &mut self.clients[index];
        match &event {
            Event::Entry(_) => self.stats.delivered += 1,
            Event::Reset { .. } => self.stats.mark(Mark::Reset),
            Event::Opened { asked, room, .. } => {
                if let Some(id) = client.open.get_mut(asked) {
                    *id = Some(room.id.clone());
                }
            }
            Event::OpenRefused { asked, .. } => drop(client.open.remove(asked)),
            Event::Removed { room } => client.open.retain(|_, id| id.as_ref() != Some(room)),
            _ => {}
        }
    }

    /// What is still missing at a client, if anything.
    pub(crate) fn client_lacks(&self, index: usize) -> Option<String> {
        let client = &self.clients[index];
        if !client.machine.is_online() {
            return Some(format!("client {index} is offline"));
        }
        let rooms: Option<Vec<String>> = client.open.values().cloned().collect();
        match rooms {
            None => Some(format!("client {index} waits for a room to open")),
            Some(rooms) if rooms.is_empty() => Some(format!("client {index} has no room open")),
            Some(rooms) => self.checker.lacking(index, &rooms, &self.store),
        }
    }
}
