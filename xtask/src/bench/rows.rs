//! What is measured: rows, each of one or more cells.

use clap::ValueEnum;

/// Connections of the echo rows.
const CONNS: usize = 64;
/// Fewer where more than this would be in flight, in bytes.
const IN_FLIGHT_BYTES_MAX: usize = 64 << 20;
const FEWER_CONNS: usize = 16;
const SIZES: [usize; 4] = [16, 1 << 10, 64 << 10, 1 << 20];
const BATCHED: usize = 16;
const COMPRESSED_BYTES: usize = 2 << 10;
const IDLE_CONNS: usize = 10_000;
const FANOUT_CONNS: usize = 1_000;
const FANOUT_WINDOWS: [usize; 2] = [1, 8];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Row {
    /// Echo, one message in flight on each connection.
    Echo,
    /// Echo, 16 messages in flight.
    Pipelined,
    /// Memory of 10,000 connections after one message each.
    Idle,
    /// Opening handshakes.
    Handshake,
    /// Echo of 2 KiB of JSON, compressed, contexts forgotten after each message.
    Deflate,
    /// The same, contexts kept where the server does so.
    DeflateTakeover,
    /// One sender, 1,000 receivers.
    Fanout,
    /// Instructions, system calls and allocations for each message and handshake.
    Counted,
    /// The chat server: memory of 10,000 signed-in sessions.
    ChatIdle,
    /// The chat server: one room of 1,000 members.
    ChatFanout,
    /// The chat server: durable posts a second, and what an acknowledgement takes at half of that.
    ChatPosts,
    /// The chat server: what a post costs with more connections, rooms and history.
    ChatGrowth,
}

/// One figure of a row.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) row: Row,
    pub(super) title: String,
    /// What the load generator is told.
    pub(super) load: Vec<String>,
    /// Which of its figures counts.
    pub(super) figure: &'static str,
}

impl Row {
    /// The rows that take CPU time and memory.
    pub(super) const TIMED: [Self; 7] = [
        Self::Echo,
        Self::Pipelined,
        Self::Idle,
        Self::Handshake,
        Self::Deflate,
        Self::DeflateTakeover,
        Self::Fanout,
    ];

    /// The rows of the chat server, see `chat`.
    pub(super) const CHAT: [Self; 4] = [
        Self::ChatIdle,
        Self::ChatFanout,
        Self::ChatPosts,
        Self::ChatGrowth,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Echo => "Echo, 1 in flight: CPU seconds per million messages",
            Self::Pipelined => "Echo, 16 in flight: CPU seconds per million messages",
            Self::Idle => {
                "Idle connections after one message each: KiB of user memory per connection"
            }
            Self::Handshake => "Handshakes: CPU seconds per 10,000",
            Self::Deflate => {
                "permessage-deflate without takeover: CPU seconds per million messages"
            }
            Self::DeflateTakeover => {
                "permessage-deflate with takeover: CPU seconds per million messages"
            }
            Self::Fanout => "Fan-out to 1,000: CPU seconds per million deliveries",
            Self::Counted => "Counted, for each message or handshake",
            Self::ChatIdle => "Chat, idle sessions: KiB of user memory each",
            Self::ChatFanout => "Chat, one room of 1,000: CPU seconds per million deliveries",
            Self::ChatPosts => "Chat, durable posts: 1,000 connections, 100 rooms of ten members",
            Self::ChatGrowth => "Chat, growth: µs of CPU for a post and its ten deliveries",
        }
    }

    /// Whether each sample needs a server that was not used before.
    pub(super) fn wants_fresh_server(self) -> bool {
        matches!(self, Self::Idle | Self::Fanout)
    }

    pub(super) fn cells(self, cpu_secs: f64) -> Vec<Cell> {
        let cell = |title: String, load: &str, figure| Cell {
            row: self,
            title,
            load: load.split(' ').map(str::to_owned).collect(),
            figure,
        };
        let limits = format!("--cpu-secs {cpu_secs}");
        match self {
            Self::Echo => echo(1, cpu_secs, &cell),
            Self::Pipelined => echo(BATCHED, cpu_secs, &cell),
            Self::Idle => vec![cell(
                format!("{IDLE_CONNS} connections"),
                &format!("idle --conns {IDLE_CONNS}"),
                "kib_per_conn",
            )],
            Self::Handshake => vec![cell(
                "32 in flight".to_owned(),
                &format!("handshake {limits}"),
                "cpu_s_per_10k",
            )],
            Self::Deflate | Self::DeflateTakeover => {
                let offer = if self == Self::Deflate {
                    "no-takeover"
                } else {
                    "takeover"
                };
                vec![cell(
                    format!("{} JSON", size_name(COMPRESSED_BYTES)),
                    &format!("--deflate {offer} echo --size {COMPRESSED_BYTES} {limits}"),
                    "cpu_s_per_million",
                )]
            }
            Self::Fanout => FANOUT_WINDOWS
                .iter()
                .map(|window| {
                    cell(
                        format!("{window} under way"),
                        &format!("fanout --conns {FANOUT_CONNS} --window {window} {limits}"),
                        "cpu_s_per_million",
                    )
                })
                .collect(),
            // Measured by modules of their own: `counted` and `chat`.
            Self::Counted
            | Self::ChatIdle
            | Self::ChatFanout
            | Self::ChatPosts
            | Self::ChatGrowth => Vec::new(),
        }
    }
}

fn echo(
    in_flight: usize,
    cpu_secs: f64,
    cell: &impl Fn(String, &str, &'static str) -> Cell,
) -> Vec<Cell> {
    let one = |&size: &usize| {
        let conns = if size * in_flight * CONNS <= IN_FLIGHT_BYTES_MAX {
            CONNS
        } else {
            FEWER_CONNS
        };
        cell(
            size_name(size),
            &format!(
                "echo --size {size} --in-flight {in_flight} --conns {conns} --cpu-secs {cpu_secs}"
            ),
            "cpu_s_per_million",
        )
    };
    SIZES.iter().map(one).collect()
}

fn size_name(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
