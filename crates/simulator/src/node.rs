//! The simulated server: the shell around session, journal and rosters, as thin as the real one may be thick.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use suda_engine::memory::MemoryStore;
use suda_engine::roster::FillRequest;
use suda_engine::session::{Action, Identity, Query};
use suda_engine::{Draft, Entry, Intent, Journal, Plan, Refusal, Session, UserId, reading};
use suda_protocol::v1::push::Event;
use suda_protocol::v1::reply::Result as Reply;
use suda_protocol::{CloseCode, ErrorCode, v1};

use crate::connection::{Connection, pushing, replying};
use crate::mutant;
use crate::stats::Mark;
use crate::timeline::{ConnId, Happening};
use crate::worker::{Outs, QUEUE_BATCHES_MAX, Worker};
use crate::world::{HEARTBEAT_MS, ROOMS, USERS, World, user};

/// Drafts that wait for the journal; over that the author is told that the server is busy.
const QUEUE_DRAFTS_MAX: usize = 6;

/// Milliseconds for which a reader may take nothing. Less than two heartbeats, or its client would always be the first to notice.
const SLOW_READER_MS: i64 = 3_000;

/// Batches that a worker takes from its queue in one turn.
const WORK_BATCHES_MAX: usize = 2;

/// Drafts in one batch.
const BATCH_DRAFTS_MAX: usize = 5;

pub(crate) struct Node {
    pub(crate) journal: Journal<ConnId>,
    pub(crate) queue: VecDeque<(ConnId, Draft)>,
    pub(crate) committing: Option<(Plan<ConnId>, Fate)>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) conns: BTreeMap<ConnId, Connection>,
    /// Takes nothing new any more and stops once all is answered.
    pub(crate) stopping: bool,
}

/// What the disk does with a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Durable,
    RolledBack(ErrorCode),
    /// The disk does not say what became of it.
    Unknown {
        durable: bool,
    },
}

impl World {
    /// What is on the disk before the first start: a few rooms with everybody in them.
    pub(crate) fn furnish(&mut self) {
        let mut journal = Journal::new();
        let draft = |author: usize, client_id: u128, intent| Draft {
            command_id: 1,
            author: user(author),
            author_name: format!("user{author}"),
            client_id: uuid::Uuid::from_u128(client_id).into(),
            intent,
            objection: None,
        };
        let create = |name: &str| Intent::CreateRoom {
            name: name.to_owned(),
        };
        let join = |name: &str| Intent::Join {
            room: suda_engine::RoomRef::named(name),
        };
        let mut batch: Vec<((), Draft)> = Vec::new();
        for (index, name) in ROOMS.iter().enumerate() {
            batch.push(((), draft(0, index as u128 + 1, create(name))));
            batch.extend(
                (1..USERS).map(|author| ((), draft(author, index as u128 + 1, join(name)))),
            );
        }
        let facts = self.store.facts(&journal.lookup(&batch));
        let rng = &mut self.rng;
        let plan = journal.plan(0, batch, facts, &mut || rng.uuid());
        self.store.write(&plan);
        let committed = journal.committed(plan);
        self.checker.durable(&committed.entries, &self.store);
    }

    pub(crate) fn start(&mut self) {
        self.boot += 1;
        let boot = self.boot;
        self.say(|| format!("server starts, boot {boot}"));
        self.checker.started(&self.store);
        let workers = self.rng.between(2, 3);
        self.node = Some(Node {
            journal: Journal::new(),
            queue: VecDeque::new(),
            committing: None,
            workers: (0..workers)
                .map(|_| Worker::new(self.limits.clone()))
                .collect(),
            conns: BTreeMap::new(),
            stopping: false,
        });
        self.timeline
            .after(HEARTBEAT_MS, Happening::Heartbeat { boot });
    }

    /// A connection attempt arrives.
    pub(crate) fn dial(&mut self, client: usize, conn: ConnId) {
        let latency_ms = self.latency_ms();
        let (now, limits) = (self.now(), self.limits.clone());
        let session = self.rng.uuid();
        let at = self.rng.next() as usize;
        match self.node.as_mut().filter(|node| !node.stopping) {
            Some(node) => {
                let worker = at % node.workers.len();
                let session = Session::new(session.into(), limits);
                node.conns
                    .insert(conn, Connection::new(client, worker, session, now));
                self.timeline
                    .after(latency_ms, Happening::Dialed { client, conn });
            }
            None => {
                self.stats.mark(Mark::DialRefused);
                self.timeline.after(
                    latency_ms,
                    Happening::GoneAtClient {
                        client,
                        conn,
                        close_code: None,
                    },
                );
            }
        }
    }

    /// A frame arrives.
    pub(crate) fn at_server(&mut self, conn: ConnId, command: v1::Command) {
        if self
            .links
            .get(&conn)
            .is_none_or(|link| link.cut || link.silent_to_server)
        {
            return;
        }
        let now = self.now();
        if let Some(connection) = self
            .node
            .as_mut()
            .and_then(|node| node.conns.get_mut(&conn))
        {
            connection.heard_at = now;
            connection.inbox.push_back(command);
            self.read(conn);
        }
    }

    /// Reads as many commands as the connection may have under way.
    pub(crate) fn read(&mut self, conn: ConnId) {
        loop {
            let wall = self.now() + self.wall_offset;
            let Some(node) = &mut self.node else { return };
            let Some(connection) = node
                .conns
                .get_mut(&conn)
                .filter(|connection| connection.may_read())
            else {
                return;
            };
            let Some(command) = connection.inbox.pop_front() else {
                return;
            };
            self.checker.asked(conn, &command);
            let action = connection.session.handle(wall, command.clone());
            let client = connection.client;
            self.say(|| format!("server reads from client {client} on {conn}: {command:?}"));
            self.carry_out(conn, action);
        }
    }

    fn carry_out(&mut self, conn: ConnId, action: Action) {
        let boot = self.boot;
        let wait_ms = self.rng.between(0, 4);
        match action {
            Action::Reply(reply) => self.send(conn, replying(reply)),
            Action::Authenticate { .. } => {
                let good = !(self.chaos && self.rng.chance(3));
                self.timeline
                    .after(wait_ms, Happening::Authenticated { boot, conn, good });
            }
            Action::Submit(draft) => self.submit(conn, draft),
            Action::Open {
                command_id,
                room,
                cursor,
            } => {
                self.with_roster(conn, |roster, user, out| {
                    roster.open(conn, command_id, user, room, cursor, out)
                });
            }
            Action::Close { command_id, room } => {
                self.with_roster(conn, |roster, _, out| {
                    roster.close(conn, command_id, room, out)
                });
            }
            Action::Query { command_id, query } => {
                self.timeline.after(
                    wait_ms,
                    Happening::QueryRead {
                        boot,
                        conn,
                        command_id,
                        query,
                    },
                );
            }
        }
    }

    fn submit(&mut self, conn: ConnId, draft: Draft) {
        let Some(node) = &mut self.node else { return };
        if draft
            .objection
            .is_some_and(|refusal| refusal.code == ErrorCode::RateLimited)
        {
            self.stats.mark(Mark::RateLimited);
        }
        if node.stopping || node.queue.len() >= QUEUE_DRAFTS_MAX {
            self.stats.mark(Mark::QueueFull);
            return self.answer(conn, Refusal::new(ErrorCode::Busy).reply(draft.command_id));
        }
        node.queue.push_back((conn, draft));
        self.begin_commit();
    }

    /// Plans the next batch, unless one is under way.
    fn begin_commit(&mut self) {
        let boot = self.boot;
        let wall = self.now() + self.wall_offset;
        let Some(node) = self
            .node
            .as_mut()
            .filter(|node| node.committing.is_none() && !node.queue.is_empty())
        else {
            return;
        };
        let count = node.queue.len().min(BATCH_DRAFTS_MAX);
        let batch: Vec<(ConnId, Draft)> = node.queue.drain(..count).collect();
        let facts = self.store.facts(&node.journal.lookup(&batch));
        if !facts.unsettled.is_empty() {
            self.stats.mark(Mark::SettledUnknown);
        }
        let rng = &mut self.rng;
        let plan = node.journal.plan(wall, batch, facts, &mut || rng.uuid());
        let fate = match rng.between(0, 99) {
            0..=3 if self.chaos => Fate::RolledBack(ErrorCode::Unavailable),
            4 if self.chaos => Fate::RolledBack(ErrorCode::StorageFull),
            5..=8 if self.chaos => Fate::Unknown {
                durable: rng.chance(50),
            },
            _ => Fate::Durable,
        };
        let ms = if rng.chance(97) {
            rng.between(1, 12)
        } else {
            rng.between(50, 400)
        };
        let early = if mutant!("publish-before-commit") {
            plan.entries().to_vec()
        } else {
            Vec::new()
        };
        node.committing = Some((plan, fate));
        self.hand_on(early);
        self.timeline.after(ms, Happening::Commit { boot });
    }

    fn commit(&mut self) {
        let Some(node) = &mut self.node else { return };
        let Some((plan, fate)) = node.committing.take() else {
            return;
        };
        let entries = plan.entries().len();
        self.trace.line(self.timeline.now(), || {
            format!("commit of {entries} entries: {fate:?}")
        });
        let answers = match fate {
            Fate::Durable => {
                write(&mut self.store, &plan, &mut self.checker);
                self.stats.entries += entries as u64;
                let committed = node.journal.committed(plan);
                self.hand_on(committed.entries);
                committed.answers
            }
            Fate::RolledBack(code) => {
                self.stats.mark(Mark::CommitRolledBack);
                node.journal.rolled_back(plan, Refusal::new(code))
            }
            Fate::Unknown { durable } => {
                self.stats.mark(if durable {
                    Mark::CommitUnknownKept
                } else {
                    Mark::CommitUnknownLost
                });
                if durable {
                    write(&mut self.store, &plan, &mut self.checker);
                    self.stats.entries += entries as u64;
                }
                for draft in node.journal.unknown(plan).into_iter().rev() {
                    node.queue.push_front(draft);
                }
                Vec::new()
            }
        };
        for answer in answers {
            match &answer.reply.result {
                Some(Reply::Posted(v1::Posted {
                    duplicate: true, ..
                })) => self.stats.mark(Mark::Duplicate),
                Some(Reply::Error(error)) if !error.retryable => self.stats.mark(Mark::Refused),
                _ => {}
            }
            self.answer(answer.ticket, answer.reply);
        }
        self.begin_commit();
        self.stop_if_idle();
    }

    /// Puts a batch into every worker's queue.
    fn hand_on(&mut self, entries: Vec<Arc<Entry>>) {
        if entries.is_empty() {
            return;
        }
        let workers = self.node.as_mut().map_or(0, |node| node.workers.len());
        for worker in 0..workers {
            let Some(at) = self
                .node
                .as_mut()
                .and_then(|node| node.workers.get_mut(worker))
            else {
                return;
            };
            if at.queue.len() >= QUEUE_BATCHES_MAX {
                at.missed = true;
                self.stats.mark(Mark::BatchesMissed);
            } else {
                at.queue.push_back(entries.clone());
            }
            self.plan_work(worker);
        }
    }

    fn plan_work(&mut self, worker: usize) {
        let boot = self.boot;
        let wait_ms = self.rng.between(0, 3);
        let now = self.now();
        let Some(at) = self
            .node
            .as_mut()
            .and_then(|node| node.workers.get_mut(worker))
        else {
            return;
        };
        if !at.work_planned {
            at.work_planned = true;
            let due = (now + wait_ms as i64).max(at.stalled_until);
            self.timeline.at(due, Happening::Work { boot, worker });
        }
    }

    fn work(&mut self, worker: usize) {
        let now = self.now();
        let Some(at) = self
            .node
            .as_mut()
            .and_then(|node| node.workers.get_mut(worker))
        else {
            return;
        };
        at.work_planned = false;
        if at.stalled_until > now {
            return self.plan_work(worker);
        }
        // Not all at once, so that what comes after a lost batch may be seen before the loss is told.
        let count = at.queue.len().min(WORK_BATCHES_MAX);
        let batches: Vec<_> = at.queue.drain(..count).collect();
        let more = !at.queue.is_empty();
        let missed = !more && std::mem::take(&mut at.missed);
        let mut mark = None;
        self.with_worker(worker, &mut mark, |roster, out, mark| {
            out.removal = Mark::RemovedLive;
            for entry in batches.iter().flatten() {
                roster.committed(entry, out);
            }
            if !out.fills.is_empty() {
                *mark = Some(Mark::FillHole);
            }
            if missed {
                let before = out.fills.len();
                roster.missed(out);
                if out.fills.len() > before {
                    out.stats.mark(Mark::FillMissed);
                }
            }
        });
        if let Some(mark) = mark {
            self.stats.mark(mark);
        }
        if more {
            self.plan_work(worker);
        }
    }

    fn fill_read(&mut self, worker: usize, request: FillRequest<ConnId>) {
        let boot = self.boot;
        let answer = if self.chaos && self.rng.chance(2) {
            self.stats.mark(Mark::ReadFailed);
            Err(Refusal::new(ErrorCode::Unavailable))
        } else {
            Ok(self.store.fill(&request))
        };
        let wait_ms = if self.rng.chance(80) {
            self.rng.between(0, 3)
        } else {
            self.rng.between(3, 60)
        };
        let (request, answer) = (Box::new(request), Box::new(answer));
        self.timeline.after(
            wait_ms,
            Happening::FillAnswer {
                boot,
                worker,
                request,
                answer,
            },
        );
    }

    fn query_read(&mut self, conn: ConnId, command_id: u64, query: Query) {
        let boot = self.boot;
        let Some(asker) = self.user_of(conn) else {
            return;
        };
        let store = &self.store;
        let result = match query {
            _ if self.chaos && self.rng.chance(2) => {
                self.stats.mark(Mark::ReadFailed);
                Err(Refusal::new(ErrorCode::Unavailable))
            }
            Query::Log { room, after, count } => {
                reading::log_page(after, store.read(asker, &room, Some(after), count))
            }
            Query::Messages {
                room,
                before_seq,
                count,
            } => reading::message_page(store.messages(asker, &room, before_seq, count)),
            Query::ListRooms {
                mine,
                after_name,
                count,
            } => {
                let (rooms, more) = store.list_rooms(asker, mine, &after_name, count);
                Ok(reading::room_list(&rooms, more))
            }
        };
        let reply = match result {
            Ok(result) => v1::Reply {
                id: command_id,
                result: Some(result),
            },
            Err(refusal) => refusal.reply(command_id),
        };
        let wait_ms = self.rng.between(0, 3);
        self.timeline.after(
            wait_ms,
            Happening::QueryAnswer {
                boot,
                conn,
                reply: Box::new(reply),
            },
        );
    }

    fn authenticated(&mut self, conn: ConnId, good: bool) {
        let wall = self.now() + self.wall_offset;
        let Some(connection) = self
            .node
            .as_mut()
            .and_then(|node| node.conns.get_mut(&conn))
        else {
            return;
        };
        let index = self.clients[connection.client].user;
        let reply = if good {
            connection.user = Some(user(index));
            let identity = Identity {
                id: user(index),
                name: format!("user{index}"),
                administrator: false,
            };
            connection.session.authenticated(wall, identity)
        } else {
            self.stats.mark(Mark::ConnectRefused);
            connection
                .session
                .refused(Refusal::new(ErrorCode::Unavailable))
        };
        self.send(conn, replying(reply));
        self.read(conn);
    }

    fn heartbeat(&mut self) {
        let (boot, now, wall) = (self.boot, self.now(), self.now() + self.wall_offset);
        self.timeline
            .after(HEARTBEAT_MS, Happening::Heartbeat { boot });
        let conns: Vec<ConnId> = self
            .node
            .iter()
            .flat_map(|node| node.conns.keys().copied())
            .collect();
        for conn in conns {
            // A ping goes out with each heartbeat; whoever can be reached and can answer has answered.
            let alive = self
                .links
                .get(&conn)
                .is_some_and(|link| !link.cut && !link.silent_to_client && !link.silent_to_server);
            let Some(node) = &mut self.node else { return };
            let Some(connection) = node.conns.get_mut(&conn) else {
                continue;
            };
            if alive {
                connection.heard_at = now;
            }
            if !connection.outbox.is_empty() && now - connection.took_at > SLOW_READER_MS {
                self.stats.mark(Mark::SlowReaderClosed);
                self.end_connection(conn, Some(CloseCode::SlowReader));
            } else if now - connection.heard_at > 2 * HEARTBEAT_MS as i64 {
                self.end_connection(conn, Some(CloseCode::HeartbeatMissed));
            } else if connection.user.is_some() {
                let tops = node
                    .workers
                    .get(connection.worker)
                    .map(|worker| worker.roster.tops(conn))
                    .unwrap_or_default();
                self.send(
                    conn,
                    pushing(Event::Heartbeat(v1::Heartbeat { now_ms: wall, tops })),
                );
            }
        }
    }

    /// The inside of the server: nothing of an earlier boot happens any more.
    pub(crate) fn inside(&mut self, happening: Happening) {
        let boot = match &happening {
            Happening::Authenticated { boot, .. }
            | Happening::Heartbeat { boot }
            | Happening::Commit { boot }
            | Happening::Work { boot, .. }
            | Happening::FillRead { boot, .. }
            | Happening::FillAnswer { boot, .. }
            | Happening::QueryRead { boot, .. }
            | Happening::QueryAnswer { boot, .. } => *boot,
            _ => return,
        };
        if boot != self.boot || self.node.is_none() {
            return;
        }
        match happening {
            Happening::Authenticated { conn, good, .. } => self.authenticated(conn, good),
            Happening::Heartbeat { .. } => self.heartbeat(),
            Happening::Commit { .. } => self.commit(),
            Happening::Work { worker, .. } => self.work(worker),
            Happening::FillRead {
                worker, request, ..
            } => self.fill_read(worker, request),
            Happening::FillAnswer {
                worker,
                request,
                answer,
                ..
            } => {
                let top = answer
                    .as_ref()
                    .as_ref()
                    .ok()
                    .and_then(|facts| facts.room.as_ref())
                    .map_or(u64::MAX, |room| room.top.seq);
                let mut more = false;
                self.with_worker(worker, &mut more, |roster, out, more| {
                    roster.fill_answered(request.member, request.request, *answer, out);
                    if out.newest_offered > top {
                        out.stats.mark(Mark::OpenFromRing);
                    }
                    *more = !out.fills.is_empty();
                });
                if more {
                    self.stats.mark(Mark::FillNextPage);
                }
            }
            Happening::QueryRead {
                conn,
                command_id,
                query,
                ..
            } => self.query_read(conn, command_id, query),
            Happening::QueryAnswer { conn, reply, .. } => self.answer(conn, *reply),
            _ => {}
        }
    }

    /// Sends the answer to a command that was in flight.
    fn answer(&mut self, conn: ConnId, reply: v1::Reply) {
        let Some(connection) = self
            .node
            .as_mut()
            .and_then(|node| node.conns.get_mut(&conn))
        else {
            return;
        };
        connection.session.answered(reply.id);
        self.send(conn, replying(reply));
        self.read(conn);
    }

    pub(crate) fn send(&mut self, conn: ConnId, message: v1::ServerMessage) {
        let now = self.now();
        let Some(connection) = self
            .node
            .as_mut()
            .and_then(|node| node.conns.get_mut(&conn))
        else {
            return;
        };
        self.checker
            .sending(conn, connection.user, &message, &self.store);
        connection.push(now, message);
        self.plan_drain(conn);
    }

    fn with_roster(
        &mut self,
        conn: ConnId,
        call: impl FnOnce(&mut suda_engine::Roster<ConnId, Arc<Entry>>, UserId, &mut Outs<'_>),
    ) {
        let Some(asker) = self.user_of(conn) else {
            return;
        };
        let Some(worker) = self
            .node
            .as_ref()
            .and_then(|node| node.conns.get(&conn))
            .map(|connection| connection.worker)
        else {
            return;
        };
        self.with_worker(worker, &mut (), |roster, out, ()| call(roster, asker, out));
    }

    /// Calls a roster, then does what it wants.
    pub(crate) fn with_worker<T>(
        &mut self,
        worker: usize,
        result: &mut T,
        call: impl FnOnce(&mut suda_engine::Roster<ConnId, Arc<Entry>>, &mut Outs<'_>, &mut T),
    ) {
        let (boot, now) = (self.boot, self.now());
        let Some(node) = &mut self.node else { return };
        let Some(at) = node.workers.get_mut(worker) else {
            return;
        };
        let mut out = Outs {
            now,
            conns: &mut node.conns,
            store: &self.store,
            checker: &mut self.checker,
            stats: &mut self.stats,
            fills: Vec::new(),
            touched: Vec::new(),
            lagged: Vec::new(),
            newest_offered: 0,
            removal: Mark::RemovedByStore,
        };
        call(&mut at.roster, &mut out, result);
        let Outs {
            fills,
            touched,
            lagged,
            ..
        } = out;
        self.lagged.extend(lagged);
        for request in fills {
            let wait_ms = if self.rng.chance(80) {
                self.rng.between(0, 3)
            } else {
                self.rng.between(3, 60)
            };
            self.timeline.after(
                wait_ms,
                Happening::FillRead {
                    boot,
                    worker,
                    request,
                },
            );
        }
        for conn in touched {
            self.plan_drain(conn);
            self.read(conn);
        }
    }

    fn user_of(&self, conn: ConnId) -> Option<UserId> {
        self.node.as_ref()?.conns.get(&conn)?.user
    }
}

/// A commit becomes durable.
pub(crate) fn write(
    store: &mut MemoryStore,
    plan: &Plan<ConnId>,
    checker: &mut crate::checker::Checker,
) {
    store.write(plan);
    checker.durable(plan.entries(), store);
}
