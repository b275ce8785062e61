//! What an operator can set, with its defaults. Reading a file or the environment is the binary's business.

use crate::error::StartError;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Who may make an account once there is an administrator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignUp {
    /// Everybody who can reach the server.
    #[default]
    Open,
    /// Nobody.
    Closed,
}

/// Everything that [`Server::start`](crate::Server::start) is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen. Port 0 lets the system choose; see [`Server::local_addr`](crate::Server::local_addr).
    pub listen: SocketAddr,
    /// The data folder. Made (readable by its owner only) where it is missing.
    pub data_dir: PathBuf,
    /// The URL under which people reach the server, if a proxy stands before it: `https://chat.example.org`.
    /// A page from this origin may open the WebSocket, as well as one from the request's own host.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed. From anyone else that header is ignored.
    pub trusted_proxies: Vec<IpAddr>,
    /// Threads that carry the chat connections. 0 means one for each core.
    pub workers: usize,
    /// Who may make an account.
    pub sign_up: SignUp,
    /// Whether long messages are compressed for clients that offer it (RFC 7692).
    pub compression: bool,
    /// The bounds.
    pub limits: Limits,
}

impl Config {
    /// The defaults, with the given data folder: listens on 127.0.0.1:7300, sign-up open.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7300),
            data_dir: data_dir.into(),
            public_url: None,
            trusted_proxies: Vec::new(),
            workers: 0,
            sign_up: SignUp::Open,
            compression: true,
            limits: Limits::default(),
        }
    }

    /// Finds values with which nothing could work.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let limits = &self.limits;
        let waits = [
            ("heartbeat", limits.heartbeat),
            ("connect_timeout", limits.connect_timeout),
            ("stall_timeout", limits.stall_timeout),
            ("header_timeout", limits.header_timeout),
            ("request_timeout", limits.request_timeout),
        ];
        for (setting, wait) in waits {
            if wait.is_zero() {
                return Err(wrong(setting, "it must be longer than nothing"));
            }
        }
        let counts = [
            ("connections_max", limits.connections_max),
            ("http_connections_max", limits.http_connections_max),
            ("outbox_bytes_max", limits.outbox_bytes_max),
        ];
        for (setting, count) in counts {
            if count == 0 || u32::try_from(count).is_err() {
                return Err(wrong(setting, "it must be at least 1 and fit 32 bits"));
            }
        }
        Ok(())
    }

    pub(crate) fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            count => count,
        }
    }
}

fn wrong(setting: &'static str, problem: &str) -> StartError {
    StartError::Setting {
        setting,
        problem: problem.to_owned(),
    }
}

/// Every bound that an operator may move. What clients are held to and told in `hello` stands in [`suda_protocol::limits`].
#[derive(Clone, Debug)]
pub struct Limits {
    /// How often each connection gets a heartbeat. A peer that was silent for twice as long is closed with 4002.
    pub heartbeat: Duration,
    /// How long a new connection may take until its `connect` command; then it is closed with 4004.
    pub connect_timeout: Duration,
    /// How long a socket may take nothing while something waits for it; then it is closed with 4001.
    pub stall_timeout: Duration,
    /// How long a graceful stop waits for commands under way and for sockets to take what is queued.
    pub stop_timeout: Duration,
    /// How long a client may take to send a request's head.
    pub header_timeout: Duration,
    /// How long a whole HTTP request may take once its head is read.
    pub request_timeout: Duration,
    /// Chat connections at the same time; the next one gets 503.
    pub connections_max: usize,
    /// TCP connections that speak HTTP at the same time; more wait in the system's queue.
    pub http_connections_max: usize,
    /// Bytes waiting for one socket before its rooms lag.
    pub outbox_bytes_max: usize,
    /// Drafts and account changes waiting for the journal before authors are told to try again.
    pub journal_queue_max: usize,
    /// Drafts and account changes in one commit.
    pub journal_batch_max: usize,
    /// Committed batches waiting for one worker before it has to read them from the store.
    pub worker_queue_max: usize,
    /// Threads that read the store.
    pub reader_threads: usize,
    /// Reads waiting for one of those threads before askers are told to try again.
    pub reader_queue_max: usize,
    /// Threads that hash passwords.
    pub password_threads: usize,
    /// Passwords waiting to be hashed before askers are told to try again.
    pub password_queue_max: usize,
    /// Bytes that the database file may grow to; none: as large as the disk allows.
    pub database_bytes_max: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(25),
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(10),
            stop_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            connections_max: 18_000,
            http_connections_max: 1_000,
            outbox_bytes_max: 256 * 1024,
            journal_queue_max: 8_192,
            journal_batch_max: 2_048,
            worker_queue_max: 128,
            reader_threads: 2,
            reader_queue_max: 1_024,
            password_threads: 2,
            password_queue_max: 32,
            database_bytes_max: None,
        }
    }
}
