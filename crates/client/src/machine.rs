//! The machine: everything that a chat client must remember and decide, without a socket, a clock or a runtime.
//!
//! In go `handle_*` and the commands, each with the time; out come `poll_*`. After every call in, drain them:
//! [`Machine::poll_connection`], [`Machine::poll_transmit`], [`Machine::poll_event`], each until it gives none, then
//! sleep until [`Machine::poll_timeout`].
//!
//! What it promises, whatever happens to the connection: each entry of an open room comes out once, in order, without a
//! hole, or a plain [`Event::Reset`]; each mutating command is sent with the same client id until it is answered, and
//! its answer comes out once.

mod answers;
mod backoff;
mod commands;
mod config;
mod event;
mod link;
mod names;
mod outbox;
mod questions;
mod requests;
mod stream;
mod streams;

use std::collections::VecDeque;

use suda_protocol::v1::command::Request;
use suda_protocol::v1::{self, Command, Cursor};
use suda_protocol::{CloseCode, close};

pub use config::{
    ANSWER_TIMEOUT_MS, BACKOFF_FIRST_MS, BACKOFF_MAX_MS, COME_BACK_MAX_MS, Config,
    HELLO_TIMEOUT_MS, PENDING_BYTES_MAX, PENDING_COMMANDS_MAX, QUESTIONS_MAX, STABLE_MS,
};
pub use event::{Answer, Event, OfflineReason, Outcome, RequestId};
pub use link::ConnectionOrder;
pub use outbox::Pending;

use self::backoff::Jitter;
use self::link::Link;
use self::names::Names;
use self::outbox::Outbox;
use self::questions::Questions;
use self::requests::{Asked, Requests};
use self::streams::Streams;

/// Milliseconds since 1970 UTC, or since anything else that stays the same: the machine only compares and adds.
pub type Timestamp = i64;

/// A client of one server, for one signed-in user.
///
/// ```
/// use suda_client::{Config, ConnectionOrder, Event, Machine};
/// use suda_protocol::v1::{self, command::Request, reply, server_message::Kind};
///
/// let config = Config { token: "t".into(), device: "…".into(), client: "example/1".into(), seed: 7 };
/// let mut machine = Machine::new(config);
/// assert_eq!(machine.poll_connection(), Some(ConnectionOrder::Connect));
///
/// machine.handle_connected(1_000);
/// let connect = machine.poll_transmit().expect("connect comes first");
/// assert!(matches!(connect.request, Some(Request::Connect(_))));
///
/// let hello = reply::Result::Hello(v1::Hello { user: Some(v1::User::default()), ..Default::default() });
/// let reply = v1::Reply { id: connect.id, result: Some(hello) };
/// machine.handle_message(1_020, v1::ServerMessage { kind: Some(Kind::Reply(reply)) });
/// assert!(matches!(machine.poll_event(), Some(Event::Online { .. })));
/// ```
#[derive(Debug)]
pub struct Machine {
    config: Config,
    now: Timestamp,
    link: Link,
    jitter: Jitter,
    limits: v1::Limits,
    connect: Option<Request>,
    requests: Requests,
    outbox: Outbox,
    streams: Streams,
    questions: Questions,
    names: Names,
    events: VecDeque<Event>,
}

impl Machine {
    /// A machine that wants a connection at once.
    pub fn new(config: Config) -> Machine {
        Machine {
            jitter: Jitter::new(config.seed),
            config,
            now: Timestamp::MIN,
            link: Link::new(),
            limits: v1::Limits::standard(),
            connect: None,
            requests: Requests::default(),
            outbox: Outbox::default(),
            streams: Streams::default(),
            questions: Questions::default(),
            names: Names::default(),
            events: VecDeque::new(),
        }
    }

    // ---- in: what happened ----

    /// The connection that [`ConnectionOrder::Connect`] asked for is there.
    pub fn handle_connected(&mut self, now: Timestamp) {
        self.now = now;
        if !self.link.is_connecting() {
            return;
        }
        self.link.connected(now);
        self.connect = Some(Request::Connect(v1::Connect {
            token: self.config.token.clone(),
            device: self.config.device.clone(),
            client: self.config.client.clone(),
        }));
    }

    /// A message came over the connection. Anything unknown in it is ignored.
    pub fn handle_message(&mut self, now: Timestamp, message: v1::ServerMessage) {
        use v1::server_message::Kind;
        self.now = now;
        if !self.link.is_up() {
            return;
        }
        self.link.heard(now);
        match message.kind {
            Some(Kind::Reply(reply)) => self.reply(reply),
            Some(Kind::Push(push)) => self.push(push),
            None => {}
        }
    }

    /// The connection is gone, or could not be made. With the close code, if a close frame came or was made up (RFC
    /// 6455 section 7.1.5).
    pub fn handle_disconnected(&mut self, now: Timestamp, close_code: Option<u16>) {
        self.now = now;
        let was_connecting = self.link.is_connecting();
        if !was_connecting && !self.link.is_up() {
            return;
        }
        match close_code {
            Some(code) if !close::is_come_back(code) => self.end(code),
            _ if was_connecting => self.lost(
                OfflineReason::Unreachable {
                    message: String::new(),
                },
                0,
            ),
            _ if self.link.is_going_away() => self.lost(OfflineReason::GoingAway, 0),
            _ => self.lost(OfflineReason::Lost { close_code }, 0),
        }
    }

    /// The connection could not be made: [`Machine::handle_disconnected`] with a sentence that says what was in the
    /// way.
    pub fn handle_unreachable(&mut self, now: Timestamp, message: impl Into<String>) {
        self.now = now;
        if self.link.is_connecting() {
            self.lost(
                OfflineReason::Unreachable {
                    message: message.into(),
                },
                0,
            );
        }
    }

    /// The time that [`Machine::poll_timeout`] gave has come. Calling it at any other time does no harm.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.now = now;
        self.link.retry(now, false);
        let silent = self.link.silent_at().is_some_and(|at| now >= at);
        let overdue =
            self.link.is_online() && self.requests.overdue_at().is_some_and(|at| now >= at);
        if silent || overdue {
            self.drop_connection(OfflineReason::Silent, 0);
        }
    }

    /// Ends a wait before the next attempt to connect.
    pub fn connect_now(&mut self, now: Timestamp) {
        self.now = now;
        self.link.retry(now, true);
    }

    // ---- out ----

    /// What to do about the connection, in order.
    pub fn poll_connection(&mut self) -> Option<ConnectionOrder> {
        self.link.poll_order()
    }

    /// The next command to send. What it gives is taken to be on its way over the present connection.
    pub fn poll_transmit(&mut self) -> Option<Command> {
        if !self.link.is_up() {
            return None;
        }
        if let Some(request) = self.connect.take() {
            return Some(self.command(Asked::Connect, request));
        }
        let in_flight_max = (self.limits.commands_in_flight_max as usize).max(1);
        if !self.link.is_online() || self.requests.count() >= in_flight_max {
            return None;
        }
        if let Some(request) = self.streams.next_close() {
            return Some(self.command(Asked::Close, request));
        }
        // Catching up leaves half of what may be under way to everything else.
        if self.requests.count_streams() < in_flight_max.div_ceil(2) {
            let (outbox, names) = (&self.outbox, &self.names);
            if let Some((key, request)) = self
                .streams
                .next(self.now, |room| outbox.will_join(room, names))
            {
                let asked = if matches!(request, Request::Open(_)) {
                    Asked::Open(key)
                } else {
                    Asked::Log(key)
                };
                return Some(self.command(asked, request));
            }
        }
        if let Some(pending) = self.outbox.next(self.now, &self.names) {
            return Some(self.command(
                Asked::Mutation(pending.client_id()),
                pending.request().clone(),
            ));
        }
        let (id, request) = self.questions.next()?;
        Some(self.command(Asked::Question(id), request))
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`Machine::handle_timeout`]; none while only something from outside can change anything.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let mut times = vec![self.link.retry_at(), self.link.silent_at()];
        if self.link.is_online() {
            times.push(self.requests.overdue_at());
            // What could go now but for a full connection waits for an answer, not for time.
            times.extend(
                [self.streams.next_at(), self.outbox.next_at()]
                    .map(|at| at.filter(|at| *at > self.now)),
            );
        }
        times.into_iter().flatten().min()
    }

    // ---- getters ----

    /// The mutating commands that have no answer yet, oldest first.
    pub fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.outbox.pending()
    }

    /// The last entry delivered of an open room; none before its stream starts.
    pub fn cursor(&self, room: &str) -> Option<&Cursor> {
        self.streams.cursor(room, self.names.resolve(room))
    }

    /// The limits of the server, or the usual ones before the first session.
    pub fn limits(&self) -> &v1::Limits {
        &self.limits
    }

    /// Whether the connection is a session now.
    pub fn is_online(&self) -> bool {
        self.link.is_online()
    }

    /// Whether no further attempt to connect will be made.
    pub fn is_ended(&self) -> bool {
        self.link.is_ended()
    }

    // ---- within ----

    fn command(&mut self, asked: Asked, request: Request) -> Command {
        Command {
            id: self.requests.add(self.now, asked),
            request: Some(request),
        }
    }

    /// The connection is of no use any more, though it may look alive.
    fn drop_connection(&mut self, reason: OfflineReason, wait_ms_min: i64) {
        self.link.order_drop();
        self.lost(reason, wait_ms_min);
    }

    fn lost(&mut self, reason: OfflineReason, wait_ms_min: i64) {
        let retry_at = self.link.lost(self.now, &mut self.jitter, wait_ms_min);
        self.forget_connection();
        self.events.push_back(Event::Offline { retry_at, reason });
    }

    fn end(&mut self, code: u16) {
        let known = CloseCode::from_number(code);
        let event = match known {
            Some(CloseCode::Unauthenticated | CloseCode::SignedOut) => {
                let message = known.map_or("", CloseCode::message);
                Event::SignedOut {
                    error: v1::Error::of(v1::ErrorCode::Unauthenticated).with_message(message),
                }
            }
            _ => {
                let message = known.map_or(
                    "The server ended the connection for good.",
                    CloseCode::message,
                );
                Event::Stopped {
                    close_code: code,
                    message: message.to_owned(),
                }
            }
        };
        self.ended(event);
    }

    fn ended(&mut self, event: Event) {
        self.link.end();
        self.forget_connection();
        self.events.push_back(event);
    }

    fn forget_connection(&mut self) {
        self.connect = None;
        self.requests.disconnected();
        self.outbox.disconnected();
        self.streams.disconnected();
        self.questions.disconnected();
    }
}
