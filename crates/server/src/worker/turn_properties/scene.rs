//! A worker's state with a few members, and what the journal, the store and time do to it.

use super::super::connection::{Connection, Key};
use super::super::hand_over::Workers;
use super::super::liveness::Liveness;
use super::super::metered::Metered;
use super::super::outlets::HandedOn;
use super::super::shared_entry::SharedEntry;
use super::super::state::State;
use super::Move;
use super::peer::Peer;
use crate::clock::new_id;
use crate::config;
use crate::journal::Ticket;
use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use suda_engine::memory::MemoryStore;
use suda_engine::reading::ReadFacts;
use suda_engine::roster::{FillAnswer, FillRequest};
use suda_engine::{
    Cursor, Draft, Intent, Journal, Limits, RoomId, RoomRef, Session, SessionId, UserId,
};
use suda_protocol::v1::{self, push::Event};
use suda_protocol::{CloseCode, Codec};
use suda_websocket::{Config, Conn, Parts, Role};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::Instant;
use uuid::Uuid;

pub(super) const MEMBERS: usize = 4;
pub(super) const ROOMS: usize = 2;

/// Small, so that readers lag often; above what one entry may be.
const OUTBOX_BYTES_MAX: usize = 16 << 10;
/// What comes over that: the entry that found the last room, pushes, and answers to what was read before.
const BEYOND_BYTES_MAX: usize = 6 << 10;
/// As little as the system allows: it rounds up.
const SOCKET_BYTES: u32 = 2 << 10;
/// Far longer than anything takes: where nothing comes for so long, nothing comes any more.
const PATIENCE: Duration = Duration::from_secs(2);

/// One user of the rooms, with at most one connection.
#[derive(Debug, Default)]
struct Member {
    key: Option<Key>,
    peer: Option<Peer>,
    /// The socket of a client that has ended, until the server knows.
    left: Option<TcpStream>,
    /// What reads from the connection has ended.
    ended: Rc<Cell<bool>>,
    /// What it had of each room when its last connection ended.
    has: HashMap<String, u64>,
    /// The rooms that it is a member of.
    rooms: BTreeSet<usize>,
}

pub(super) struct Scene {
    listener: TcpListener,
    state: State,
    journal: Journal<Ticket>,
    store: MemoryStore,
    members: Vec<Member>,
    rooms: Vec<RoomId>,
    fills: VecDeque<FillRequest<Key>>,
    answers: VecDeque<(FillRequest<Key>, FillAnswer<SharedEntry>)>,
    /// Sockets that have not taken everything.
    draining: Vec<Key>,
    last_id: u64,
}

fn user(member: usize) -> UserId {
    UserId(Uuid::from_u128(0xA000 + member as u128))
}

/// Who is in all rooms and has no connection.
const OUTSIDER: usize = MEMBERS;

fn small_socket() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(SOCKET_BYTES).unwrap();
    socket.set_recv_buffer_size(SOCKET_BYTES).unwrap();
    socket
}

impl Scene {
    /// All members are in all rooms, have a connection, and have the rooms open.
    pub(super) async fn new() -> Self {
        let socket = small_socket();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let limits = Limits {
            fill_entries_max: 4,
            ring_entries_max: 6,
            ..Limits::default()
        };
        let told = v1::Limits {
            resume_entries_max: 30,
            ..limits.told
        };
        let limits = Limits { told, ..limits };
        let mut scene = Self {
            listener: socket.listen(16).unwrap(),
            state: State::new(limits, OUTBOX_BYTES_MAX),
            journal: Journal::new(),
            store: MemoryStore::default(),
            members: (0..MEMBERS).map(|_| Member::default()).collect(),
            rooms: Vec::new(),
            fills: VecDeque::new(),
            answers: VecDeque::new(),
            draining: Vec::new(),
            last_id: 0,
        };
        for room in 0..ROOMS {
            let name = format!("room{room}");
            scene.commit(OUTSIDER, Intent::CreateRoom { name }, false);
            let known: Vec<RoomId> = scene.store.rooms().collect();
            let new = known.into_iter().find(|id| !scene.rooms.contains(id));
            scene.rooms.push(new.unwrap());
        }
        for member in 0..MEMBERS {
            scene.make(Move::Come { member }).await;
            for room in 0..ROOMS {
                scene.make(Move::JoinOrLeave { member, room }).await;
                scene.make(Move::Open { member, room }).await;
                scene.make(Move::Read).await;
                scene.make(Move::Answer).await;
            }
        }
        scene
    }

    pub(super) async fn make(&mut self, step: Move) {
        match step {
            Move::Post { room, bytes } => {
                let post = self.post(room, bytes);
                self.commit(OUTSIDER, post, false);
            }
            Move::PostOwn { member, room } => {
                if self.members[member].rooms.contains(&room) && !self.is_full(member) {
                    let post = self.post(room, 100);
                    self.expect_own_first(member);
                    self.commit(member, post, true);
                }
            }
            Move::Write { sockets_max } => self.write(sockets_max),
            Move::Pause => self.pause().await,
            Move::Read => self.read(),
            Move::Answer => self.answer(),
            Move::Take { member, bytes } => {
                if let Some(peer) = &mut self.members[member].peer {
                    peer.take(bytes);
                }
            }
            Move::End { member } => self.end(member).await,
            Move::Come { member } => self.come(member).await,
            Move::Open { member, room } => self.open(member, room),
            Move::Close { member, room } => {
                let room = RoomRef::Id(self.rooms[room]);
                self.last_id += 1;
                if let Some(key) = self.members[member].key {
                    let State {
                        roster,
                        connections,
                        ..
                    } = &mut self.state;
                    roster.close(key, self.last_id, room, connections);
                }
            }
            Move::JoinOrLeave { member, room } => {
                let there = RoomRef::Id(self.rooms[room]);
                let rooms = &mut self.members[member].rooms;
                let intent = if rooms.insert(room) {
                    Intent::Join { room: there }
                } else {
                    rooms.remove(&room);
                    Intent::Leave { room: there }
                };
                self.commit(member, intent, false);
            }
            Move::Heartbeat { member } => {
                if let Some(key) = self.members[member].key
                    && !self.is_full(member)
                {
                    let tops = self.state.roster.tops(key, &mut self.state.connections);
                    let heartbeat = v1::Heartbeat { now_ms: 1, tops };
                    let connections = &mut self.state.connections;
                    connections.push(key, Event::Heartbeat(heartbeat));
                }
            }
            Move::SignOut { member } => {
                if let Some(key) = self.members[member].key {
                    self.state.close(key, CloseCode::SignedOut);
                }
            }
        }
        self.fills.extend(self.state.connections.take_fills());
        for connection in self.state.connections.values() {
            let waiting = connection.writer.buffered();
            assert!(waiting < OUTBOX_BYTES_MAX + BEYOND_BYTES_MAX, "{waiting}");
        }
    }

    /// No command is read and no heartbeat sent then.
    fn is_full(&self, member: usize) -> bool {
        let key = self.members[member].key;
        let connection = key.and_then(|key| self.state.connections.get(key));
        connection.is_some_and(|connection| connection.is_full(OUTBOX_BYTES_MAX))
    }

    fn post(&self, room: usize, bytes: usize) -> Intent {
        Intent::Post {
            room: RoomRef::Id(self.rooms[room]),
            text: "a".repeat(bytes),
            reply_to: 0,
        }
    }

    /// The member is about to post: where none of its streams waits for the store or for room, the entry comes before the answer.
    fn expect_own_first(&mut self, member: usize) {
        let member = &mut self.members[member];
        let (Some(key), Some(peer)) = (member.key, &mut member.peer) else {
            return;
        };
        let answers = self.answers.iter().map(|(asked, _)| asked);
        let fills = self.fills.iter().any(|asked| asked.member == key) || { answers }
            .any(|asked| asked.member == key);
        let connection = self.state.connections.get(key);
        if !fills && connection.is_some_and(|connection| !connection.refused) {
            peer.own_first.insert(self.last_id + 1);
        }
    }

    /// Commits what somebody wants, and hands it to the worker; with the answer, where the author's connection waits for it.
    fn commit(&mut self, author: usize, intent: Intent, answered: bool) {
        self.last_id += 1;
        let draft = Draft {
            command_id: self.last_id,
            author: user(author),
            author_name: format!("user{author}"),
            client_id: Uuid::from_u128(self.last_id.into()).into(),
            intent,
            objection: None,
        };
        let connection = self.members.get(author).and_then(|member| member.key);
        let ticket = match connection.filter(|_| answered) {
            Some(connection) => Ticket::Connection {
                worker: 0,
                connection,
            },
            None => Ticket::Nobody,
        };
        let batch = vec![(ticket, draft)];
        let facts = self.store.facts(&self.journal.lookup(&batch));
        let plan = self.journal.plan(1, batch, facts, &mut new_id);
        self.store.write(&plan);
        let committed = self.journal.committed(plan);
        let entries = committed.entries.into_iter().map(SharedEntry::new);
        let batch = Some(entries.collect());
        let answers = committed.answers;
        self.state.committed(HandedOn { batch, answers });
    }

    fn write(&mut self, sockets_max: usize) {
        let written = self.state.write(sockets_max);
        self.fills.extend(written.fills);
        self.draining.extend(written.waiting);
    }

    /// What runs beside the worker's loop: the system, the library's own tasks, those that read, and those that wait for room.
    async fn pause(&mut self) {
        yield_now().await;
        for at in 0..MEMBERS {
            if self.members[at].ended.get() {
                self.forget(at);
            }
        }
        let mut cx = Context::from_waker(Waker::noop());
        for key in std::mem::take(&mut self.draining) {
            match self.state.poll_room(key, &mut cx) {
                Poll::Ready(true) if self.state.has_room(key) => {}
                Poll::Ready(false) => self.state.gone(key),
                _ => self.draining.push(key),
            }
        }
        self.fills.extend(self.state.connections.take_fills());
    }

    fn read(&mut self) {
        let Some(request) = self.fills.pop_front() else {
            return;
        };
        let facts = self.store.fill(&request);
        let facts = ReadFacts {
            room: facts.room,
            member: facts.member,
            at_cursor: facts.at_cursor,
            entries: facts.entries.into_iter().map(SharedEntry::new).collect(),
        };
        self.answers.push_back((request, Ok(facts)));
    }

    fn answer(&mut self) {
        if let Some((asked, answer)) = self.answers.pop_front() {
            let State {
                roster,
                connections,
                ..
            } = &mut self.state;
            roster.fill_answered(asked.member, asked.request, answer, connections);
        }
    }

    /// The client is gone, and the server is yet to find it out.
    async fn end(&mut self, member: usize) {
        let member = &mut self.members[member];
        if let Some(mut peer) = member.peer.take() {
            member.has = std::mem::take(&mut peer.has);
            member.left = Some(peer.shut_down().await);
        }
    }

    /// The server knows that the connection has ended.
    fn forget(&mut self, member: usize) {
        let of_member = &mut self.members[member];
        if let Some(peer) = of_member.peer.take() {
            of_member.has = peer.has;
        }
        of_member.left = None;
        of_member.ended = Rc::default();
        if let Some(key) = of_member.key.take() {
            self.state.gone(key);
        }
    }

    async fn come(&mut self, member: usize) {
        self.forget(member);
        let address = self.listener.local_addr().unwrap();
        let (ours, theirs) = tokio::join!(self.listener.accept(), small_socket().connect(address));
        let (stream, meter) = Metered::new(ours.unwrap().0);
        // As the server's upgrader has it.
        let config = Config::default().outbox_bytes_max(usize::MAX);
        let (mut reader, writer, control) =
            Conn::from_parts(stream, Parts::new(Role::Server, config)).split();
        let ended = Rc::clone(&self.members[member].ended);
        let reading = tokio::task::spawn_local(async move {
            while reader.read_message().await.is_ok() {}
            ended.set(true);
        });
        self.state.last_key += 1;
        let key = self.state.last_key;
        let codec = Codec::ALL[member % Codec::ALL.len()];
        let limits = Arc::new(Limits::default());
        let connection = Connection {
            writer,
            control,
            codec,
            session: Session::new(SessionId(new_id()), limits),
            upgrade_token: String::new(),
            device: None,
            client: address.ip(),
            liveness: Liveness::new(meter, Instant::now(), &config::Limits::default()),
            refused: false,
            reading_waits: false,
            touched: false,
            draining: false,
            paused: false,
            resume: Rc::new(Notify::new()),
            closing_since: None,
            reading: Some(reading.abort_handle()),
            _place: Workers::new(Vec::new(), 1).place().unwrap(),
        };
        self.state.connections.insert(key, connection);
        let has = std::mem::take(&mut self.members[member].has);
        self.members[member].peer = Some(Peer::new(theirs.unwrap(), codec, has));
        self.members[member].key = Some(key);
    }

    fn open(&mut self, at: usize, room: usize) {
        if self.is_full(at) {
            return;
        }
        let room = self.rooms[room];
        let member = &mut self.members[at];
        let (Some(key), Some(peer)) = (member.key, &mut member.peer) else {
            return;
        };
        let has = peer.has.get(&room.to_string()).copied().unwrap_or(0);
        let cursor = match usize::try_from(has).unwrap().checked_sub(1) {
            Some(last) => self.store.log(room)[last].cursor(),
            None => Cursor::BEGINNING,
        };
        self.last_id += 1;
        peer.asked.insert(self.last_id, (room.to_string(), has));
        let State {
            roster,
            connections,
            ..
        } = &mut self.state;
        let there = RoomRef::Id(room);
        roster.open(
            key,
            self.last_id,
            user(at),
            there,
            Some(cursor),
            connections,
        );
    }

    /// Everybody reads as fast as is written: whoever has a stream comes to its end, without anything further having to happen.
    pub(super) async fn come_to_rest(&mut self) {
        let mut moved_at = Instant::now();
        while self.is_behind() {
            self.write(1);
            self.pause().await;
            self.read();
            self.answer();
            let peers = self
                .members
                .iter_mut()
                .filter_map(|member| member.peer.as_mut());
            let taken: usize = peers.map(|peer| peer.take(1 << 20)).sum();
            if taken > 0 {
                moved_at = Instant::now();
            }
            assert!(moved_at.elapsed() < PATIENCE, "{:#?}", self.members);
        }
        for connection in self.state.connections.values() {
            assert_eq!(connection.writer.buffered(), 0);
            assert!(!connection.draining && !connection.refused && !connection.touched);
        }
        // Before the server's ends of their sockets.
        self.members.clear();
    }

    fn is_behind(&self) -> bool {
        let top = |room: &str| self.store.log(room.parse().unwrap()).len() as u64;
        let lacks = |peer: &Peer| {
            let mut next = peer.next.iter();
            !peer.closed && (!peer.asked.is_empty() || next.any(|(room, next)| *next <= top(room)))
        };
        let peers = self
            .members
            .iter()
            .filter_map(|member| member.peer.as_ref());
        self.state.connections.has_touched()
            || self.state.roster.has_due()
            || !(self.fills.is_empty() && self.answers.is_empty() && self.draining.is_empty())
            || peers.into_iter().any(lacks)
    }
}
