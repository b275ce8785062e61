//! The only writer of entries, without a disk: says what a batch must know, decides, and after the commit says who is told what.
//!
//! One batch goes like this, and only one is under way at a time:
//!
//! 1. the shell begins a transaction and reads what [`Journal::lookup`] names into [`Facts`];
//! 2. [`Journal::plan`] applies the drafts in order over those facts, earlier ones counting for later ones;
//! 3. the shell writes the [`Plan`]'s rows and commits, once;
//! 4. exactly one of [`Journal::committed`], [`Journal::rolled_back`] and [`Journal::unknown`] takes the plan.
//!
//! Nothing leaves before step 4: a `Plan` shows rows to write, its answers and its entries come out of `committed` alone.
//!
//! What lives here: the tops of rooms between batches, and what an unknown outcome left to settle. What doesn't: SQL, threads, time.

mod decide;
mod facts;
mod overlay;
mod plan;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use uuid::Uuid;

pub use facts::{AnsweredKind, AnsweredRow, Facts, Lookup, Unsettled};
pub use plan::{Answer, Committed, MemberChange, Plan, RoomRow, TopRow};

use crate::limits::JOURNAL_ROOMS_MAX;
use crate::{Draft, Intent, Refusal, RoomFacts, RoomId, RoomRef, Timestamp, mutant};
use overlay::Overlay;
use plan::Decided;

/// The journal of one log. `T` is the shell's ticket: where an answer goes. It is carried along and never looked at.
#[derive(Debug)]
pub struct Journal<T> {
    /// What the store holds of rooms that were written to lately. True because nobody else writes; forgotten whenever the
    /// store may hold something else than was planned.
    rooms: HashMap<RoomId, RoomFacts>,
    names: HashMap<String, RoomId>,
    /// Rooms that a commit of unknown outcome touched, with the seq up to which their entries were published.
    unsettled: BTreeMap<RoomId, u64>,
    /// Whether a plan was given out and none of the three outcomes came back yet.
    planned: bool,
    ticket: std::marker::PhantomData<fn() -> T>,
}

impl<T> Default for Journal<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Journal<T> {
    /// A journal that knows nothing yet: all it needs comes with the first [`Facts`].
    pub fn new() -> Self {
        Self {
            rooms: HashMap::new(),
            names: HashMap::new(),
            unsettled: BTreeMap::new(),
            planned: false,
            ticket: std::marker::PhantomData,
        }
    }

    /// What must be read, inside the transaction, before this batch can be planned.
    pub fn lookup(&self, batch: &[(T, Draft)]) -> Lookup {
        let mut lookup = Lookup::default();
        for (_, draft) in batch {
            let room = self.by_id(draft.intent.room());
            lookup.answered.push((draft.author, draft.client_id));
            match &draft.intent {
                Intent::CreateRoom { .. } => {}
                Intent::Post { reply_to, .. } if *reply_to > 0 => {
                    lookup.messages.push((room.clone(), *reply_to))
                }
                Intent::Join { .. } | Intent::Leave { .. } | Intent::Post { .. } => {}
            }
            if !matches!(draft.intent, Intent::CreateRoom { .. }) {
                lookup.members.push((room.clone(), draft.author));
            }
            if !matches!(&room, RoomRef::Id(id) if self.rooms.contains_key(id) && !self.is_stale())
            {
                lookup.rooms.push(room);
            }
        }
        lookup.unsettled = self
            .unsettled
            .iter()
            .map(|(room, seq)| Unsettled {
                room: *room,
                after_seq: *seq,
            })
            .collect();
        lookup.tidy();
        lookup
    }

    /// Decides a batch. `new_id` gives a fresh UUID at every call (version 7, so that ids grow with time).
    ///
    /// The facts must hold whatever the store has of what [`Self::lookup`] named for the same batch, read in the transaction
    /// that will write this plan.
    pub fn plan(
        &mut self,
        now: Timestamp,
        batch: Vec<(T, Draft)>,
        facts: Facts,
        new_id: &mut dyn FnMut() -> Uuid,
    ) -> Plan<T> {
        if self.is_stale() {
            self.rooms.clear();
            self.names.clear();
        }
        self.planned = true;
        for room in facts.rooms {
            self.remember(room);
        }
        let mut overlay = Overlay::new(facts.answered, facts.members, facts.messages);
        let mut plan = Plan::new(facts.unsettled);
        for (ticket, draft) in batch {
            let decided = decide::decide(self, &mut overlay, &mut plan.rows, now, &draft, new_id);
            plan.decided.push(Decided {
                ticket,
                draft,
                answer: decided.answer,
                from_store: decided.from_store,
            });
        }
        plan.rows.tops = overlay
            .into_touched()
            .into_iter()
            .filter_map(|id| self.rooms.get(&id))
            .map(TopRow::of)
            .collect();
        plan
    }

    /// The plan is durable. Gives the answers, in the drafts' order, and the entries, in the order in which they are to be
    /// handed on: first what an earlier commit of unknown outcome turns out to have left, then this plan's own.
    pub fn committed(&mut self, plan: Plan<T>) -> Committed<T> {
        self.planned = false;
        self.unsettled.clear();
        let answers = plan.decided.into_iter().map(Decided::into_answer).collect();
        let mut entries = plan.settled;
        entries.extend(plan.rows.entries);
        Committed { answers, entries }
    }

    /// Nothing of the plan is in the store, for sure. Gives the answers: the refusal to each draft, except where the answer
    /// was in the store already.
    pub fn rolled_back(&mut self, plan: Plan<T>, refusal: Refusal) -> Vec<Answer<T>> {
        self.planned = false;
        if !mutant!("keep-tops-after-rollback") {
            self.forget(&plan);
        }
        plan.decided
            .into_iter()
            .map(|decided| decided.into_answer_unless(refusal))
            .collect()
    }

    /// Nobody knows whether the plan is in the store. Gives the drafts back to be planned again, before any other: their client
    /// ids tell then which of them took effect, and entries that were committed are handed on by that plan's
    /// [`Self::committed`].
    pub fn unknown(&mut self, plan: Plan<T>) -> Vec<(T, Draft)> {
        self.planned = false;
        for entry in &plan.rows.entries {
            // The first entry of each room counts, and an earlier unknown outcome before it.
            self.unsettled
                .entry(entry.room())
                .or_insert(entry.seq() - 1);
        }
        if !mutant!("keep-tops-after-unknown-outcome") {
            self.forget(&plan);
        }
        plan.decided
            .into_iter()
            .map(|decided| (decided.ticket, decided.draft))
            .collect()
    }

    /// Whether a commit of unknown outcome waits to be settled by the next plan.
    pub fn is_unsettled(&self) -> bool {
        !self.unsettled.is_empty()
    }

    /// Whether what is in memory will be forgotten by the next plan: because there is too much of it, or because the last plan was
    /// dropped without an outcome, so that what it put there may not be in the store.
    fn is_stale(&self) -> bool {
        self.planned || self.rooms.len() > JOURNAL_ROOMS_MAX
    }

    fn by_id(&self, room: RoomRef) -> RoomRef {
        match &room {
            RoomRef::Name(key) if !self.is_stale() => self
                .names
                .get(key)
                .map_or(room.clone(), |id| RoomRef::Id(*id)),
            RoomRef::Name(_) | RoomRef::Id(_) => room,
        }
    }

    fn find(&self, room: &RoomRef) -> Option<&RoomFacts> {
        match room {
            RoomRef::Id(id) => self.rooms.get(id),
            RoomRef::Name(key) => self.rooms.get(self.names.get(key)?),
        }
    }

    fn remember(&mut self, room: RoomFacts) {
        self.names
            .insert(suda_protocol::names::key(&room.name), room.id);
        self.rooms.insert(room.id, room);
    }

    fn forget(&mut self, plan: &Plan<T>) {
        for top in &plan.rows.tops {
            if let Some(room) = self.rooms.remove(&top.room) {
                self.names.remove(&suda_protocol::names::key(&room.name));
            }
        }
    }
}

/// The entries of a batch, shared by everybody that they are handed to.
pub(crate) type Entries = Vec<Arc<crate::Entry>>;
