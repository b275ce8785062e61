//! What a roster wants from its shell, and the shell's side of it.

use suda_protocol::v1;

use crate::{Cursor, RoomId, RoomRef, UserId};

/// The outboxes of a worker's connections, as a [`Roster`](super::Roster) sees them.
///
/// Offers and effects must reach a connection in the order in which they come here: the reply to an `Open` before the
/// entries that follow it, the last entry before the push that says it was the last.
pub trait Outboxes<M, E> {
    /// Puts an entry into a member's outbox if there is room. Never waits.
    fn offer(&mut self, member: M, entry: &E) -> Offered;

    /// Puts entries into a member's outbox one after the other, as [`offer`](Self::offer) does, as far as there is room; gives how many. Members
    /// of one room that stand at the same place are offered the same entries one after the other.
    fn offer_all(&mut self, member: M, entries: &[E]) -> usize
    where
        M: Copy,
    {
        let taken = |entry: &&E| self.offer(member, entry) == Offered::Taken;
        entries.iter().take_while(taken).count()
    }

    /// Carries out an effect. Replies and pushes are always taken, beyond the bound where need be: at most one
    /// reply for each command in flight and one push for each open room.
    fn effect(&mut self, effect: Effect<M>);
}

/// Whether an outbox had room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// The entry is in the outbox.
    Taken,
    /// It is not. [`Roster::drained`](super::Roster::drained) is to be called once there is room again.
    Full,
}

/// Something that the shell does for a roster.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect<M> {
    /// Ask the store, then call [`Roster::fill_answered`](super::Roster::fill_answered).
    Fill(FillRequest<M>),
    /// Send a reply.
    Reply {
        /// To whom.
        member: M,
        /// What.
        reply: v1::Reply,
    },
    /// Tell a member that was too slow that its stream has ended.
    Lag {
        /// Whom.
        member: M,
        /// Of which room.
        room: RoomId,
        /// The room's newest entry as far as this worker knows, and the member may know.
        top: Cursor,
    },
    /// Tell a member that it may not read the room any more and that its stream has ended.
    Removed {
        /// Whom.
        member: M,
        /// Which room.
        room: RoomId,
    },
}

impl<M> Effect<M> {
    /// The push that tells the member about a [`Effect::Lag`] or [`Effect::Removed`].
    pub fn push(&self) -> Option<v1::Push> {
        let event = match self {
            Self::Lag { room, top, .. } => v1::push::Event::Lag(v1::Lag {
                room: room.to_string(),
                top: Some(top.to_wire()),
            }),
            Self::Removed { room, .. } => v1::push::Event::Removed(v1::Removed {
                room: room.to_string(),
            }),
            Self::Fill(_) | Self::Reply { .. } => return None,
        };
        Some(v1::Push { event: Some(event) })
    }
}

/// A question to the store, to be answered from one read transaction that begins after the request was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillRequest<M> {
    /// For whom.
    pub member: M,
    /// Goes back with the answer.
    pub request: u64,
    /// Whose membership to look up.
    pub user: UserId,
    /// Which room.
    pub room: RoomRef,
    /// From where.
    pub from: FillFrom,
    /// How many entries at most. Fewer are fine as long as there is at least one where there are any.
    pub count_max: usize,
}

/// Where a fill starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FillFrom {
    /// At the room's newest entry: no entries are wanted.
    Newest,
    /// After this one.
    After(Cursor),
}
