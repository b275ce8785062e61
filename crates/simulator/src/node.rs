//! The simulated server: the shell around session, journal and rosters, as thin as the real one may be thick.

use std::collections::{BTreeMap, VecDeque};

use suda_engine::session::Action;
use suda_engine::{Draft, Intent, Journal, Plan, Session, UserId};
use suda_protocol::v1;

use crate::commit::Fate;
use crate::connection::{Connection, OUTBOX_BYTES_MAX, OUTBOX_BYTES_MAX_WITHOUT_FAULTS, replying};
use crate::stats::Mark;
use crate::timeline::{ConnId, Happening};
use crate::worker::Worker;
use crate::world::{HEARTBEAT_MS, ROOMS, USERS, World, user};

pub(crate) struct Node {
    pub(crate) journal: Journal<ConnId>,
    pub(crate) queue: VecDeque<(ConnId, Draft)>,
    pub(crate) committing: Option<(Plan<ConnId>, Fate)>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) conns: BTreeMap<ConnId, Connection>,
    /// Takes nothing new any more and stops once all is answered.
    pub(crate) stopping: bool,
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
        let outbox_bytes_max = if self.faults {
            OUTBOX_BYTES_MAX
        } else {
            OUTBOX_BYTES_MAX_WITHOUT_FAULTS
        };
        let session = self.rng.uuid();
        let at = self.rng.next() as usize;
        match self.node.as_mut().filter(|node| !node.stopping) {
            Some(node) => {
                let worker = at % node.workers.len();
                let session = Session::new(session.into(), limits);
                let connection = Connection::new(client, worker, session, outbox_bytes_max, now);
                node.conns.insert(conn, connection);
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

    pub(crate) fn carry_out(&mut self, conn: ConnId, action: Action) {
        let boot = self.boot;
        let wait_ms = self.rng.between(0, 4);
        match action {
            Action::Reply(reply) => self.send(conn, replying(reply)),
            Action::Authenticate { .. } => {
                let good = !(self.is_faulty() && self.rng.chance(3));
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
                if let Some(at) = self.worker_mut(worker) {
                    at.asked.remove(&request.request);
                }
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
    pub(crate) fn answer(&mut self, conn: ConnId, reply: v1::Reply) {
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
        self.checker.holding(conn, connection.outbox_bytes);
        self.plan_drain(conn);
    }

    pub(crate) fn user_of(&self, conn: ConnId) -> Option<UserId> {
        self.node.as_ref()?.conns.get(&conn)?.user
    }
}
