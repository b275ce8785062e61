//! One simulated worker thread: the real roster, its queue of batches, and the outboxes of its connections.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use prost::Message as _;
use suda_engine::memory::MemoryStore;
use suda_engine::roster::{Effect, FillRequest, Offered, Outboxes};
use suda_engine::{Entry, Limits, RoomId, Roster};
use suda_protocol::v1;
use suda_protocol::v1::push::Event;
use suda_protocol::v1::reply::Result as Reply;

use crate::checker::Checker;
use crate::connection::{Connection, pushing, replying};
use crate::stats::{Mark, Stats};
use crate::timeline::{ConnId, Time};

/// Batches that wait for a worker; over that, the newest are dropped and the roster is told.
pub(crate) const QUEUE_BATCHES_MAX: usize = 3;

pub(crate) struct Worker {
    pub(crate) roster: Roster<ConnId, Arc<Entry>>,
    pub(crate) queue: VecDeque<Vec<Arc<Entry>>>,
    /// The newest seq of each room that the roster was shown.
    pub(crate) shown: HashMap<String, u64>,
    /// Questions to the store that are not answered yet, with the room where it is known.
    pub(crate) asked: BTreeMap<u64, (ConnId, Option<RoomId>)>,
    /// Batches were dropped.
    pub(crate) missed: bool,
    pub(crate) work_planned: bool,
    /// Takes nothing from its queue before that.
    pub(crate) stalled_until: Time,
}

impl Worker {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            roster: Roster::new(limits),
            queue: VecDeque::new(),
            shown: HashMap::new(),
            asked: BTreeMap::new(),
            missed: false,
            work_planned: false,
            stalled_until: 0,
        }
    }

    /// Nobody's turn is to come. So every stream must be at the end of what the roster was shown, but for those that wait for the store or for
    /// room: neither the next entry nor a heartbeat may have to repair it.
    pub(crate) fn check_rest(
        &self,
        number: usize,
        conns: &BTreeMap<ConnId, Connection>,
        checker: &mut Checker,
    ) {
        let conns = conns.iter().filter(|(_, conn)| conn.worker == number);
        for (member, _) in conns.filter(|(_, conn)| !conn.was_full) {
            let asked = self.asked.values();
            let filling: Vec<String> = asked
                .filter(|(asker, _)| asker == member)
                .filter_map(|(_, room)| Some(room.as_ref()?.to_string()))
                .collect();
            checker.rests(*member, &self.shown, &filling);
        }
    }
}

/// The outboxes as a roster sees them during one call.
pub(crate) struct Outs<'a> {
    pub(crate) now: Time,
    pub(crate) conns: &'a mut BTreeMap<ConnId, Connection>,
    pub(crate) store: &'a MemoryStore,
    pub(crate) checker: &'a mut Checker,
    pub(crate) stats: &'a mut Stats,
    /// What the roster wants to know of the store.
    pub(crate) fills: Vec<FillRequest<ConnId>>,
    /// Connections that were given something.
    pub(crate) touched: Vec<ConnId>,
    /// Lagged rooms, to recognise them when they are opened again.
    pub(crate) lagged: Vec<(usize, String)>,
    pub(crate) newest_offered: u64,
    /// What a removal during this call is counted as.
    pub(crate) removal: Mark,
}

impl Outs<'_> {
    fn push(&mut self, member: ConnId, message: v1::ServerMessage) {
        let Some(conn) = self.conns.get_mut(&member) else {
            return;
        };
        self.checker
            .sending(member, conn.user, &message, self.store);
        conn.push(self.now, message);
        self.checker.holding(member, conn.outbox_bytes);
        self.touched.push(member);
    }
}

impl Outboxes<ConnId, Arc<Entry>> for Outs<'_> {
    fn offer(&mut self, member: ConnId, entry: &Arc<Entry>) -> Offered {
        let message = pushing(Event::Entry(entry.wire().clone()));
        let Some(conn) = self.conns.get_mut(&member) else {
            return Offered::Taken;
        };
        if conn.outbox_bytes + message.encoded_len() > conn.outbox_bytes_max {
            conn.was_full = true;
            return Offered::Full;
        }
        self.newest_offered = self.newest_offered.max(entry.seq());
        self.push(member, message);
        Offered::Taken
    }

    fn effect(&mut self, effect: Effect<ConnId>) {
        let push = effect.push();
        let (member, message) = match effect {
            Effect::Fill(request) => return self.fills.push(request),
            Effect::Reply { member, reply } => {
                if let Some(conn) = self.conns.get_mut(&member) {
                    conn.session.answered(reply.id);
                    mark_open(self.stats, self.checker.cursor_of(member, reply.id), &reply);
                }
                (member, replying(reply))
            }
            Effect::Lag { member, room, .. } => {
                self.stats.mark(Mark::Lag);
                self.checker
                    .repaired("by a stream that was opened again after a lag");
                if let Some(conn) = self.conns.get(&member) {
                    self.lagged.push((conn.client, room.to_string()));
                }
                (
                    member,
                    v1::ServerMessage {
                        kind: push.map(v1::server_message::Kind::Push),
                    },
                )
            }
            Effect::Removed { member, .. } => {
                self.stats.mark(self.removal);
                (
                    member,
                    v1::ServerMessage {
                        kind: push.map(v1::server_message::Kind::Push),
                    },
                )
            }
        };
        self.push(member, message);
    }
}

fn mark_open(stats: &mut Stats, cursor: Option<Option<v1::Cursor>>, reply: &v1::Reply) {
    match &reply.result {
        Some(Reply::Opened(opened)) => {
            let top = opened
                .room
                .as_ref()
                .and_then(|room| room.top.as_ref())
                .map_or(0, |top| top.seq);
            stats.mark(match (opened.continuity(), cursor.flatten()) {
                (v1::Continuity::Page, _) => Mark::OpenPage,
                (v1::Continuity::OtherPast, _) => Mark::OpenOtherPast,
                (_, None) => Mark::OpenFresh,
                (_, Some(cursor)) if cursor.seq == 0 => Mark::OpenFromBeginning,
                (_, Some(cursor)) if cursor.seq == top => Mark::OpenNothingMissed,
                (_, Some(_)) => Mark::OpenFromStore,
            });
        }
        Some(Reply::Error(_)) => stats.mark(Mark::OpenRefused),
        _ => {}
    }
}
