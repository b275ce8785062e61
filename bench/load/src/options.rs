//! What the command line says.

use clap::{Args, Parser, Subcommand, ValueEnum};

#[derive(Debug, Parser)]
#[command(about = "Loads a WebSocket server and prints what that cost it, as JSON")]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The server under load.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Port on 127.0.0.1.
    #[arg(long)]
    pub(crate) port: u16,
    /// Process whose CPU time and memory are read.
    #[arg(long)]
    pub(crate) pid: u32,
    /// Path of the request.
    #[arg(long, default_value = "/")]
    pub(crate) path: String,
    /// Offer permessage-deflate; a server that does not accept it fails the run.
    #[arg(long, value_enum, default_value_t = Deflate::Off)]
    pub(crate) deflate: Deflate,
    /// The server speaks no WebSocket: no handshake, and what comes back is just as long as what was sent.
    #[arg(long)]
    pub(crate) raw: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deflate {
    Off,
    /// With both `no_context_takeover` parameters.
    NoTakeover,
    /// Without parameters.
    Takeover,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sends messages to a server that sends each back.
    Echo(Echo),
    /// Opens connections, sends one message on each, and looks at the server's memory.
    Idle(Idle),
    /// Opens connections and resets each as soon as it is open.
    Handshake(Handshake),
    /// One connection sends to a server that passes each message on to all others.
    Fanout(Fanout),
}

/// When a run is over.
#[derive(Debug, Args)]
pub(crate) struct Duration {
    /// Seconds before anything is counted.
    #[arg(long, default_value_t = 0.15)]
    pub(crate) warmup: f64,
    /// End after so many seconds.
    #[arg(long, default_value_t = 6.0)]
    pub(crate) secs: f64,
    /// End once the server has used so many seconds of CPU time.
    #[arg(long)]
    pub(crate) cpu_secs: Option<f64>,
}

#[derive(Debug, Args)]
pub(crate) struct Echo {
    #[arg(long, default_value_t = 64)]
    pub(crate) conns: usize,
    /// Payload of a message, in bytes.
    #[arg(long, default_value_t = 16)]
    pub(crate) size: usize,
    /// Messages in flight on each connection.
    #[arg(long, default_value_t = 1)]
    pub(crate) in_flight: usize,
    /// End after exactly so many messages on each connection, without warm-up: for counting instructions.
    #[arg(long)]
    pub(crate) messages_per_conn: Option<u64>,
    #[command(flatten)]
    pub(crate) duration: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Idle {
    #[arg(long, default_value_t = 10_000)]
    pub(crate) conns: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Handshake {
    /// Handshakes in flight.
    #[arg(long, default_value_t = 32)]
    pub(crate) in_flight: usize,
    /// End after exactly so many handshakes, without warm-up.
    #[arg(long)]
    pub(crate) handshakes: Option<u64>,
    #[command(flatten)]
    pub(crate) duration: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct Fanout {
    /// Receivers; the sender comes on top.
    #[arg(long, default_value_t = 1000)]
    pub(crate) conns: usize,
    /// The server sends each message to so many of the connections only, the sender among them, and all send in turn.
    #[arg(long)]
    pub(crate) room: Option<usize>,
    /// Payload of a message, in bytes.
    #[arg(long, default_value_t = 64)]
    pub(crate) size: usize,
    /// Messages under way at once.
    #[arg(long, default_value_t = 1)]
    pub(crate) window: u64,
    /// End after exactly so many messages, without warm-up.
    #[arg(long)]
    pub(crate) messages: Option<u64>,
    #[command(flatten)]
    pub(crate) duration: Duration,
}
