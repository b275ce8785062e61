//! All connections of a run, on one thread: sockets, what is sent and received on them, and storms. When to post is `pacing`'s business, what a
//! message means the member's.

mod pacing;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use suda_client::Server;
use suda_protocol::Codec;
use suda_protocol::limits::SERVER_MESSAGE_BYTES_MAX;
use suda_websocket::{
    Compression, Config, Control, Dialer, MaybeTlsStream, Message, PreparedMessage, Utf8Bytes,
    Writer,
};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep};

use super::args::Shape;
use super::book::Book;
use super::checker::Checker;
use super::member::Member;
use super::wire::{self, Incoming};

pub(super) use pacing::Pace;

/// Connections that are being opened at the same time. A server's queue of connections to accept is not much longer.
const OPENING_MAX: usize = 64;
/// How long making a connection may take.
const DIAL_TIMEOUT: Duration = Duration::from_secs(30);
/// The pause after the first failure to connect; it doubles with each further one.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// How often commands are looked at that were put off.
const SEND_AGAIN_EVERY: Duration = Duration::from_millis(10);

/// A share of the connections is dropped, again and again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Storm {
    /// From 0 to 1.
    pub(super) share: f64,
    pub(super) every: Duration,
}

/// A handle to all connections.
#[derive(Clone)]
pub(super) struct Swarm {
    state: Rc<RefCell<State>>,
    opening: Rc<Semaphore>,
    dialer: Rc<Dialer>,
    url: Rc<str>,
    codec: Codec,
    began: Instant,
}

struct State {
    slots: Vec<Slot>,
    checker: Checker,
    book: Book,
    /// Posts kept without an answer on each connection, while that is the pace.
    in_flight: Option<usize>,
    /// Connections that have commands to be put off; most have none.
    waiting: Vec<usize>,
    /// Connections in each room.
    receivers: u64,
    /// Told whenever another post has its answer and has come to all.
    settled: Rc<Notify>,
    reconnects: u64,
    dials_failed: u64,
    dial_error: Option<String>,
    stopping: bool,
}

struct Slot {
    member: Member,
    link: Option<Link>,
    was_connected: bool,
    is_waiting: bool,
}

struct Link {
    writer: Writer<MaybeTlsStream>,
    control: Control<MaybeTlsStream>,
}

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) connections: usize,
    pub(super) ready: usize,
    pub(super) posts: u64,
    pub(super) deliveries: u64,
    pub(super) unanswered: usize,
    pub(super) reconnects: u64,
    /// Why a connection cannot take part.
    pub(super) refused: Option<String>,
    /// What was in the way of the last connection that could not be made.
    pub(super) dial_error: Option<String>,
}

/// What is left of a run.
pub(super) struct Remains {
    pub(super) checker: Checker,
    pub(super) book: Book,
    pub(super) reconnects: u64,
    pub(super) unanswered: usize,
}

impl Swarm {
    /// None of them connected yet.
    pub(super) fn new(
        server: &Server,
        shape: &Shape,
        members: Vec<Member>,
        checker: Checker,
        book: Book,
    ) -> Swarm {
        let codec = shape.codec;
        let mut dialer = Dialer::new()
            .subprotocols([codec.subprotocol()])
            .handshake_timeout(DIAL_TIMEOUT)
            .config(Config::default().read_limit(SERVER_MESSAGE_BYTES_MAX));
        if shape.compress {
            dialer = dialer.compression(Compression::default());
        }
        let slots = members.into_iter().map(|member| Slot {
            member,
            link: None,
            was_connected: false,
            is_waiting: false,
        });
        let state = State {
            slots: slots.collect(),
            checker,
            book,
            in_flight: None,
            waiting: Vec::new(),
            receivers: (shape.members * shape.tabs) as u64,
            settled: Rc::new(Notify::new()),
            reconnects: 0,
            dials_failed: 0,
            dial_error: None,
            stopping: false,
        };
        Swarm {
            state: Rc::new(RefCell::new(state)),
            opening: Rc::new(Semaphore::new(OPENING_MAX)),
            dialer: Rc::new(dialer),
            url: server.websocket().into(),
            codec,
            began: Instant::now(),
        }
    }

    /// Connects all, and connects again whoever loses its link, until [`Self::stop`]. Within a `LocalSet`.
    pub(super) fn start(&self) {
        let count = self.state.borrow().slots.len();
        for number in 0..count {
            tokio::task::spawn_local(self.clone().keep_connected(number));
        }
        tokio::task::spawn_local(self.clone().send_again());
    }

    /// Time since the swarm was made.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn with_book<R>(&self, work: impl FnOnce(&mut Book) -> R) -> R {
        work(&mut self.state.borrow_mut().book)
    }

    pub(super) fn progress(&self) -> Progress {
        let state = self.state.borrow();
        let members = || state.slots.iter().map(|slot| &slot.member);
        Progress {
            connections: state.slots.len(),
            ready: members().filter(|member| member.is_ready()).count(),
            posts: state.book.posts_all,
            deliveries: state.book.deliveries_all,
            unanswered: members().map(Member::unanswered).sum(),
            reconnects: state.reconnects,
            refused: members().find_map(|member| member.refused().map(str::to_owned)),
            dial_error: state.dial_error.clone(),
        }
    }

    /// Whether every post has its answer and every receiver all that there is.
    pub(super) fn is_settled(&self) -> bool {
        let state = self.state.borrow();
        let is_done = |slot: &Slot| slot.member.is_ready() && slot.member.unanswered() == 0;
        state.slots.iter().all(is_done) && state.checker.is_complete()
    }

    /// Drops a share of the connections, again and again, for ever.
    pub(super) async fn storm(&self, storm: Storm) {
        loop {
            sleep(storm.every).await;
            let state = self.state.borrow();
            let count = (state.slots.len() as f64 * storm.share).round() as usize;
            let first = random_below(state.slots.len());
            for slot in state.slots.iter().cycle().skip(first).take(count) {
                if let Some(link) = &slot.link {
                    link.control.abort();
                }
            }
        }
    }

    /// Drops all connections and gives what they have left.
    pub(super) fn stop(&self) -> Remains {
        let mut state = self.state.borrow_mut();
        state.stopping = true;
        for slot in &mut state.slots {
            if let Some(link) = slot.link.take() {
                link.control.abort();
            }
        }
        let unanswered = state
            .slots
            .iter()
            .map(|slot| slot.member.unanswered())
            .sum();
        Remains {
            checker: std::mem::replace(&mut state.checker, Checker::new(0, 0)),
            book: std::mem::replace(&mut state.book, Book::new(0, 0, false)),
            reconnects: state.reconnects,
            unanswered,
        }
    }

    async fn keep_connected(self, number: usize) {
        let mut failures = 0;
        loop {
            if self.connection(number).await {
                failures = 0;
            } else {
                failures += 1;
            }
            let come_back_after = {
                let mut state = self.state.borrow_mut();
                if state.stopping {
                    return;
                }
                state.slots[number].member.take_come_back_after()
            };
            // Right after a lost link all come back at once: that is what a storm is.
            let pause = match failures {
                0 => come_back_after.unwrap_or_default(),
                _ => jitter((PAUSE_MIN * 2_u32.saturating_pow(failures - 1)).min(PAUSE_MAX)),
            };
            sleep(pause).await;
        }
    }

    /// One connection from beginning to end. False where it could not be made.
    async fn connection(&self, number: usize) -> bool {
        let mut reader = {
            // The semaphore is never closed.
            let _place = self.opening.acquire().await;
            let dialled = self.dialer.dial(&self.url).await;
            let mut state = self.state.borrow_mut();
            let (conn, _) = match dialled {
                Ok(dialled) => dialled,
                Err(error) => {
                    state.dials_failed += 1;
                    state.dial_error = Some(error.to_string());
                    return false;
                }
            };
            if state.stopping {
                return true;
            }
            let (reader, writer, control) = conn.split();
            let slot = &mut state.slots[number];
            slot.link = Some(Link { writer, control });
            slot.member.handle_connected();
            if std::mem::replace(&mut slot.was_connected, true) {
                state.reconnects += 1;
            }
            reader
        };
        self.flush(number);
        while let Ok(message) = reader.read_message().await {
            let now = self.now();
            self.change(number, |state| {
                state.received(number, now, self.codec, &message)
            });
        }
        let mut state = self.state.borrow_mut();
        let slot = &mut state.slots[number];
        slot.link = None;
        slot.member.handle_disconnected();
        true
    }

    /// Works on the state and queues what follows from it for one connection. What is queued within its reading task goes out
    /// when that reads on.
    fn change(&self, number: usize, work: impl FnOnce(&mut State)) {
        let now = self.now();
        let mut state = self.state.borrow_mut();
        work(&mut state);
        state.fill_up(number, now);
        state.queue_commands(number, self.codec);
    }

    fn flush(&self, number: usize) {
        let mut state = self.state.borrow_mut();
        state.queue_commands(number, self.codec);
        if let Some(link) = &mut state.slots[number].link {
            // The reading task sees a failure, too, and connects again.
            let _ = link.writer.try_flush();
        }
    }

    /// Sends what was put off, once its time has come.
    async fn send_again(self) {
        loop {
            sleep(SEND_AGAIN_EVERY).await;
            let now = self.now();
            let waiting = {
                let mut state = self.state.borrow_mut();
                if state.stopping {
                    return;
                }
                std::mem::take(&mut state.waiting)
            };
            for number in waiting {
                {
                    let mut state = self.state.borrow_mut();
                    let slot = &mut state.slots[number];
                    slot.is_waiting = false;
                    slot.member.handle_time(now);
                }
                self.flush(number);
            }
        }
    }
}

impl State {
    fn received(&mut self, number: usize, now: Duration, codec: Codec, message: &Message) {
        let settled = self.posts_settled();
        let member = &mut self.slots[number].member;
        let (checker, book) = (&mut self.checker, &mut self.book);
        let bytes = message.as_bytes();
        match wire::read(codec, bytes) {
            Some(Incoming::Entry(delivery)) => {
                book.carried(now, bytes.len());
                member.handle_entry(now, &delivery, checker, book);
            }
            Some(Incoming::Other(other)) => {
                if wire::entry_of(&other).is_some() {
                    book.carried(now, bytes.len());
                }
                member.handle_message(now, other, checker, book);
            }
            None => book.refused("the server sent what cannot be read"),
        }
        if self.posts_settled() > settled {
            self.settled.notify_one();
        }
    }

    fn queue_commands(&mut self, number: usize, codec: Codec) {
        let slot = &mut self.slots[number];
        if slot.member.next_at().is_some() && !slot.is_waiting {
            slot.is_waiting = true;
            self.waiting.push(number);
        }
        if !slot.member.has_commands() {
            return;
        }
        let Some(link) = &mut slot.link else { return };
        for command in slot.member.take_commands() {
            let bytes = codec.encode_command(&command);
            let message = match codec {
                Codec::Json => {
                    Utf8Bytes::from_bytes(bytes).map_or_else(Message::Binary, Message::Text)
                }
                Codec::Proto => Message::Binary(bytes),
            };
            // It fails only where the connection has ended; its reading task sees that and connects again.
            let _ = link
                .writer
                .try_send_prepared(&PreparedMessage::new(message));
        }
    }
}

/// Between half of it and all of it.
fn jitter(pause: Duration) -> Duration {
    const STEPS: u32 = 1_000;
    let step = random_below(STEPS as usize) as u32;
    pause / 2 + pause / 2 * step / STEPS
}

fn random_below(count: usize) -> usize {
    let random = uuid::Uuid::new_v4().as_u128() as u64;
    usize::try_from(random % count.max(1) as u64).unwrap_or_default()
}
