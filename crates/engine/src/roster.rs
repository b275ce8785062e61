//! One worker's bookkeeping: which of its members have which rooms open, and how far each of them is.
//!
//! A member (the shell's key for a connection) is offered exactly its next seq. Something lower is dropped, something higher starts
//! filling: the store is asked for what lies between. So a lost batch, a fresh member, a slow one and a resumed one all go the same road.
//! What is committed is offered when the member's turn comes, together with all else that it has not got by then.
//!
//! There is no race between reading the store and the stream of batches, as long as the shell (1) calls [`Roster::open`]
//! *before* it reads for the [`FillRequest`] that comes out, and (2) hands every committed batch to every roster, in order, or calls
//! [`Roster::missed`]. What commits after the read then comes through [`Roster::committed`], and what was committed before is in the read.
//!
//! What lives here: places and decisions, single-threaded, for one worker. What doesn't: frames, sockets, the store.

mod effect;
mod fill;
mod held;
mod stream;
mod streams;
mod turns;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;

use suda_protocol::v1::reply::Result as Answer;
use suda_protocol::{ErrorCode, v1};

pub use effect::{Effect, FillFrom, FillRequest, Offered, Outboxes};
pub use fill::FillAnswer;
use fill::Opening;
use held::HeldRoom;
use stream::State;

use crate::refusal::reply;
use crate::{Cursor, Limits, Refusal, RoomId, RoomRef, Sequenced, UserId, mutant};

/// The rooms that a worker holds. `M` is the shell's key for a connection, `E` its handle to an entry.
#[derive(Debug)]
pub struct Roster<M, E> {
    limits: Limits,
    rooms: BTreeMap<RoomId, HeldRoom<M, E>>,
    /// Rooms in which somebody's turn may have to come. One that was dropped and then held anew may be here twice.
    due: VecDeque<RoomId>,
    members: HashMap<M, Member>,
    openings: BTreeMap<u64, Opening<M>>,
    last_request: u64,
}

/// What a connection has to do with this roster.
#[derive(Debug, Default)]
struct Member {
    rooms: Vec<RoomId>,
    openings: Vec<u64>,
}

impl<M: Copy + Eq + Hash, E: Sequenced> Roster<M, E> {
    /// A roster without members.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            rooms: BTreeMap::new(),
            due: VecDeque::new(),
            members: HashMap::new(),
            openings: BTreeMap::new(),
            last_request: 0,
        }
    }

    /// A member wants a room's stream on its connection. The answer follows once the store was asked. A stream of the same room
    /// that is open already goes on until then and is replaced by the new one.
    pub fn open(
        &mut self,
        member: M,
        command_id: u64,
        user: UserId,
        room: RoomRef,
        cursor: Option<Cursor>,
        out: &mut impl Outboxes<M, E>,
    ) {
        let of_member = self.members.entry(member).or_default();
        if of_member.rooms.len() + of_member.openings.len()
            >= self.limits.told.open_rooms_max as usize
            && !matches!(&room, RoomRef::Id(id) if of_member.rooms.contains(id))
        {
            let reply = Refusal::new(ErrorCode::TooManyOpenRooms)
                .with_limit(self.limits.told.open_rooms_max)
                .reply(command_id);
            out.effect(Effect::Reply { member, reply });
            return;
        }
        self.last_request += 1;
        let request = self.last_request;
        of_member.openings.push(request);
        // From here on batches are noted for the room. Where only a name is known that can't be done yet, and whatever
        // is committed while the store is read must be read in a second step.
        let again = match &room {
            RoomRef::Id(id) => {
                self.rooms.entry(*id).or_insert_with(HeldRoom::new).openings += 1;
                false
            }
            RoomRef::Name(_) => true,
        };
        self.openings.insert(
            request,
            Opening {
                member,
                command_id,
                user,
                room: room.clone(),
                cursor,
                again,
                close: Vec::new(),
            },
        );
        let from = cursor.map_or(FillFrom::Newest, FillFrom::After);
        let count_max = self.limits.fill_entries_max;
        out.effect(Effect::Fill(FillRequest {
            member,
            request,
            user,
            room,
            from,
            count_max,
        }));
    }

    /// A member wants no more of a room on its connection. Not having it open is no error.
    pub fn close(
        &mut self,
        member: M,
        command_id: u64,
        room: RoomRef,
        out: &mut impl Outboxes<M, E>,
    ) {
        let of_member = self.members.get(&member);
        if let Some(opening) = of_member
            .and_then(|of_member| {
                of_member
                    .openings
                    .iter()
                    .rev()
                    .find(|request| self.is_opening_of(**request, &room))
            })
            .and_then(|request| self.openings.get_mut(request))
        {
            // Its answer must come first, so that the two are not taken in the wrong order.
            opening.close.push(command_id);
            return;
        }
        let id = match room {
            RoomRef::Id(id) => Some(id),
            RoomRef::Name(key) => of_member.and_then(|of_member| {
                of_member
                    .rooms
                    .iter()
                    .copied()
                    .find(|id| self.rooms.get(id).is_some_and(|held| held.name_key == key))
            }),
        };
        let Some(id) = id else {
            let reply = Refusal::new(ErrorCode::UnknownRoom).reply(command_id);
            return out.effect(Effect::Reply { member, reply });
        };
        self.give_turn_in(member, id, out);
        self.remove_stream(member, id);
        out.effect(Effect::Reply {
            member,
            reply: reply(
                command_id,
                Answer::Closed(v1::Closed {
                    room: id.to_string(),
                }),
            ),
        });
    }

    /// The connection is gone. Answers still to come for it are dropped.
    pub fn gone(&mut self, member: M) {
        let Some(of_member) = self.members.remove(&member) else {
            return;
        };
        for request in of_member.openings {
            if let Some(opening) = self.take_opening(request) {
                self.drop_opened(&opening.room);
            }
        }
        for room in of_member.rooms {
            if let Some(held) = self.rooms.get_mut(&room) {
                held.streams.remove(member);
                self.drop_if_unheld(room);
            }
        }
    }

    /// An entry was committed. Entries come in the order in which the journal handed them out. It is offered with
    /// [`Self::give_turns`]; here only what came before it is, to those who waited for so long that it would be forgotten otherwise.
    pub fn committed(&mut self, entry: &E, out: &mut impl Outboxes<M, E>) {
        let room = entry.room();
        let ring_entries_max = self.limits.ring_entries_max.max(1);
        let must_hurry = |held: &HeldRoom<M, E>| held.must_hurry(ring_entries_max);
        if self.rooms.get(&room).is_some_and(must_hurry) {
            self.give_turns_in(room, usize::MAX, out);
        }
        let Some(held) = self.rooms.get_mut(&room) else {
            return;
        };
        if held.note(entry, ring_entries_max)
            && held.streams.is_due()
            && !std::mem::replace(&mut held.is_listed_due, true)
        {
            self.due.push_back(room);
        }
    }

    /// The worker lost batches: whatever it holds may have a hole at its end, and no later entry may ever show it.
    pub fn missed(&mut self, out: &mut impl Outboxes<M, E>) {
        if mutant!("ignore-missed-batches") {
            return;
        }
        for opening in self.openings.values_mut() {
            opening.again = true;
        }
        let mut suspects = Vec::new();
        for (room, held) in &mut self.rooms {
            held.forget_ring();
            for stream in held.streams.iter_mut() {
                match &mut stream.state {
                    State::Live => suspects.push((stream.member, *room)),
                    State::Filling { again, .. } | State::Stalled { again } => *again = true,
                }
            }
        }
        for (member, room) in suspects {
            self.request_fill(member, room, out);
        }
    }

    /// A member's outbox was full and has room again: filling goes on where it stopped.
    pub fn drained(&mut self, member: M, out: &mut impl Outboxes<M, E>) {
        let rooms = self
            .members
            .get(&member)
            .map(|of_member| of_member.rooms.clone())
            .unwrap_or_default();
        for room in rooms {
            match self.stream_mut(member, room).map(|stream| stream.state) {
                Some(State::Stalled { again: true }) => self.request_fill(member, room, out),
                Some(State::Stalled { again: false }) => self.catch_up(member, room, out),
                _ => {}
            }
        }
    }

    /// The newest entries, as far as this worker knows, of the rooms that a member has open: for its heartbeat. It is offered first what it
    /// would get with its next turn, or it would hear of entries that it cannot have.
    pub fn tops(&mut self, member: M, out: &mut impl Outboxes<M, E>) -> Vec<v1::RoomTop> {
        self.give_turn(member, out);
        let Some(of_member) = self.members.get(&member) else {
            return Vec::new();
        };
        let top = |id: &RoomId| {
            let top = self.rooms.get(id)?.top_for(member)?;
            Some(v1::RoomTop {
                room: id.to_string(),
                top: Some(top.to_wire()),
            })
        };
        of_member.rooms.iter().filter_map(top).collect()
    }

    /// How many rooms are held.
    pub fn held_rooms(&self) -> usize {
        self.rooms.len()
    }

    /// How many entries are kept over all rooms. At most [`Limits::ring_entries_max`] each.
    pub fn ring_entries(&self) -> usize {
        self.rooms.values().map(HeldRoom::ring_len).sum()
    }
}
