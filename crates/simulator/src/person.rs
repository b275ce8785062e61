//! The people in front of the clients: they talk, come and go, and restart their devices.

use suda_protocol::v1::Cursor;

use crate::checker::From;
use crate::client::machine;
use crate::stats::Mark;
use crate::timeline::Happening;
use crate::world::{ROOMS, World};

impl World {
    /// A person does one thing, and plans the next.
    pub(crate) fn act(&mut self, index: usize) {
        if !self.chaos {
            return;
        }
        let wait_ms = if self.rng.chance(10) {
            self.rng.between(0, 5)
        } else {
            self.rng.between(50, 900)
        };
        self.timeline
            .after(wait_ms, Happening::Act { client: index });
        // Most of it happens in the first room.
        let rooms = if self.rng.chance(70) { 1 } else { ROOMS.len() };
        let room = ROOMS[self.rng.index(rooms)];
        match self.rng.between(0, 99) {
            0..=54 => {
                for _ in 0..if self.rng.chance(15) { 6 } else { 1 } {
                    self.post(index, room);
                }
            }
            55..=74 => self.open(index, room),
            75..=80 => self.close(index, room),
            81..=86 => self.join(index, room),
            87..=89 => self.leave(index, room),
            90..=91 => {
                let name = format!("방 {}", self.rng.between(1, 3));
                let (now, client_id) = (self.now(), self.rng.uuid());
                if self.clients[index]
                    .machine
                    .create_room(now, client_id, &name)
                    .is_ok()
                {
                    self.checker.ordered(index, client_id, None);
                }
            }
            92..=94 => {
                let now = self.now();
                // The answers are looked at on the wire.
                let _ = self.clients[index].machine.messages(now, room, 0, 0);
                let _ = self.clients[index].machine.list_rooms(now, true, "");
            }
            95..=96 => self.restart(index),
            _ => {}
        }
        self.drain_machine(index);
    }

    fn post(&mut self, index: usize, room: &str) {
        self.clients[index].said += 1;
        let text = format!("{index}번이 {}번째로", self.clients[index].said);
        let (now, client_id) = (self.now(), self.rng.uuid());
        if self.clients[index]
            .machine
            .post(now, room, client_id, &text, 0)
            .is_ok()
        {
            self.checker.ordered(index, client_id, Some(text));
        }
    }

    fn join(&mut self, index: usize, room: &str) {
        let (now, client_id) = (self.now(), self.rng.uuid());
        if self.clients[index]
            .machine
            .join(now, client_id, room)
            .is_ok()
        {
            self.checker.ordered(index, client_id, None);
        }
    }

    fn leave(&mut self, index: usize, room: &str) {
        let (now, client_id) = (self.now(), self.rng.uuid());
        if self.clients[index]
            .machine
            .leave(now, client_id, room)
            .is_ok()
        {
            self.checker.ordered(index, client_id, None);
        }
    }

    /// Opens a room: from where the client's copy ends, from the newest entry on, or from the beginning.
    fn open(&mut self, index: usize, room: &str) {
        if self.clients[index].open.contains_key(room) {
            return;
        }
        let id = self.room_id(room);
        let (from, cursor) = match self.checker.cursor(index, &id) {
            Some(cursor) if self.rng.chance(80) => (From::Copy, Some(cursor)),
            _ if self.rng.chance(40) => (From::Beginning, Some(Cursor::default())),
            _ => (From::Newest, None),
        };
        let now = self.now();
        if self.clients[index].machine.open(now, room, cursor).is_ok() {
            self.clients[index].open.insert(room.to_owned(), None);
            self.checker.opening(index, &id, from);
        }
    }

    fn close(&mut self, index: usize, room: &str) {
        let now = self.now();
        if self.clients[index].open.remove(room).is_some() {
            self.clients[index].machine.close(now, room);
            let id = self.room_id(room);
            self.checker.closed(index, &id);
        }
    }

    /// The device restarts. Its copies of the rooms and the commands without an answer are on its own disk.
    fn restart(&mut self, index: usize) {
        self.say(|| format!("client {index} restarts"));
        self.stats.mark(Mark::ClientRestarted);
        self.hang_up(index);
        let fresh = machine(&mut self.rng);
        let old = std::mem::replace(&mut self.clients[index].machine, fresh);
        let pending: Vec<_> = old.pending().cloned().collect();
        if let Err(error) = self.clients[index].machine.restore(pending) {
            self.checker.fail(format!(
                "client {index} could not take its own commands back: {error}"
            ));
        }
        for room in std::mem::take(&mut self.clients[index].open).into_keys() {
            let id = self.room_id(&room);
            self.checker.closed(index, &id);
            self.open(index, &room);
        }
    }

    /// The last wish of everybody: to be in the first room, and to read it.
    pub(crate) fn settle_down(&mut self, index: usize) {
        self.join(index, ROOMS[0]);
        self.open(index, ROOMS[0]);
        self.drain_machine(index);
    }

    /// A wish that came to nothing, because the person had left the room shortly before, say, is wished for again.
    pub(crate) fn insist(&mut self, index: usize) {
        let client = &self.clients[index];
        if !client.open.contains_key(ROOMS[0]) && client.machine.pending().next().is_none() {
            self.settle_down(index);
        }
    }

    /// The id of one of the rooms that exist from the beginning.
    fn room_id(&self, name: &str) -> String {
        let found = self
            .store
            .read(
                crate::world::user(0),
                &suda_engine::RoomRef::named(name),
                None,
                0,
            )
            .room;
        found.map(|room| room.id.to_string()).unwrap_or_default()
    }
}
