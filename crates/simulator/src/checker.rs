//! Holds what is sent and what clients give against the guarantees. It sees everything, simulates nothing, and remembers the first thing
//! that is wrong.
//!
//! What a guarantee means here:
//!
//! - G1: at every start and in the end, each acknowledged post is in the log, as it was acknowledged. (A restored backup begins another past:
//!   what came after it is void.)
//! - G2: no text stands twice in a log, a refused one not at all, and all answers to one client id are one.
//! - G3: logs and streams run 1, 2, 3 …, on the server's wire and out of each client.
//! - G4: in the end each reader has the log from where it started to the top, or was told to start anew, and only after a restored backup.
//! - G5: at the moment of sending, each entry and each acknowledgement is on the simulated disk.
//! - G6: no outbox holds more than its bound for entries and what the commands in flight may add.
//! - G8: nobody is sent an entry after the one that removed them, or told of one by a heartbeat or a lag.
//! - G9 is looked at by the world: it knows which links are silent.

mod clients;
mod wire;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use suda_engine::memory::MemoryStore;
use suda_engine::{Entry, EntryId, RoomId, UserId};
use suda_protocol::v1::entry::What;
use uuid::Uuid;

pub(crate) use clients::From;
use clients::{Order, Reader};
use wire::Wire;

use crate::timeline::ConnId;

/// A post that a client was told is on disk.
#[derive(Debug, Clone)]
struct Acknowledged {
    room: RoomId,
    seq: u64,
    id: EntryId,
    text: String,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Checker {
    /// Something may fail in this history.
    faults: bool,
    violation: Option<String>,
    /// Entries that were durable at some time, in any past.
    known: HashMap<(RoomId, u64, EntryId), Arc<Entry>>,
    /// The newest entry that removed a user from a room, in the present past.
    removed_at: HashMap<(RoomId, UserId), u64>,
    acknowledged: Vec<Acknowledged>,
    /// What was answered first, in the present past.
    answers: HashMap<(UserId, Uuid), (u64, String)>,
    restores: u64,
    wires: HashMap<ConnId, Wire>,
    orders: BTreeMap<Uuid, Order>,
    readers: BTreeMap<(usize, String), Reader>,
}

impl Checker {
    pub(crate) fn new(faults: bool) -> Self {
        Self {
            faults,
            ..Self::default()
        }
    }

    /// The first thing that was wrong.
    pub fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// Something is wrong.
    pub(crate) fn fail(&mut self, violation: impl Into<String>) {
        self.violation.get_or_insert_with(|| violation.into());
    }

    fn expect(&mut self, good: bool, violation: impl FnOnce() -> String) {
        if !good {
            self.fail(violation());
        }
    }

    /// A stream went on in a way that only faults justify.
    pub(crate) fn repaired(&mut self, how: &str) {
        let faults = self.faults;
        self.expect(faults, || {
            format!("G4: a stream was repaired {how}, in a history without faults")
        });
    }

    /// These entries have just become durable.
    pub(crate) fn durable(&mut self, entries: &[Arc<Entry>], store: &MemoryStore) {
        for entry in entries {
            let place = usize::try_from(entry.seq()).unwrap_or(0).wrapping_sub(1);
            let there = store
                .log(entry.room())
                .get(place)
                .is_some_and(|there| there.id() == entry.id());
            self.expect(there, || {
                format!(
                    "G3: entry {} of room {} was written to another place of the log",
                    entry.seq(),
                    entry.room()
                )
            });
            self.learn(entry);
        }
    }

    fn learn(&mut self, entry: &Arc<Entry>) {
        self.known
            .insert((entry.room(), entry.seq(), entry.id()), entry.clone());
        if let Some(user) = entry.removes() {
            self.removed_at.insert((entry.room(), user), entry.seq());
        }
    }

    /// An older copy of the disk is the disk now.
    pub(crate) fn restored(&mut self, store: &MemoryStore) {
        self.restores += 1;
        self.answers.clear();
        self.removed_at.clear();
        self.acknowledged.retain(|ack| {
            store
                .log(ack.room)
                .get(ack.seq as usize - 1)
                .is_some_and(|entry| entry.id() == ack.id)
        });
        for room in store.rooms() {
            for entry in store.log(room) {
                self.learn(entry);
            }
        }
    }

    /// The server starts: what was acknowledged must be there (G1), once (G2), in logs without a hole (G3).
    pub(crate) fn started(&mut self, store: &MemoryStore) {
        for ack in std::mem::take(&mut self.acknowledged) {
            let entry = store.log(ack.room).get(ack.seq as usize - 1);
            let there = entry.is_some_and(|entry| {
                entry.id() == ack.id && text_of(entry) == Some(ack.text.as_str())
            });
            self.expect(there, || {
                format!(
                    "G1: the acknowledged post {:?} is not at seq {} any more",
                    ack.text, ack.seq
                )
            });
            self.acknowledged.push(ack);
        }
        for room in store.rooms() {
            let mut texts = HashSet::new();
            for (index, entry) in store.log(room).iter().enumerate() {
                self.expect(entry.seq() == index as u64 + 1, || {
                    format!("G3: room {room} has a hole before seq {}", entry.seq())
                });
                if let Some(text) = text_of(entry) {
                    self.expect(texts.insert(text), || {
                        format!("G2: {text:?} stands in room {room} twice")
                    });
                }
            }
        }
    }

    fn is_durable(store: &MemoryStore, room: &str, seq: u64, id: &str) -> bool {
        let Ok(room) = room.parse::<RoomId>() else {
            return false;
        };
        let place = usize::try_from(seq).unwrap_or(0).wrapping_sub(1);
        store
            .log(room)
            .get(place)
            .is_some_and(|entry| entry.wire().id == id)
    }
}

fn text_of(entry: &Entry) -> Option<&str> {
    match entry.what() {
        Some(What::MessagePosted(posted)) => Some(&posted.text),
        _ => None,
    }
}
