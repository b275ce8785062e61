//! All connections of a worker: the outboxes that its roster fills.

use super::connection::{Connection, Key};
use super::key_hash::KeyHash;
use super::shared_entry::SharedEntry;
use super::turn::Turn;
use std::collections::{HashMap, VecDeque};
use suda_engine::Sequenced as _;
use suda_engine::roster::{Effect, FillRequest, Offered, Outboxes};
use suda_protocol::v1::{self, server_message};

#[derive(Debug)]
pub(super) struct Connections {
    /// Boxed, so that the free places of the map are small: up to half of all are free.
    all: HashMap<Key, Box<Connection>, KeyHash>,
    /// Those to which something was queued and that were not written to since, each once. Who has waited longest comes first.
    touched: VecDeque<Key>,
    /// What the roster wants to be read from the store.
    fills: Vec<FillRequest<Key>>,
    /// While the roster gives turns: what is to be sent past outboxes that are empty.
    turn: Option<Turn>,
    outbox_bytes_max: usize,
}

impl Connections {
    pub(super) fn new(outbox_bytes_max: usize) -> Self {
        Self {
            all: HashMap::default(),
            touched: VecDeque::new(),
            fills: Vec::new(),
            turn: None,
            outbox_bytes_max,
        }
    }

    pub(super) fn outbox_bytes_max(&self) -> usize {
        self.outbox_bytes_max
    }

    pub(super) fn insert(&mut self, key: Key, connection: Connection) {
        self.all.insert(key, Box::new(connection));
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Box<Connection>> {
        self.all.remove(&key)
    }

    pub(super) fn get(&self, key: Key) -> Option<&Connection> {
        self.all.get(&key).map(Box::as_ref)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Connection> {
        self.all.get_mut(&key).map(Box::as_mut)
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        self.all.keys().copied().collect()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Connection> {
        self.all.values().map(Box::as_ref)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The connection, noted for a flush.
    pub(super) fn touch(&mut self, key: Key) -> Option<&mut Connection> {
        let connection = self.all.get_mut(&key)?;
        // What it was offered in this turn comes before what is about to be queued.
        for frame in (self.turn.as_mut()).map_or_else(Vec::new, |turn| turn.take_back(key)) {
            connection.send_frame(&frame);
        }
        if !connection.touched {
            connection.touched = true;
            self.touched.push_back(key);
        }
        Some(connection)
    }

    pub(super) fn reply(&mut self, key: Key, reply: v1::Reply) {
        if let Some(connection) = self.touch(key) {
            connection.reply(reply);
        }
    }

    /// Answers a command that never was in flight. The client chose its id, which may be that of one that is: this answer
    /// must not free that one's place, or there would be no bound on the commands in flight.
    pub(super) fn reply_at_once(&mut self, key: Key, reply: v1::Reply) {
        if let Some(connection) = self.touch(key) {
            connection.send(server_message::Kind::Reply(reply));
        }
    }

    pub(super) fn push(&mut self, key: Key, event: v1::push::Event) {
        if let Some(connection) = self.touch(key) {
            connection.push(event);
        }
    }

    pub(super) fn has_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Takes those out that have waited longest to be written to. Some may be gone since.
    pub(super) fn take_touched(&mut self, count_max: usize) -> Vec<Key> {
        let count = self.touched.len().min(count_max);
        let keys: Vec<Key> = self.touched.drain(..count).collect();
        for key in &keys {
            if let Some(connection) = self.all.get_mut(key) {
                connection.touched = false;
            }
        }
        keys
    }

    /// From here to [`end_turn`](Self::end_turn) entries for whom nothing waits are not queued.
    pub(super) fn begin_turn(&mut self) {
        self.turn = Some(Turn::default());
    }

    /// What is to be sent now, before anything else is done.
    pub(super) fn end_turn(&mut self) -> Turn {
        self.turn.take().unwrap_or_default()
    }

    pub(super) fn take_fills(&mut self) -> Vec<FillRequest<Key>> {
        std::mem::take(&mut self.fills)
    }
}

impl Outboxes<Key, SharedEntry> for Connections {
    fn offer(&mut self, member: Key, entry: &SharedEntry) -> Offered {
        let outbox_bytes_max = self.outbox_bytes_max;
        let Some(connection) = self.touch(member) else {
            // Gone; the roster hears of it right after this.
            return Offered::Taken;
        };
        if connection.has_no_room(outbox_bytes_max) {
            tracing::debug!(
                connection = member,
                seq = entry.cursor().seq,
                "an outbox is full"
            );
            connection.refused = true;
            return Offered::Full;
        }
        let frame = entry.frame(connection.codec);
        connection.send_frame(frame);
        Offered::Taken
    }

    fn offer_all(&mut self, member: Key, entries: &[SharedEntry]) -> usize {
        if let Some(turn) = &mut self.turn
            && let Some(connection) = self.all.get(&member)
            && connection.has_nothing_to_send()
            && turn.take(member, connection.codec, entries, self.outbox_bytes_max)
        {
            return entries.len();
        }
        let taken = |entry: &&SharedEntry| self.offer(member, entry) == Offered::Taken;
        entries.iter().take_while(taken).count()
    }

    fn effect(&mut self, effect: Effect<Key>) {
        match effect {
            Effect::Fill(request) => self.fills.push(request),
            Effect::Reply { member, reply } => self.reply(member, reply),
            Effect::Lag { member, .. } | Effect::Removed { member, .. } => {
                if let Some(event) = effect.push().and_then(|push| push.event) {
                    self.push(member, event);
                }
            }
        }
    }
}
