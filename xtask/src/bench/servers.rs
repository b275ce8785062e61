//! The servers, and how each is started for a row.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::rows::Row;

/// Names the uWebSockets server, which no registry has: it takes `PORT echo|broadcast 0|1|2`, the last for no, shared or
/// dedicated compression.
pub(super) const UWEBSOCKETS_VARIABLE: &str = "UWEBSOCKETS_SERVER";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// A bare epoll loop.
    Floor,
    Ours,
    /// Another Rust library.
    Rust,
    /// A library of another language.
    Other,
}

/// Where a server's program comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Program {
    /// Made from this package of bench/.
    Package {
        package: &'static str,
        binary: &'static str,
    },
    /// Made by somebody already.
    File(PathBuf),
    Gorilla,
    NodeWs,
    UWebSockets,
}

#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) name: String,
    pub(super) family: Family,
    pub(super) ways: Vec<Way>,
}

/// How a server is started for some rows.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) rows: &'static [Row],
    pub(super) program: Program,
    /// `{port}` stands for the port.
    pub(super) args: String,
    /// It speaks no WebSocket.
    pub(super) raw: bool,
}

const PLAIN: &[Row] = &[
    Row::Echo,
    Row::Pipelined,
    Row::Idle,
    Row::Handshake,
    Row::Counted,
];
const ECHO: &[Row] = &[Row::Echo, Row::Pipelined, Row::Counted];
/// Where it matters how answers are sent.
const SENDING: &[Row] = &[Row::Echo, Row::Pipelined];
const BATCHED: &[Row] = &[Row::Pipelined, Row::Counted];
const OPENING: &[Row] = &[Row::Idle, Row::Handshake];
const DEFLATE: &[Row] = &[Row::Deflate];
const TAKEOVER: &[Row] = &[Row::DeflateTakeover];
const FANOUT: &[Row] = &[Row::Fanout];
const GROWTH: &[Row] = &[Row::ChatGrowth];

impl Server {
    pub(super) fn way(&self, row: Row) -> Option<&Way> {
        self.ways.iter().find(|way| way.rows.contains(&row))
    }

    pub(super) fn is_wanted(&self, words: &[String]) -> bool {
        matches!(self.family, Family::Floor | Family::Ours)
            || words.is_empty()
            || words.iter().any(|word| self.name.contains(word.as_str()))
    }

    fn new(name: &str, family: Family, ways: Vec<Way>) -> Self {
        Self {
            name: name.to_owned(),
            family,
            ways,
        }
    }
}

/// Every server there is, with the other builds of ours that were asked for as `NAME=FOLDER`.
pub(super) fn all(builds: &[String]) -> Result<Vec<Server>> {
    let mut servers = vec![
        floor(),
        ours("suda", &|binary| Program::Package {
            package: "peer-suda",
            binary,
        }),
        io_uring(),
    ];
    for build in builds {
        let (name, folder) = build
            .split_once('=')
            .with_context(|| format!("--build wants NAME=FOLDER, got {build:?}"))?;
        let folder = std::path::absolute(folder)?;
        servers.push(ours(name, &|binary| Program::File(folder.join(binary))));
    }
    servers.push(uwebsockets());
    servers.extend(rust());
    servers.extend(others());
    Ok(servers)
}

fn floor() -> Server {
    let way = |rows, mode: &str, raw| Way {
        rows,
        program: Program::Package {
            package: "peer-raw-epoll",
            binary: "peer-raw-epoll",
        },
        args: format!("--port {{port}} --mode {mode}"),
        raw,
    };
    let ways = vec![
        way(ECHO, "bytes", true),
        way(OPENING, "frames", false),
        way(FANOUT, "broadcast", false),
        way(GROWTH, "rooms", false),
    ];
    Server::new("raw-epoll", Family::Floor, ways)
}

fn ours(name: &str, program: &dyn Fn(&'static str) -> Program) -> Server {
    let way = |rows, binary, args: &str| Way {
        rows,
        program: program(binary),
        args: args.to_owned(),
        raw: false,
    };
    let ways = vec![
        way(PLAIN, "suda-echo", "--port {port}"),
        way(DEFLATE, "suda-echo", "--port {port} --deflate no-takeover"),
        way(TAKEOVER, "suda-echo", "--port {port} --deflate takeover"),
        way(FANOUT, "suda-broadcast", "--listen 127.0.0.1:{port}"),
    ];
    Server::new(name, Family::Ours, ways)
}

/// Ours with the feature `io-uring`.
pub(super) const IO_URING: &str = "suda (io_uring)";

fn io_uring() -> Server {
    let way = |rows, binary, args: &str| Way {
        rows,
        program: Program::Package {
            package: "peer-suda-io-uring",
            binary,
        },
        args: args.to_owned(),
        raw: false,
    };
    let ways = vec![
        way(SENDING, "suda-echo-io-uring", "--port {port}"),
        way(
            FANOUT,
            "suda-broadcast-io-uring",
            "--listen 127.0.0.1:{port}",
        ),
    ];
    Server::new(IO_URING, Family::Ours, ways)
}

fn uwebsockets() -> Server {
    let way = |rows, args: &str| Way {
        rows,
        program: Program::UWebSockets,
        args: format!("{{port}} {args}"),
        raw: false,
    };
    let ways = vec![
        way(PLAIN, "echo 0"),
        way(DEFLATE, "echo 1"),
        way(TAKEOVER, "echo 2"),
        way(FANOUT, "broadcast 0"),
    ];
    Server::new("uWebSockets", Family::Other, ways)
}

fn rust() -> Vec<Server> {
    let way = |package, rows, args: &str| Way {
        rows,
        program: Program::Package {
            package,
            binary: package,
        },
        args: format!("--port {{port}} {args}"),
        raw: false,
    };
    let server = |name: &str, ways| Server::new(name, Family::Rust, ways);
    let tungstenite = |rows, args: &str| way("peer-tokio-tungstenite", rows, args);
    let fastwebsockets = |rows, args: &str| way("peer-fastwebsockets", rows, args);
    let tokio_websockets = |rows, args: &str| way("peer-tokio-websockets", rows, args);
    let yawc = |rows, args: &str| way("peer-yawc", rows, args);
    let sockudo = |rows, args: &str| way("peer-sockudo-ws", rows, args);
    let wtx = |rows, args: &str| way("peer-wtx", rows, args);
    let axum = |rows, args: &str| way("peer-axum", rows, args);
    vec![
        server(
            "tokio-tungstenite",
            vec![tungstenite(PLAIN, ""), tungstenite(FANOUT, "--broadcast")],
        ),
        server(
            "tokio-tungstenite (batch)",
            vec![tungstenite(BATCHED, "--batch")],
        ),
        server(
            "tokio-tungstenite (8 KiB buffer, batch)",
            vec![
                tungstenite(BATCHED, "--batch --read-buffer-kib 8"),
                tungstenite(OPENING, "--read-buffer-kib 8"),
            ],
        ),
        server("fastwebsockets", vec![fastwebsockets(PLAIN, "")]),
        server(
            "fastwebsockets (hyper)",
            vec![fastwebsockets(OPENING, "--hyper")],
        ),
        server(
            "tokio-websockets",
            vec![
                tokio_websockets(PLAIN, ""),
                tokio_websockets(FANOUT, "--broadcast"),
            ],
        ),
        server(
            "tokio-websockets (batch)",
            vec![tokio_websockets(BATCHED, "--batch")],
        ),
        server(
            "yawc",
            vec![
                yawc(PLAIN, ""),
                yawc(DEFLATE, "--deflate no-takeover"),
                yawc(TAKEOVER, "--deflate takeover"),
                yawc(FANOUT, "--broadcast"),
            ],
        ),
        server("yawc (batch)", vec![yawc(BATCHED, "--batch")]),
        server(
            "sockudo-ws",
            vec![
                sockudo(PLAIN, ""),
                sockudo(DEFLATE, "--deflate no-takeover"),
                sockudo(TAKEOVER, "--deflate takeover"),
                sockudo(FANOUT, "--broadcast"),
            ],
        ),
        server("sockudo-ws (batch)", vec![sockudo(BATCHED, "--batch")]),
        server(
            "wtx",
            vec![
                wtx(PLAIN, ""),
                wtx(DEFLATE, "--deflate no-takeover"),
                wtx(TAKEOVER, "--deflate takeover"),
            ],
        ),
        server("axum", vec![axum(PLAIN, ""), axum(FANOUT, "--broadcast")]),
    ]
}

fn others() -> Vec<Server> {
    let gorilla = |rows, args: &str| Way {
        rows,
        program: Program::Gorilla,
        args: format!("-port {{port}} {args}"),
        raw: false,
    };
    let ws = |rows, args: &str| Way {
        rows,
        program: Program::NodeWs,
        args: format!("--port {{port}} {args}"),
        raw: false,
    };
    const UNCOUNTED: &[Row] = &[Row::Echo, Row::Pipelined, Row::Idle, Row::Handshake];
    vec![
        Server::new(
            "gorilla (Go)",
            Family::Other,
            vec![
                gorilla(UNCOUNTED, ""),
                gorilla(DEFLATE, "-deflate"),
                gorilla(FANOUT, "-mode prepared"),
            ],
        ),
        Server::new(
            "gorilla (Go), joined frames",
            Family::Other,
            vec![gorilla(FANOUT, "-mode hub")],
        ),
        Server::new(
            "ws (node)",
            Family::Other,
            vec![
                ws(UNCOUNTED, ""),
                ws(DEFLATE, "--deflate no-takeover"),
                ws(TAKEOVER, "--deflate takeover"),
                ws(FANOUT, "--mode broadcast"),
            ],
        ),
    ]
}
