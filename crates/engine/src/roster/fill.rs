//! Catching up: what the store answered, and the way from there to the end of the stream.

use std::hash::Hash;

use suda_protocol::v1::reply::Result as Answer;
use suda_protocol::{names, v1};

use super::stream::{State, Step, Stream};
use super::{Effect, FillFrom, FillRequest, HeldRoom, Member, Offered, Outboxes, Roster};
use crate::reading::{self, ReadFacts};
use crate::refusal::reply;
use crate::{Cursor, Refusal, RoomFacts, RoomId, RoomRef, Sequenced, UserId, mutant};

/// The store's answer to a [`FillRequest`]: facts from one read transaction, or why it could not read.
pub type FillAnswer<E> = Result<ReadFacts<E>, Refusal>;

/// An `Open` that waits for the store.
#[derive(Debug)]
pub(super) struct Opening<M> {
    pub(super) member: M,
    pub(super) command_id: u64,
    pub(super) user: UserId,
    pub(super) room: RoomRef,
    pub(super) cursor: Option<Cursor>,
    /// As in [`State::Filling`].
    pub(super) again: bool,
    /// `Close` commands that came meanwhile.
    pub(super) close: Vec<u64>,
}

impl<M: Copy + Eq + Hash, E: Sequenced> Roster<M, E> {
    /// The store has answered. An answer that nobody waits for any more is dropped.
    pub fn fill_answered(
        &mut self,
        member: M,
        request: u64,
        answer: FillAnswer<E>,
        out: &mut impl Outboxes<M, E>,
    ) {
        // What its old stream has not shown it yet comes before the new one, and before the opening lets go of the room: that stream may be the
        // last thing that holds it, and end with this, and what was committed since the store was read would be forgotten with it.
        let reopened = self.openings.get(&request).map(|opening| &opening.room);
        if let Some(RoomRef::Id(room)) = reopened.cloned() {
            self.give_turn_in(member, room, out);
        }
        if let Some(opening) = self.take_opening(request) {
            return self.opened(opening, answer, out);
        }
        let Some(room) = self.members.get(&member).and_then(|of_member| {
            of_member
                .rooms
                .iter()
                .copied()
                .find(|id| self.is_filling(member, *id, request))
        }) else {
            return;
        };
        self.refilled(member, room, answer, out);
    }

    fn opened(
        &mut self,
        opening: Opening<M>,
        answer: FillAnswer<E>,
        out: &mut impl Outboxes<M, E>,
    ) {
        let Opening {
            member, command_id, ..
        } = opening;
        let facts = answer.and_then(|facts| {
            reading::permitted(&facts)
                .cloned()
                .map(|room| (room, facts))
        });
        let (room, facts) = match facts {
            Ok(known) => known,
            Err(refusal) => {
                out.effect(Effect::Reply {
                    member,
                    reply: refusal.reply(command_id),
                });
                self.drop_opened(&opening.room);
                return self.close_after_opening(opening, None, out);
            }
        };
        let after = opening.cursor.unwrap_or(room.top);
        let continuity = self.continuity(&room, opening.cursor, &facts);
        let answer = Answer::Opened(v1::Opened {
            room: Some(room.to_wire(true)),
            continuity: continuity.into(),
        });
        // Where only a name was known. What the room forgets with this is read again.
        self.give_turn_in(member, room.id, out);
        out.effect(Effect::Reply {
            member,
            reply: reply(command_id, answer),
        });
        if continuity == v1::Continuity::Continues {
            let state = State::Filling {
                request: 0,
                again: opening.again,
            };
            self.insert_stream(
                &room,
                Stream {
                    member,
                    user: opening.user,
                    last: after,
                    state,
                },
            );
            self.take_page(member, room.id, room.top, &facts.entries, out);
        } else {
            // A stream that was open before this Open must not go on behind the answer that says it isn't.
            self.remove_stream(member, room.id);
        }
        self.close_after_opening(opening, Some(room.id), out);
    }

    fn continuity(
        &self,
        room: &RoomFacts,
        cursor: Option<Cursor>,
        facts: &ReadFacts<E>,
    ) -> v1::Continuity {
        let Some(cursor) = cursor else {
            return v1::Continuity::Continues;
        };
        if !reading::continues(room, cursor, facts.at_cursor) && !mutant!("accept-other-past") {
            v1::Continuity::OtherPast
        } else if room.top.seq.saturating_sub(cursor.seq)
            > u64::from(self.limits.told.resume_entries_max)
        {
            v1::Continuity::Page
        } else {
            v1::Continuity::Continues
        }
    }

    fn close_after_opening(
        &mut self,
        opening: Opening<M>,
        room: Option<RoomId>,
        out: &mut impl Outboxes<M, E>,
    ) {
        for command_id in opening.close {
            let room = room.map_or(opening.room.clone(), RoomRef::Id);
            self.close(opening.member, command_id, room, out);
        }
    }

    fn refilled(
        &mut self,
        member: M,
        room: RoomId,
        answer: FillAnswer<E>,
        out: &mut impl Outboxes<M, E>,
    ) {
        let Some(last) = self.stream_mut(member, room).map(|stream| stream.last) else {
            return;
        };
        // Whatever keeps the store from going on, the member loses its place and opens again: it is told then why.
        let Ok(facts) = answer else {
            return self.lag(member, room, out);
        };
        match reading::permitted(&facts) {
            Err(_) => self.removed(member, room, out),
            Ok(known) if !reading::continues(known, last, facts.at_cursor) => {
                self.lag(member, room, out)
            }
            Ok(known) => self.take_page(member, room, known.top, &facts.entries, out),
        }
    }

    /// Offers what the store gave while the room's newest entry was `top`, then goes on from there.
    fn take_page(
        &mut self,
        member: M,
        room: RoomId,
        top: Cursor,
        entries: &[E],
        out: &mut impl Outboxes<M, E>,
    ) {
        let Some(stream) = self.stream_mut(member, room) else {
            return;
        };
        let mut again = matches!(stream.state, State::Filling { again: true, .. });
        for entry in entries {
            // The store has just said that the member may read, so that a removal in here is one that was followed by another joining.
            if entry.cursor().seq != stream.last.seq + 1 {
                continue;
            }
            match out.offer(member, entry) {
                Offered::Taken => stream.last = entry.cursor(),
                Offered::Full => {
                    // The batches may never have shown what the rest of the page did.
                    stream.state = State::Stalled { again: true };
                    return;
                }
            }
        }
        // The page was shorter than what was missing. No batch may ever say so.
        again |= stream.last.seq < top.seq;
        if mutant!("offer-page-twice") && entries.len() > 1 {
            for entry in entries {
                out.offer(member, entry);
            }
        }
        if again {
            self.request_fill(member, room, out);
        } else {
            self.catch_up(member, room, out);
        }
    }

    /// Goes on from the member's place: with recent entries if they reach that far back, else by asking the store. Live where
    /// nothing is missing.
    pub(super) fn catch_up(&mut self, member: M, room: RoomId, out: &mut impl Outboxes<M, E>) {
        loop {
            let Some(held) = self.rooms.get(&room) else {
                return;
            };
            let Some(last) = held.streams.get(member).map(|stream| stream.last) else {
                return;
            };
            if held.top.is_none_or(|top| top.seq <= last.seq) {
                if let Some(stream) = self.stream_mut(member, room) {
                    stream.state = State::Live;
                }
                return;
            }
            let Some(entry) = held.recent(last.seq + 1).cloned() else {
                return self.request_fill(member, room, out);
            };
            let Some(stream) = self.stream_mut(member, room) else {
                return;
            };
            match stream.step(&entry, out) {
                Step::Taken | Step::Lower | Step::Hole => {}
                Step::Full => {
                    stream.state = State::Stalled { again: false };
                    return;
                }
                Step::Removed => return self.removed(member, room, out),
            }
        }
    }

    /// Asks the store for what follows the member's place.
    pub(super) fn request_fill(&mut self, member: M, room: RoomId, out: &mut impl Outboxes<M, E>) {
        self.last_request += 1;
        let request = self.last_request;
        let count_max = self.limits.fill_entries_max;
        let Some(stream) = self.stream_mut(member, room) else {
            return;
        };
        stream.state = State::Filling {
            request,
            again: false,
        };
        let (user, from) = (stream.user, FillFrom::After(stream.last));
        out.effect(Effect::Fill(FillRequest {
            member,
            request,
            user,
            room: RoomRef::Id(room),
            from,
            count_max,
        }));
    }

    /// The member was too slow: it loses its place, no entry.
    pub(super) fn lag(&mut self, member: M, room: RoomId, out: &mut impl Outboxes<M, E>) {
        let Some(top) = self.rooms.get(&room).and_then(|held| held.top_for(member)) else {
            return;
        };
        self.remove_stream(member, room);
        out.effect(Effect::Lag { member, room, top });
    }

    /// The member may not read on.
    pub(super) fn removed(&mut self, member: M, room: RoomId, out: &mut impl Outboxes<M, E>) {
        self.remove_stream(member, room);
        out.effect(Effect::Removed { member, room });
    }

    pub(super) fn stream_mut(&mut self, member: M, room: RoomId) -> Option<&mut Stream<M>> {
        self.rooms.get_mut(&room)?.streams.get_mut(member)
    }

    fn insert_stream(&mut self, room: &RoomFacts, stream: Stream<M>) {
        let of_member: &mut Member = self.members.entry(stream.member).or_default();
        if !of_member.rooms.contains(&room.id) {
            of_member.rooms.push(room.id);
        }
        let held = self.rooms.entry(room.id).or_insert_with(HeldRoom::new);
        held.name_key = names::key(&room.name);
        held.streams.insert(stream);
    }

    pub(super) fn remove_stream(&mut self, member: M, room: RoomId) {
        if let Some(of_member) = self.members.get_mut(&member) {
            of_member.rooms.retain(|id| *id != room);
        }
        if let Some(held) = self.rooms.get_mut(&room) {
            held.streams.remove(member);
        }
        self.drop_if_unheld(room);
    }

    /// Takes out an opening. The room that it held stays held until the caller is through with it.
    pub(super) fn take_opening(&mut self, request: u64) -> Option<Opening<M>> {
        let opening = self.openings.remove(&request)?;
        if let Some(of_member) = self.members.get_mut(&opening.member) {
            of_member.openings.retain(|open| *open != request);
        }
        if let RoomRef::Id(id) = &opening.room
            && let Some(held) = self.rooms.get_mut(id)
        {
            held.openings -= 1;
        }
        Some(opening)
    }

    /// An opening that came to nothing holds its room no more.
    pub(super) fn drop_opened(&mut self, room: &RoomRef) {
        if let RoomRef::Id(id) = room {
            self.drop_if_unheld(*id);
        }
    }

    pub(super) fn is_opening_of(&self, request: u64, room: &RoomRef) -> bool {
        self.openings
            .get(&request)
            .is_some_and(|opening| opening.room == *room)
    }

    fn is_filling(&self, member: M, room: RoomId, expected: u64) -> bool {
        self.rooms
            .get(&room)
            .and_then(|held| held.streams.get(member))
            .is_some_and(|stream| matches!(stream.state, State::Filling { request, .. } if request == expected))
    }

    pub(super) fn drop_if_unheld(&mut self, room: RoomId) {
        if self.rooms.get(&room).is_some_and(HeldRoom::is_unheld) {
            self.rooms.remove(&room);
        }
    }
}
