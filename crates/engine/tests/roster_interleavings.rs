//! Whatever the order of commits, lost batches, slow answers of the store, full outboxes, reopenings, heartbeats, and people who leave and join:
//! each member's streams are without a hole and without a double, nobody learns of what came after the own removal, and in the end everybody
//! has everything, for which nobody's turn was forgotten (G3, G4, G8).

#![allow(
    clippy::unwrap_used,
    clippy::type_complexity,
    reason = "a test that finds nothing is to fail"
)]

mod support;

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use suda_engine::{Cursor, RoomRef};
use suda_protocol::ErrorCode;
use suda_protocol::v1::{Continuity, reply::Result as Reply};
use support::worker::{Sent, Worker};

/// An outbox that takes all that comes.
const ROOM_ENOUGH: usize = 1_000;

const MEMBERS: std::ops::RangeInclusive<u32> = 2..=3;

#[derive(Debug, Clone)]
enum Move {
    /// Commit, hand the batch on, and give all members their turn.
    Post,
    /// Commit, and hand the batch on. Nobody's turn comes yet.
    PostLater,
    /// So many turns come.
    Turns(usize),
    /// Commit, and lose the batch without knowing: only a later batch shows it.
    LoseSilently,
    /// Commit, and lose the batch, knowing that some were lost.
    Miss,
    /// The store reads for its oldest question, and answers later.
    Read,
    /// An answer of the store arrives.
    Answer,
    OpenById(u32),
    OpenByName(u32),
    Close(u32),
    Gone(u32),
    /// The member's user leaves the room, or joins it if it isn't there. Nobody's turn comes yet.
    ComeOrGo(u32),
    /// The member is told of the tops of its rooms.
    Heartbeat(u32),
    /// The outbox takes so many more.
    Room(u32, usize),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => Just(Move::Post),
        6 => Just(Move::PostLater),
        3 => (1..3_usize).prop_map(Move::Turns),
        1 => Just(Move::LoseSilently),
        1 => Just(Move::Miss),
        6 => Just(Move::Read),
        6 => Just(Move::Answer),
        3 => MEMBERS.prop_map(Move::OpenById),
        2 => MEMBERS.prop_map(Move::OpenByName),
        1 => MEMBERS.prop_map(Move::Close),
        1 => MEMBERS.prop_map(Move::Gone),
        1 => MEMBERS.prop_map(Move::ComeOrGo),
        1 => MEMBERS.prop_map(Move::Heartbeat),
        3 => (MEMBERS, prop_oneof![0..4_usize, Just(ROOM_ENOUGH)])
            .prop_map(|(member, room)| Move::Room(member, room)),
    ];
    proptest::collection::vec(one, 0..80)
}

/// A reader: what it has, and where the stream that it was told about goes on.
#[derive(Debug, Default)]
struct Reader {
    has: u64,
    next: Option<u64>,
    /// The cursors of the opens that are not answered yet.
    asked: VecDeque<u64>,
    /// The entry that removed its user, who is no member since.
    removed_at: Option<u64>,
}

impl Reader {
    fn may_know_of(&self, seq: u64) -> bool {
        self.removed_at.is_none_or(|removed_at| seq <= removed_at)
    }
}

struct Scene {
    worker: Worker,
    readers: BTreeMap<u32, Reader>,
    /// Answers of the store that are under way, and for whom.
    read: VecDeque<(u32, Box<dyn FnOnce(&mut Worker)>)>,
    /// The newest entry that the roster was shown.
    shown: u64,
    /// The last batch was lost, and nothing has shown it yet.
    hidden: bool,
}

impl Scene {
    fn new() -> Self {
        let mut scene = Self {
            worker: Worker::new(),
            readers: MEMBERS.map(|member| (member, Reader::default())).collect(),
            read: VecDeque::new(),
            shown: 0,
            hidden: false,
        };
        for member in MEMBERS {
            scene.make(Move::Room(member, ROOM_ENOUGH));
            scene.make(Move::OpenById(member));
            scene.make(Move::Read);
            scene.make(Move::Answer);
        }
        scene
    }

    fn open(&mut self, member: u32, room: RoomRef) {
        let reader = self.readers.get_mut(&member).unwrap();
        reader.asked.push_back(reader.has);
        let cursor = if reader.has == 0 {
            Cursor::BEGINNING
        } else {
            self.worker.cursor(reader.has)
        };
        self.worker.ask(member, room, Some(cursor));
    }

    fn make(&mut self, step: Move) {
        match step {
            Move::Post | Move::PostLater | Move::Miss | Move::ComeOrGo(_) => self.hidden = false,
            Move::LoseSilently => self.hidden = true,
            _ => {}
        }
        match step {
            Move::Post => self.worker.post(1),
            Move::PostLater => self.worker.post_later(1),
            Move::Turns(turns_max) => {
                let Worker { roster, outs, .. } = &mut self.worker;
                roster.give_turns(turns_max, outs);
            }
            Move::LoseSilently => drop(self.worker.commit()),
            Move::Miss => {
                self.worker.commit();
                self.worker.missed();
            }
            Move::Read => {
                if let Some(request) = self.worker.outs.fills.pop_front() {
                    let facts = self.worker.node.store.fill(&request);
                    let (member, request) = (request.member, request.request);
                    let answer = move |worker: &mut Worker| {
                        let Worker { roster, outs, .. } = worker;
                        roster.fill_answered(member, request, Ok(facts), outs);
                    };
                    self.read.push_back((member, Box::new(answer)));
                }
            }
            Move::Answer => {
                if let Some((_, answer)) = self.read.pop_front() {
                    answer(&mut self.worker);
                }
            }
            Move::OpenById(member) => {
                let room = RoomRef::Id(self.worker.node.lobby_id());
                self.open(member, room);
            }
            Move::OpenByName(member) => self.open(member, support::lobby()),
            Move::Close(member) => {
                let room = RoomRef::Id(self.worker.node.lobby_id());
                self.worker.close(member, room);
            }
            Move::Gone(member) => {
                self.worker.roster.gone(member);
                self.take(member);
                let reader = self.readers.get_mut(&member).unwrap();
                (reader.next, reader.asked) = (None, VecDeque::new());
            }
            Move::ComeOrGo(member) => self.come_or_go(member),
            Move::Heartbeat(member) => {
                let Worker { roster, outs, .. } = &mut self.worker;
                let rests = !roster.has_due();
                let tops = roster.tops(member, outs);
                let brought = outs.sent.contains_key(&member);
                assert!(!rests || !brought, "a heartbeat repaired {member}");
                self.take(member);
                let reader = &self.readers[&member];
                for top in tops {
                    let seq = top.top.unwrap().seq;
                    assert!(
                        reader.may_know_of(seq),
                        "{member} heard of {seq}: {reader:?}"
                    );
                }
            }
            Move::Room(member, room) => {
                self.worker.outs.room.insert(member, room);
                if room > 0 {
                    self.worker.drained(member);
                }
            }
        }
        for member in MEMBERS {
            self.take(member);
        }
        if matches!(step, Move::Post | Move::PostLater | Move::ComeOrGo(_)) {
            self.shown = self.worker.node.log().len() as u64;
        }
        self.check_rest();
    }

    fn come_or_go(&mut self, member: u32) {
        let reader = self.readers.get_mut(&member).unwrap();
        if reader.removed_at.take().is_some() {
            self.worker.join_later(u128::from(member));
        } else {
            reader.removed_at = Some(self.worker.node.log().len() as u64 + 1);
            self.worker.leave_later(u128::from(member));
        }
    }

    /// Nobody's turn is to come: whoever waits neither for the store nor for room has all that the roster was shown.
    fn check_rest(&self) {
        if self.worker.roster.has_due() {
            return;
        }
        for (member, reader) in &self.readers {
            let mut asked = self.worker.outs.fills.iter().map(|request| request.member);
            let waits = asked.any(|asker| asker == *member)
                || self.read.iter().any(|(asker, _)| asker == member)
                || self.worker.outs.room.get(member) == Some(&0);
            if !waits && let Some(next) = reader.next {
                assert!(next > self.shown, "{member} was passed over: {reader:?}");
            }
        }
    }

    /// Checks what a member was sent, as its client would.
    fn take(&mut self, member: u32) {
        for sent in self.worker.sent(member) {
            let reader = self.readers.get_mut(&member).unwrap();
            match sent {
                Sent::Entry(seq) => {
                    assert_eq!(
                        Some(seq),
                        reader.next,
                        "{member} was sent {seq}, but {reader:?}"
                    );
                    assert!(
                        reader.may_know_of(seq),
                        "{member} was sent {seq}: {reader:?}"
                    );
                    reader.next = Some(seq + 1);
                    reader.has = reader.has.max(seq);
                }
                Sent::Reply(Reply::Opened(opened)) => {
                    let asked = reader.asked.pop_front().expect("somebody asked");
                    if opened.continuity() == Continuity::Page {
                        reader.next = None;
                        reader.has = opened.room.unwrap().top.unwrap().seq;
                    } else {
                        assert_eq!(opened.continuity(), Continuity::Continues);
                        reader.next = Some(asked + 1);
                    }
                }
                // Too many are being opened: said at once, about the newest.
                Sent::Reply(Reply::Error(error)) if error.code() == ErrorCode::TooManyOpenRooms => {
                    reader.asked.pop_back();
                }
                Sent::Reply(Reply::Error(error)) => {
                    assert_eq!(error.code(), ErrorCode::NotAMember);
                    reader.asked.pop_front().expect("somebody asked");
                }
                Sent::Lag(top) => {
                    assert!(
                        reader.may_know_of(top),
                        "{member} heard of {top}: {reader:?}"
                    );
                    reader.next = None;
                }
                Sent::Removed | Sent::Reply(Reply::Closed(_)) => reader.next = None,
                other => panic!("{member} was sent {other:?}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1536, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_stream_is_a_part_of_the_log_without_a_hole_and_ends_at_its_top(moves in moves()) {
        let mut scene = Scene::new();
        for step in moves {
            scene.make(step);
        }
        // Calm: everybody reads as fast as is written, and the last batch was not lost.
        for member in MEMBERS {
            scene.make(Move::Room(member, ROOM_ENOUGH));
        }
        for member in MEMBERS {
            if scene.readers[&member].removed_at.is_some() {
                scene.make(Move::ComeOrGo(member));
            }
        }
        scene.worker.turns();
        for _ in 0..200 {
            scene.make(Move::Read);
            scene.make(Move::Answer);
        }
        // Whoever has a stream is at its end by now, without anything further having to happen.
        let end = scene.worker.node.log().len() as u64 + 1;
        for (member, reader) in &scene.readers {
            if !scene.hidden && let Some(next) = reader.next {
                prop_assert_eq!(next, end, "the stream of {} stands still", member);
            }
        }
        // Twice: the first may only say that there is too much to be sent.
        for _ in 0..2 {
            for member in MEMBERS {
                scene.make(Move::OpenById(member));
            }
            for _ in 0..40 {
                scene.make(Move::Read);
                scene.make(Move::Answer);
            }
        }
        for _ in 0..3 {
            scene.make(Move::Post);
            for _ in 0..40 {
                scene.make(Move::Read);
                scene.make(Move::Answer);
            }
        }
        let top = scene.worker.node.log().len() as u64;
        for (member, reader) in &scene.readers {
            prop_assert_eq!(reader.has, top, "{} is behind", member);
            prop_assert_eq!(reader.next, Some(top + 1), "{} has no stream", member);
        }
    }
}
