//! The world: everything that exists in one history, and the loop that makes it happen.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use suda_engine::memory::MemoryStore;
use suda_engine::{Limits, UserId};
use suda_protocol::v1;
use uuid::Uuid;

use crate::checker::Checker;
use crate::client::Client;
use crate::connection::Link;
use crate::node::Node;
use crate::rng::Rng;
use crate::stats::{Mark, Stats};
use crate::timeline::{ConnId, Happening, Time, Timeline};
use crate::trace::Trace;

/// How often chaos and calm follow one another. What chaos has left behind shows best before the next talk covers it up.
const ROUNDS: u32 = 3;

/// Each of so many seeds is a history in which people talk, come and go, but nothing fails. What every reader gets comes with its turns there:
/// what repairs a stream after a fault would hide a turn that was forgotten.
const WITHOUT_FAULTS_EVERY: u64 = 10;

/// Milliseconds of chaos in each round.
const CHAOS_MS: u64 = 8_000;

/// Milliseconds between rounds: more than anything that chaos has planned for itself lies ahead.
const PAUSE_MS: u64 = 2_000;

/// Milliseconds after which everything must be right again: the slowest road is an answer that never comes (60 s), found by the client, and a full
/// backoff after it (30 s), twice.
const CALM_MS_MAX: u64 = 200_000;

/// Milliseconds between looks at whether everything is right by now.
const INSPECT_MS: u64 = 500;

/// Happenings after which a history has lost its way.
const HAPPENINGS_MAX: u64 = 2_000_000;

/// Milliseconds between heartbeats.
pub(crate) const HEARTBEAT_MS: u64 = 2_000;

/// The slowest way of a frame, in milliseconds.
pub(crate) const LATENCY_MS_MAX: u64 = 60;

/// Users; several clients may be of one.
pub(crate) const USERS: usize = 4;

/// Rooms that exist from the beginning.
pub(crate) const ROOMS: [&str; 3] = ["lobby", "수다방", "quiet"];

/// What one seed came to.
#[derive(Debug)]
pub struct Outcome {
    /// What was tried.
    pub stats: Stats,
    /// What was wrong, if anything.
    pub failure: Option<Failure>,
    /// A number that differs for histories that differ.
    pub fingerprint: u64,
}

/// A guarantee that does not hold.
#[derive(Debug)]
pub struct Failure {
    /// Which, and how.
    pub violation: String,
    /// The last happenings, where a trace was asked for.
    pub trace: Vec<String>,
}

/// Runs the history of one seed. On failure gives the last `trace_lines` happenings in words; 0 is much faster.
pub fn run(seed: u64, trace_lines: usize) -> Outcome {
    let mut world = World::new(seed, trace_lines);
    let run = catch_unwind(AssertUnwindSafe(|| world.run()));
    if let Err(panic) = run {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        world
            .checker
            .fail(format!("a panic: {}", text.unwrap_or_default()));
    }
    world.stats.happenings = world.timeline.count();
    let violation = world.checker.violation().map(str::to_owned);
    let failure = violation.map(|violation| Failure {
        violation,
        trace: world.trace.into_lines(),
    });
    Outcome {
        fingerprint: world.rng.next() ^ world.stats.happenings,
        stats: world.stats,
        failure,
    }
}

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) timeline: Timeline,
    pub(crate) stats: Stats,
    pub(crate) trace: Trace,
    pub(crate) checker: Checker,
    pub(crate) limits: Limits,
    /// The disk: what is durable.
    pub(crate) store: MemoryStore,
    /// An older copy of it.
    pub(crate) backup: Option<MemoryStore>,
    /// The server, while it runs.
    pub(crate) node: Option<Node>,
    /// How often it was started.
    pub(crate) boot: u64,
    /// What the server's wall clock shows beyond simulated time.
    pub(crate) wall_offset: i64,
    pub(crate) links: BTreeMap<ConnId, Link>,
    pub(crate) last_conn: ConnId,
    pub(crate) clients: Vec<Client>,
    /// Client and room whose stream ended with a lag.
    pub(crate) lagged: BTreeSet<(usize, String)>,
    pub(crate) chaos: bool,
    /// Chaos is more than people who talk.
    pub(crate) faults: bool,
    calm_until: Time,
    rounds: u32,
    done: bool,
}

impl World {
    fn new(seed: u64, trace_lines: usize) -> Self {
        let mut rng = Rng::new(seed);
        let clients = rng.between(3, 6) as usize;
        let limits = limits(&mut rng);
        let faults = !seed.is_multiple_of(WITHOUT_FAULTS_EVERY);
        let mut stats = Stats::default();
        if !faults {
            stats.mark(Mark::WithoutFaults);
        }
        let clients = (0..clients)
            .map(|index| Client::new(index, &mut rng))
            .collect();
        Self {
            rng,
            timeline: Timeline::default(),
            stats,
            trace: Trace::new(trace_lines),
            checker: Checker::new(faults),
            limits,
            store: MemoryStore::default(),
            backup: None,
            node: None,
            boot: 0,
            wall_offset: 1_700_000_000_000,
            links: BTreeMap::new(),
            last_conn: 0,
            clients,
            lagged: BTreeSet::new(),
            chaos: true,
            faults,
            calm_until: 0,
            rounds: 0,
            done: false,
        }
    }

    fn run(&mut self) {
        self.furnish();
        self.start();
        for client in 0..self.clients.len() {
            self.drain_machine(client);
        }
        self.begin_chaos();
        while !self.done && self.checker.violation().is_none() {
            let Some(happening) = self.timeline.next() else {
                break;
            };
            if self.timeline.count() > HAPPENINGS_MAX {
                return self
                    .checker
                    .fail(format!("no end after {HAPPENINGS_MAX} happenings"));
            }
            self.happen(happening);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Act { client } => self.act(client),
            Happening::Timeout { client, at } => self.machine_timeout(client, at),
            Happening::Dial { client, conn } => self.dial(client, conn),
            Happening::Dialed { client, conn } => self.dialed(client, conn),
            Happening::DialTimeout { client, conn } => self.dial_timeout(client, conn),
            Happening::ToServer { conn, command } => self.at_server(conn, command),
            Happening::ToClient {
                client,
                conn,
                message,
            } => self.at_client(client, conn, *message),
            Happening::GoneAtClient {
                client,
                conn,
                close_code,
            } => self.gone_at_client(client, conn, close_code),
            Happening::GoneAtServer { conn } => self.gone_at_server(conn),
            Happening::Drain { conn } => self.drain(conn),
            Happening::Fault => self.fault(),
            Happening::SilenceOver { client, conn } => self.silence_over(client, conn),
            Happening::Start => self.start(),
            Happening::Calm => self.calm(),
            Happening::Chaos => self.begin_chaos(),
            Happening::Inspect => self.inspect(),
            inside => self.inside(inside),
        }
    }

    pub(crate) fn now(&self) -> Time {
        self.timeline.now()
    }

    pub(crate) fn latency_ms(&mut self) -> u64 {
        if self.rng.chance(90) {
            self.rng.between(1, 8)
        } else {
            self.rng.between(8, LATENCY_MS_MAX)
        }
    }

    pub(crate) fn say(&mut self, line: impl FnOnce() -> String) {
        self.trace.line(self.timeline.now(), line);
    }

    /// Whether what the server does may fail at this moment.
    pub(crate) fn is_faulty(&self) -> bool {
        self.chaos && self.faults
    }

    fn begin_chaos(&mut self) {
        self.say(|| "-- chaos --".into());
        self.chaos = true;
        for client in 0..self.clients.len() {
            self.timeline.after(1, Happening::Act { client });
        }
        if self.faults {
            let first_fault_ms = self.rng.between(100, 1_000);
            self.timeline.after(first_fault_ms, Happening::Fault);
        }
        self.timeline.after(CHAOS_MS, Happening::Calm);
    }

    fn calm(&mut self) {
        self.say(|| "-- calm --".into());
        self.chaos = false;
        self.calm_until = self.now() + CALM_MS_MAX as Time;
        for link in self.links.values_mut() {
            link.frame_ms = Some(0);
        }
        if let Some(node) = &mut self.node {
            node.workers
                .iter_mut()
                .for_each(|worker| worker.stalled_until = 0);
        }
        let conns: Vec<ConnId> = self.links.keys().copied().collect();
        for conn in conns {
            self.plan_drain(conn);
        }
        for client in 0..self.clients.len() {
            self.settle_down(client);
        }
        self.timeline.after(INSPECT_MS, Happening::Inspect);
    }

    fn inspect(&mut self) {
        for client in 0..self.clients.len() {
            self.insist(client);
        }
        let lacking = match &self.node {
            None => Some("the server is down".to_owned()),
            Some(_) => (0..self.clients.len()).find_map(|client| self.client_lacks(client)),
        };
        match lacking {
            None => self.end_round(),
            Some(lack) if self.now() >= self.calm_until => {
                self.checker
                    .fail(format!("G4: after {CALM_MS_MAX} ms of calm, {lack}"));
            }
            Some(_) => self.timeline.after(INSPECT_MS, Happening::Inspect),
        }
    }

    fn end_round(&mut self) {
        self.checker.finished(&self.store);
        self.rounds += 1;
        if self.rounds == ROUNDS {
            self.done = true;
        } else {
            self.timeline.after(PAUSE_MS, Happening::Chaos);
        }
    }

    /// A link went silent a while ago: whoever still trusts it has not looked at the clock (G9).
    fn silence_over(&mut self, client: usize, conn: ConnId) {
        if self.clients[client].conn == Some(conn) {
            let now = self.now();
            self.checker.fail(format!("G9: at {now} ms client {client} still trusts connection {conn}, silent for two heartbeats"));
        } else {
            self.stats.mark(Mark::SilenceFound);
        }
    }
}

/// Small limits, so that every one is met often.
fn limits(rng: &mut Rng) -> Limits {
    let told = v1::Limits {
        open_rooms_max: 4,
        commands_in_flight_max: 6,
        log_page_max: 8,
        message_page_max: 5,
        resume_entries_max: 20,
        ..v1::Limits::standard()
    };
    Limits {
        told,
        heartbeat_ms: HEARTBEAT_MS as u32,
        command_rate_per_s: 5,
        command_burst_max: 8,
        fill_entries_max: rng.between(2, 8) as usize,
        ring_entries_max: rng.between(1, 6) as usize,
        ..Limits::default()
    }
}

pub(crate) fn user(index: usize) -> UserId {
    UserId(Uuid::from_u64_pair(0x5EDA, index as u64 + 1))
}
