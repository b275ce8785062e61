//! What the server sends, at the moment when it goes into an outbox.

use std::collections::HashMap;

use suda_engine::memory::MemoryStore;
use suda_engine::{Cursor, RoomId, UserId};
use suda_protocol::v1::command::Request;
use suda_protocol::v1::push::Event;
use suda_protocol::v1::reply::Result as Reply;
use suda_protocol::v1::server_message::Kind;
use suda_protocol::v1::{self, Continuity};
use uuid::Uuid;

use super::Checker;
use crate::connection::OUTBOX_BYTES_MAX;
use crate::timeline::ConnId;

/// Bytes that an outbox may hold beyond its bound for entries: an answer for each of the six commands that may be in flight, the
/// longest of which are pages of eight entries, and a push for each of four rooms and for each heartbeat until the reader is given up.
const BEYOND_BYTES_MAX: usize = 16 * 1024;

/// One connection as the client is entitled to see it.
#[derive(Debug, Default)]
pub(super) struct Wire {
    asked: HashMap<u64, Request>,
    /// The next seq of each open room.
    next: HashMap<String, u64>,
}

impl Wire {
    /// Whether a stream of the room is open, and nobody wants it closed.
    fn goes_on(&self, room: &str) -> bool {
        let is_close =
            |request: &Request| matches!(request, Request::Close(close) if close.room == room);
        self.next.contains_key(room) && !self.asked.values().any(is_close)
    }
}

impl Checker {
    /// The server has read a command.
    pub(crate) fn asked(&mut self, conn: ConnId, command: &v1::Command) {
        let Some(request) = &command.request else {
            return;
        };
        let wire = self.wires.entry(conn).or_default();
        let goes_on = match request {
            Request::Open(open) => wire.goes_on(&open.room),
            _ => false,
        };
        wire.asked.insert(command.id, request.clone());
        if goes_on {
            self.repaired("by a client that opened it again");
        }
    }

    /// The connection's streams must have had what was shown so far of each room, but for those that wait for the store.
    pub(crate) fn rests(&mut self, conn: ConnId, shown: &HashMap<String, u64>, filling: &[String]) {
        let Some(wire) = self.wires.get(&conn) else {
            return;
        };
        let behind = wire.next.iter().find(|(room, next)| {
            shown.get(*room).is_some_and(|top| top >= *next) && !filling.contains(room)
        });
        if let Some((room, next)) = behind {
            let next = *next;
            let violation = format!(
                "G4: nobody is due any more, but connection {conn} was not sent seq {next} of room {room}"
            );
            self.fail(violation);
        }
    }

    /// The connection is gone.
    pub(crate) fn gone(&mut self, conn: ConnId) {
        self.wires.remove(&conn);
    }

    /// Which room a reply or push is about to open again after a lag: the cursor that an `Open` came with.
    pub(crate) fn cursor_of(&self, conn: ConnId, command_id: u64) -> Option<Option<v1::Cursor>> {
        match self.wires.get(&conn)?.asked.get(&command_id)? {
            Request::Open(open) => Some(open.cursor.clone()),
            _ => None,
        }
    }

    /// The server sends this.
    pub(crate) fn sending(
        &mut self,
        conn: ConnId,
        user: Option<UserId>,
        message: &v1::ServerMessage,
        store: &MemoryStore,
    ) {
        match &message.kind {
            Some(Kind::Reply(reply)) => self.replying(conn, user, reply, store),
            Some(Kind::Push(v1::Push { event: Some(event) })) => {
                self.pushing(conn, user, event, store)
            }
            Some(Kind::Push(_)) | None => self.fail("an empty message was sent"),
        }
    }

    /// The server's outbox for this connection holds so much now.
    pub(crate) fn holding(&mut self, conn: ConnId, outbox_bytes: usize) {
        let bytes_max = OUTBOX_BYTES_MAX + BEYOND_BYTES_MAX;
        self.expect(outbox_bytes <= bytes_max, || {
            format!("G6: {outbox_bytes} bytes wait on connection {conn}, though {bytes_max} are the most")
        });
    }

    fn replying(
        &mut self,
        conn: ConnId,
        user: Option<UserId>,
        reply: &v1::Reply,
        store: &MemoryStore,
    ) {
        let Some(request) = self.wires.entry(conn).or_default().asked.remove(&reply.id) else {
            return self.fail(format!(
                "command {} was answered twice, or never asked",
                reply.id
            ));
        };
        match (&request, &reply.result) {
            (Request::Open(open), Some(Reply::Opened(opened))) => {
                self.opened(conn, open, opened, store)
            }
            (Request::Close(_), Some(Reply::Closed(closed))) => {
                self.wires
                    .entry(conn)
                    .or_default()
                    .next
                    .remove(&closed.room);
            }
            (Request::Log(log), Some(Reply::LogPage(page))) => {
                let first = log.after.as_ref().map_or(0, |after| after.seq) + 1;
                for (entry, seq) in page.entries.iter().zip(first..) {
                    self.expect(entry.seq == seq, || {
                        format!("G3: a page holds seq {} in the place of {seq}", entry.seq)
                    });
                    self.permitted(user, entry, store);
                }
            }
            (Request::Post(post), Some(Reply::Posted(posted))) => {
                self.expect(
                    Self::is_durable(store, &posted.room, posted.seq, &posted.id),
                    || format!("G5: {:?} was acknowledged before it was durable", post.text),
                );
                self.first_answer(user, &post.client_id, (posted.seq, posted.id.clone()));
            }
            (Request::Join(join), Some(Reply::Joined(joined))) => {
                self.done(user, &join.client_id, joined.room.as_ref(), store);
            }
            (Request::CreateRoom(create), Some(Reply::RoomCreation(creation))) => {
                self.done(user, &create.client_id, creation.room.as_ref(), store);
            }
            (Request::Leave(leave), Some(Reply::Left(_))) => {
                self.done(user, &leave.client_id, None, store)
            }
            (_, Some(_)) => {}
            (_, None) => self.fail("a reply without a result was sent"),
        }
    }

    fn opened(&mut self, conn: ConnId, open: &v1::Open, opened: &v1::Opened, store: &MemoryStore) {
        let Some(room) = &opened.room else {
            return self.fail("a room was opened that is not told");
        };
        let top = room.top.clone().unwrap_or_default();
        let cursor = open.cursor.clone().unwrap_or(top);
        let there = cursor.seq == 0 || Self::is_durable(store, &room.id, cursor.seq, &cursor.id);
        let next = &mut self.wires.entry(conn).or_default().next;
        match opened.continuity() {
            Continuity::Continues => {
                next.insert(room.id.clone(), cursor.seq + 1);
                self.expect(there, || {
                    format!(
                        "G4: a stream goes on after seq {}, of another past",
                        cursor.seq
                    )
                });
            }
            Continuity::Page => drop(next.remove(&room.id)),
            Continuity::OtherPast => {
                next.remove(&room.id);
                self.expect(!there, || {
                    format!(
                        "G4: seq {} was called another past, but it is not",
                        cursor.seq
                    )
                });
            }
            Continuity::Unspecified => self.fail("a room was opened without saying how"),
        }
    }

    fn pushing(&mut self, conn: ConnId, user: Option<UserId>, event: &Event, store: &MemoryStore) {
        let next = &mut self.wires.entry(conn).or_default().next;
        match event {
            Event::Entry(entry) => {
                let expected = next
                    .get_mut(&entry.room)
                    .map(|next| std::mem::replace(next, entry.seq + 1));
                self.expect(expected == Some(entry.seq), || {
                    format!(
                        "G3: seq {} was sent on connection {conn}, where {expected:?} was to come",
                        entry.seq
                    )
                });
                self.permitted(user, entry, store);
            }
            Event::Lag(lag) => {
                next.remove(&lag.room);
                self.told(user, &lag.room, lag.top.as_ref(), store);
            }
            Event::Removed(removed) => drop(next.remove(&removed.room)),
            Event::Heartbeat(heartbeat) => {
                for top in &heartbeat.tops {
                    self.told(user, &top.room, top.top.as_ref(), store);
                }
            }
            Event::GoingAway(_) => {}
        }
    }

    fn permitted(&mut self, user: Option<UserId>, entry: &v1::Entry, store: &MemoryStore) {
        self.expect(
            Self::is_durable(store, &entry.room, entry.seq, &entry.id),
            || format!("G5: seq {} was sent before it was durable", entry.seq),
        );
        let Some(last) = self.last_permitted(user, &entry.room, store) else {
            return self.fail("G8: an entry was sent to nobody");
        };
        self.expect(entry.seq <= last, || {
            format!(
                "G8: seq {} was sent to a user who was removed at seq {last}",
                entry.seq
            )
        });
    }

    /// A user is told that the room has this entry.
    fn told(
        &mut self,
        user: Option<UserId>,
        room: &str,
        top: Option<&v1::Cursor>,
        store: &MemoryStore,
    ) {
        let (Some(top), Some(last)) = (top, self.last_permitted(user, room, store)) else {
            return self.fail("G8: nobody was told of an entry, or somebody of none");
        };
        self.expect(top.seq <= last, || {
            format!(
                "G8: a user who was removed at seq {last} was told of seq {}",
                top.seq
            )
        });
    }

    /// The last entry that a user may know of.
    fn last_permitted(&self, user: Option<UserId>, room: &str, store: &MemoryStore) -> Option<u64> {
        let (user, room) = user.zip(room.parse::<RoomId>().ok())?;
        Some(if store.is_member(room, user) {
            u64::MAX
        } else {
            self.removed_at.get(&(room, user)).copied().unwrap_or(0)
        })
    }

    fn done(
        &mut self,
        user: Option<UserId>,
        client_id: &str,
        room: Option<&v1::Room>,
        store: &MemoryStore,
    ) {
        let Some((user, client_id)) = user.zip(client_id.parse::<Uuid>().ok()) else {
            return self.fail("an answer was sent to nobody");
        };
        let Some(row) = store.answered(user, client_id.into()) else {
            return self.fail("G5: a command was acknowledged before it was durable");
        };
        let cursor = Cursor {
            seq: row.seq,
            id: row.id,
        }
        .to_wire();
        let told = room
            .and_then(|room| room.top.clone())
            .unwrap_or_else(|| cursor.clone());
        self.expect(told == cursor, || {
            format!(
                "G2: the answer tells seq {}, the first one told {}",
                told.seq, cursor.seq
            )
        });
    }

    fn first_answer(&mut self, user: Option<UserId>, client_id: &str, answer: (u64, String)) {
        let Some((user, client_id)) = user.zip(client_id.parse().ok()) else {
            return self.fail("an answer was sent to nobody");
        };
        let first = self
            .answers
            .entry((user, client_id))
            .or_insert_with(|| answer.clone())
            .clone();
        self.expect(first == answer, || {
            format!(
                "G2: one client id was answered with seq {} and with seq {}",
                first.0, answer.0
            )
        });
    }
}
