//! What clients give to the people in front of them.

use std::collections::BTreeMap;

use suda_client::{Event, Outcome};
use suda_engine::RoomId;
use suda_engine::memory::MemoryStore;
use suda_protocol::v1;
use uuid::Uuid;

use super::{Acknowledged, Checker, text_of};

/// A mutating command that a person gave to a client.
#[derive(Debug)]
pub(super) struct Order {
    client: usize,
    /// What was said, if it was a post.
    text: Option<String>,
    done: bool,
    refused: bool,
}

/// From where a client opens a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// From where its copy ends.
    Copy,
    /// From the newest entry on.
    Newest,
    /// From the first entry on.
    Beginning,
}

/// What one client has of one room.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The entry after which the copy starts.
    start: Option<v1::Cursor>,
    /// What follows it.
    copy: Vec<v1::Cursor>,
    open: bool,
}

impl Reader {
    fn last(&self) -> Option<&v1::Cursor> {
        self.copy.last().or(self.start.as_ref())
    }
}

impl Checker {
    /// A person gives a mutating command.
    pub(crate) fn ordered(&mut self, client: usize, client_id: Uuid, text: Option<String>) {
        self.orders.insert(
            client_id,
            Order {
                client,
                text,
                done: false,
                refused: false,
            },
        );
    }

    /// How far a client's copy of a room is.
    pub(crate) fn cursor(&self, client: usize, room: &str) -> Option<v1::Cursor> {
        self.readers
            .get(&(client, room.to_owned()))?
            .last()
            .cloned()
    }

    /// The client opens a room: from where its copy ends, or anew, with a new copy.
    pub(crate) fn opening(&mut self, client: usize, room: &str, from: From) {
        let reader = self.readers.entry((client, room.to_owned())).or_default();
        match from {
            From::Copy => {}
            From::Beginning => {
                *reader = Reader {
                    start: Some(v1::Cursor::default()),
                    ..Reader::default()
                }
            }
            From::Newest => *reader = Reader::default(),
        }
        reader.open = true;
    }

    /// The client wants no more of a room, or is gone itself.
    pub(crate) fn closed(&mut self, client: usize, room: &str) {
        if let Some(reader) = self.readers.get_mut(&(client, room.to_owned())) {
            reader.open = false;
        }
    }

    /// A client gives an event.
    pub(crate) fn given(&mut self, client: usize, event: &Event, store: &MemoryStore) {
        match event {
            Event::Opened { room, after, .. } => self.reader_opened(client, &room.id, after),
            Event::Entry(entry) => self.reader_entry(client, entry),
            Event::Reset { room } => {
                let restores = self.restores;
                self.expect(restores > 0, || {
                    format!("G4: client {client} was told to start anew without a restored backup")
                });
                let reader = self.readers.entry((client, room.clone())).or_default();
                *reader = Reader {
                    open: reader.open,
                    ..Reader::default()
                };
            }
            Event::Removed { room } => self.closed(client, room),
            Event::Accepted { client_id, outcome } => {
                self.accepted(client, *client_id, outcome, store)
            }
            Event::Refused { client_id, .. } => {
                if let Some(order) = self.finish(client, *client_id) {
                    order.refused = true;
                }
            }
            Event::SignedOut { error } => {
                self.fail(format!("client {client} was signed out: {error}"))
            }
            Event::Stopped { close_code, .. } => self.fail(format!(
                "client {client} was told not to come back: {close_code}"
            )),
            _ => {}
        }
    }

    fn reader_opened(&mut self, client: usize, room: &str, after: &v1::Cursor) {
        let reader = self.readers.entry((client, room.to_owned())).or_default();
        let last = reader.last().cloned();
        match last {
            Some(last) => self.expect(last == *after, || {
                format!(
                    "G4: client {client} goes on after seq {}, but has seq {}",
                    after.seq, last.seq
                )
            }),
            None => reader.start = Some(after.clone()),
        }
    }

    fn reader_entry(&mut self, client: usize, entry: &v1::Entry) {
        let reader = self
            .readers
            .entry((client, entry.room.clone()))
            .or_default();
        let open = reader.open;
        // A copy that starts anew starts at the beginning, unless the room was opened from its newest entry on.
        let next = reader.last().map_or(1, |last| last.seq + 1);
        reader.copy.push(v1::Cursor {
            seq: entry.seq,
            id: entry.id.clone(),
        });
        self.expect(open, || {
            format!(
                "client {client} gave seq {} of a room that is not open",
                entry.seq
            )
        });
        self.expect(entry.seq == next, || {
            format!(
                "G3: client {client} gave seq {} where {next} was to come",
                entry.seq
            )
        });
        let key = entry
            .room
            .parse::<RoomId>()
            .ok()
            .zip(entry.id.parse().ok())
            .map(|(room, id)| (room, entry.seq, id));
        let same = key
            .and_then(|key| self.known.get(&key))
            .is_some_and(|known| known.wire() == entry);
        self.expect(same, || {
            format!(
                "G5: client {client} gave seq {}, which never was on disk",
                entry.seq
            )
        });
    }

    fn finish(&mut self, client: usize, client_id: Uuid) -> Option<&mut Order> {
        let known = self
            .orders
            .get(&client_id)
            .is_some_and(|order| order.client == client && !order.done);
        self.expect(known, || {
            format!(
                "G2: client {client} gave an answer to a command that nobody gave, or gave it twice"
            )
        });
        let order = self.orders.get_mut(&client_id)?;
        order.done = true;
        Some(order)
    }

    fn accepted(&mut self, client: usize, client_id: Uuid, outcome: &Outcome, store: &MemoryStore) {
        let Some(text) = self
            .finish(client, client_id)
            .map(|order| order.text.clone())
        else {
            return;
        };
        let Outcome::Posted(posted) = outcome else {
            return;
        };
        let Some((room, id)) = posted
            .room
            .parse::<RoomId>()
            .ok()
            .zip(posted.id.parse().ok())
        else {
            return self.fail("an acknowledgement names no entry");
        };
        let text = text.unwrap_or_default();
        let same = self
            .known
            .get(&(room, posted.seq, id))
            .is_some_and(|entry| text_of(entry) == Some(text.as_str()));
        self.expect(same, || {
            format!(
                "G2: the answer to {text:?} names another entry, at seq {}",
                posted.seq
            )
        });
        // The answer may come from a past that a restored backup has ended since.
        if Self::is_durable(store, &posted.room, posted.seq, &posted.id) {
            self.acknowledged.push(Acknowledged {
                room,
                seq: posted.seq,
                id,
                text,
            });
        }
    }

    /// What a client with these rooms open (by id) still lacks, if anything. Asked again and again once it is calm.
    pub(crate) fn lacking(
        &self,
        client: usize,
        rooms: &[String],
        store: &MemoryStore,
    ) -> Option<String> {
        for room in rooms {
            let Some(reader) = self
                .readers
                .get(&(client, room.clone()))
                .filter(|reader| reader.open)
            else {
                return Some(format!("client {client} has no stream of room {room}"));
            };
            let start = reader.start.as_ref().map_or(0, |start| start.seq);
            let Ok(id) = room.parse::<RoomId>() else {
                return Some(format!("{room} is no room"));
            };
            let log = store.log(id).get(start as usize..).unwrap_or_default();
            let same = log.len() == reader.copy.len()
                && log
                    .iter()
                    .zip(&reader.copy)
                    .all(|(entry, copy)| entry.wire().id == copy.id);
            if !same {
                let copy_top = reader.last().map_or(0, |last| last.seq);
                return Some(format!(
                    "client {client} is at seq {copy_top} of room {room}, whose log ends at {}",
                    store.log(id).len()
                ));
            }
        }
        self.orders
            .values()
            .find(|order| order.client == client && !order.done)
            .map(|order| format!("client {client} has no answer to {:?}", order.text))
    }

    /// In the end: refused is refused (G2), acknowledged is there (G1).
    pub(crate) fn finished(&mut self, store: &MemoryStore) {
        self.started(store);
        let refused: BTreeMap<String, usize> = self
            .orders
            .values()
            .filter(|order| order.refused)
            .filter_map(|order| Some((order.text.clone()?, order.client)))
            .collect();
        for room in store.rooms() {
            for text in store.log(room).iter().filter_map(|entry| text_of(entry)) {
                self.expect(!refused.contains_key(text), || {
                    format!("G2: {text:?} was refused, but stands in the log")
                });
            }
        }
    }
}
