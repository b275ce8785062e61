//! The task: takes orders, feeds the machine, carries out what it says, and sleeps until something happens.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use suda_protocol::{Codec, ErrorCode, v1};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

use super::orders::{AnswerSender, Mutation, OpenedSender, Order, OutcomeSender, Question};
use super::socket::{Dial, Incoming, Socket};
use crate::{CommandError, ConnectionOrder, Event, Machine, Pending, RequestId, Timestamp};

/// What whoever waits for a room to open is told when it is closed instead.
const CLOSED_BEFORE_OPEN: &str = "The room was closed before it was open.";

type Dialing = Pin<Box<dyn Future<Output = Result<Socket, String>> + Send>>;

/// Runs until the client is closed, or nobody holds a handle or takes events.
pub(crate) async fn run(
    machine: Machine,
    dial: impl Dial,
    codec: Codec,
    mut orders: mpsc::Receiver<Order>,
    events: mpsc::Sender<Event>,
) {
    let mut task = Task::new(machine, codec, events);
    let mut ordering = true;
    loop {
        task.settle(&dial);
        if task.is_finished() || (!ordering && task.events.is_closed()) {
            break;
        }
        let wake = task.wakes_at();
        let reading = task.backlog.is_empty();
        let full = task
            .socket
            .as_ref()
            .filter(|_| task.blocked)
            .map(|socket| socket.commands.clone());
        tokio::select! {
            order = orders.recv(), if ordering => match order {
                Some(order) => task.order(order),
                None => ordering = false,
            },
            result = dialed(&mut task.dialing) => task.dialed(result),
            incoming = received(&mut task.socket), if reading => task.received(incoming),
            () = writable(full) => {}
            () = taken(&task.events), if !reading => {}
            () = task.events.closed(), if !ordering => {}
            () = tokio::time::sleep_until(wake) => task.woke(),
        }
    }
    task.finish().await;
}

struct Task {
    machine: Machine,
    codec: Codec,
    clock: Clock,
    dialing: Option<Dialing>,
    socket: Option<Socket>,
    /// Whether a command waits for the socket to take it.
    blocked: bool,
    events: mpsc::Sender<Event>,
    /// Events that nobody took yet. While there are any, nothing is read, so that one message's events are all that it
    /// holds.
    backlog: VecDeque<Event>,
    outcomes: HashMap<Uuid, OutcomeSender>,
    answers: HashMap<RequestId, AnswerSender>,
    /// Who waits for which room, as it was asked for.
    openings: Vec<(String, OpenedSender)>,
    closing: Option<Closing>,
}

struct Closing {
    deadline: Instant,
    answers: Vec<oneshot::Sender<Vec<Pending>>>,
}

impl Task {
    fn new(machine: Machine, codec: Codec, events: mpsc::Sender<Event>) -> Task {
        Task {
            machine,
            codec,
            clock: Clock::start(),
            dialing: None,
            socket: None,
            blocked: false,
            events,
            backlog: VecDeque::new(),
            outcomes: HashMap::new(),
            answers: HashMap::new(),
            openings: Vec::new(),
            closing: None,
        }
    }

    /// Carries out everything that the machine says, as far as it goes without waiting.
    fn settle(&mut self, dial: &impl Dial) {
        while let Some(order) = self.machine.poll_connection() {
            match order {
                ConnectionOrder::Connect => self.dialing = Some(Box::pin(dial.dial())),
                ConnectionOrder::Drop => self.socket = None,
            }
        }
        self.blocked = false;
        if let Some(socket) = &self.socket {
            loop {
                let Ok(room) = socket.commands.try_reserve() else {
                    self.blocked = !socket.commands.is_closed();
                    break;
                };
                let Some(command) = self.machine.poll_transmit() else {
                    break;
                };
                room.send(self.codec.encode_command(&command));
            }
        }
        while let Some(event) = self.machine.poll_event() {
            self.event(event);
        }
        while let Some(event) = self.backlog.pop_front() {
            match self.events.try_send(event) {
                Err(mpsc::error::TrySendError::Full(event)) if self.closing.is_none() => {
                    self.backlog.push_front(event);
                    break;
                }
                _ => {}
            }
        }
    }

    /// Gives an answer to who waits for it, and everything else to the stream of events.
    fn event(&mut self, event: Event) {
        match event {
            Event::Accepted { client_id, outcome } => {
                let unheard = match self.outcomes.remove(&client_id) {
                    Some(waiting) => waiting.send(Ok(outcome)).err().and_then(Result::ok),
                    None => Some(outcome),
                };
                if let Some(outcome) = unheard {
                    self.backlog
                        .push_back(Event::Accepted { client_id, outcome });
                }
            }
            Event::Refused { client_id, error } => {
                let unheard = match self.outcomes.remove(&client_id) {
                    Some(waiting) => waiting.send(Err(error)).err().and_then(Result::err),
                    None => Some(error),
                };
                if let Some(error) = unheard {
                    self.backlog.push_back(Event::Refused { client_id, error });
                }
            }
            Event::Answer { request, result } => {
                if let Some(waiting) = self.answers.remove(&request) {
                    // Whoever asked may not want to know any more.
                    let _ = waiting.send(result);
                }
            }
            Event::SignedOut { .. } | Event::Stopped { .. } => {
                for (_, waiting) in self.outcomes.drain() {
                    let _ = waiting.send(Err(CommandError::Ended.into()));
                }
                for (_, waiting) in self.answers.drain() {
                    let _ = waiting.send(Err(CommandError::Ended.into()));
                }
                for (_, waiting) in self.openings.drain(..) {
                    let _ = waiting.send(Err(CommandError::Ended.into()));
                }
                self.backlog.push_back(event);
            }
            Event::Opened {
                ref asked,
                ref room,
                ..
            } => {
                let is_it = |it: &str| it == asked || it == room.id || it == room.name;
                for (_, waiting) in self.openings.extract_if(.., |(it, _)| is_it(it)) {
                    let _ = waiting.send(Ok(room.clone()));
                }
                self.backlog.push_back(event);
            }
            Event::OpenRefused {
                ref asked,
                ref error,
            } => {
                let mut unheard = true;
                for (_, waiting) in self.openings.extract_if(.., |(it, _)| it == asked) {
                    unheard &= waiting.send(Err(error.clone())).is_err();
                }
                if unheard {
                    self.backlog.push_back(event);
                }
            }
            event => self.backlog.push_back(event),
        }
    }

    fn order(&mut self, order: Order) {
        let now = self.clock.now();
        match order {
            Order::Mutate {
                client_id,
                mutation,
                answer,
            } => match self.mutate(now, client_id, mutation) {
                Ok(()) => {
                    self.outcomes.insert(client_id, answer);
                }
                Err(error) => {
                    let _ = answer.send(Err(error.into()));
                }
            },
            Order::Ask { question, answer } => match self.ask(now, question) {
                Ok(request) => {
                    self.answers.insert(request, answer);
                }
                Err(error) => {
                    let _ = answer.send(Err(error.into()));
                }
            },
            Order::Open {
                room,
                cursor,
                opened,
            } => match self.machine.open(now, &room, cursor) {
                Ok(()) => self.openings.push((room, opened)),
                Err(error) => {
                    let _ = opened.send(Err(error.into()));
                }
            },
            Order::CloseRoom { room } => {
                for (_, waiting) in self.openings.extract_if(.., |(it, _)| *it == room) {
                    let error = v1::Error::of(ErrorCode::Unavailable);
                    let _ = waiting.send(Err(error.with_message(CLOSED_BEFORE_OPEN)));
                }
                self.machine.close(now, &room);
            }
            Order::ConnectNow => self.machine.connect_now(now),
            Order::Pending { answer } => {
                let _ = answer.send(self.machine.pending().cloned().collect());
            }
            Order::Close { within, answer } => {
                let deadline = Instant::now() + within;
                let closing = self.closing.get_or_insert_with(|| Closing {
                    deadline,
                    answers: Vec::new(),
                });
                closing.answers.push(answer);
            }
        }
    }

    fn mutate(
        &mut self,
        now: Timestamp,
        client_id: Uuid,
        mutation: Mutation,
    ) -> Result<(), CommandError> {
        if self.closing.is_some() {
            return Err(CommandError::Ended);
        }
        match mutation {
            Mutation::CreateRoom { name } => self.machine.create_room(now, client_id, &name),
            Mutation::Join { room } => self.machine.join(now, client_id, &room),
            Mutation::Leave { room } => self.machine.leave(now, client_id, &room),
            Mutation::Post {
                room,
                text,
                reply_to,
            } => self.machine.post(now, &room, client_id, &text, reply_to),
        }
    }

    fn ask(&mut self, now: Timestamp, question: Question) -> Result<RequestId, CommandError> {
        match question {
            Question::ListRooms { mine, after_name } => {
                self.machine.list_rooms(now, mine, &after_name)
            }
            Question::Messages {
                room,
                before_seq,
                count_max,
            } => self.machine.messages(now, &room, before_seq, count_max),
            Question::Log {
                room,
                after,
                count_max,
            } => self.machine.log(now, &room, after, count_max),
        }
    }

    fn dialed(&mut self, result: Result<Socket, String>) {
        self.dialing = None;
        match result {
            Ok(socket) => {
                self.socket = Some(socket);
                self.machine.handle_connected(self.clock.now());
            }
            Err(message) => self.machine.handle_unreachable(self.clock.now(), message),
        }
    }

    fn received(&mut self, incoming: Incoming) {
        let now = self.clock.now();
        match incoming {
            Incoming::Message(bytes) => match self.codec.decode_server_message(&bytes) {
                Ok(message) => self.machine.handle_message(now, message),
                // What can't be read may have been an entry: the next connection asks for it again.
                Err(_) => {
                    self.socket = None;
                    self.machine.handle_disconnected(now, None);
                }
            },
            Incoming::Closed(close_code) => {
                self.socket = None;
                self.machine.handle_disconnected(now, close_code);
            }
        }
    }

    fn woke(&mut self) {
        // While nothing is read, silence says nothing of the connection.
        if self.backlog.is_empty() {
            self.machine.handle_timeout(self.clock.now());
        }
    }

    fn wakes_at(&self) -> Instant {
        let machine = self
            .machine
            .poll_timeout()
            .filter(|_| self.backlog.is_empty())
            .map(|at| self.clock.instant(at));
        let closing = self.closing.as_ref().map(|closing| closing.deadline);
        [machine, closing]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or_else(|| Instant::now() + Duration::from_secs(3600))
    }

    fn is_finished(&self) -> bool {
        let Some(closing) = &self.closing else {
            return false;
        };
        self.machine.pending().next().is_none()
            || self.machine.is_ended()
            || Instant::now() >= closing.deadline
    }

    async fn finish(self) {
        if let Some(socket) = self.socket {
            socket.close().await;
        }
        let pending: Vec<Pending> = self.machine.pending().cloned().collect();
        for answer in self.closing.into_iter().flat_map(|closing| closing.answers) {
            let _ = answer.send(pending.clone());
        }
    }
}

async fn dialed(dialing: &mut Option<Dialing>) -> Result<Socket, String> {
    match dialing {
        Some(dialing) => dialing.await,
        None => std::future::pending().await,
    }
}

async fn received(socket: &mut Option<Socket>) -> Incoming {
    match socket {
        // A socket that ended without a word was lost.
        Some(socket) => socket
            .messages
            .recv()
            .await
            .unwrap_or(Incoming::Closed(None)),
        None => std::future::pending().await,
    }
}

/// Waits until a channel that was full takes a command again.
async fn writable(full: Option<mpsc::Sender<Bytes>>) {
    match full {
        Some(commands) => drop(commands.reserve().await),
        None => std::future::pending().await,
    }
}

async fn taken(events: &mpsc::Sender<Event>) {
    drop(events.reserve().await);
}

/// Milliseconds since 1970 that never go backwards: the system's clock at the start, the monotonic one since.
struct Clock {
    started: Instant,
    started_ms: Timestamp,
}

impl Clock {
    fn start() -> Clock {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Clock {
            started: Instant::now(),
            started_ms: i64::try_from(since_epoch.as_millis()).unwrap_or(0),
        }
    }

    fn now(&self) -> Timestamp {
        self.started_ms
            .saturating_add(i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// The instant of a time, rounded up, so that waking then is not too early.
    fn instant(&self, at: Timestamp) -> Instant {
        let after_ms = u64::try_from(at.saturating_sub(self.started_ms)).unwrap_or(0);
        self.started + Duration::from_millis(after_ms.min(365 * 24 * 3_600_000))
    }
}
