//! What one post and its ten deliveries cost while something else grows to ten or a hundred times: connections, rooms, history.

use anyhow::Result;
use serde_json::{Map, Value};

use super::{
    beside, fanout, figure, in_turn,
    kit::{Data, Kit, Program, Server},
    sample,
};
use crate::bench::{Args, measure::Sample, rows::Row};

/// Posts a second of every cell: so many that a commit carries several, so few that nothing waits.
const RATE: usize = 4_000;
const SECONDS: usize = 5;
/// Connections that get each post.
const RECEIVERS: usize = 10;
const HISTORY_FEW: usize = 10_000;
const HISTORY_MANY: usize = 1_000_000;

/// One load before and after something has grown. Each post has ten receivers in all of them.
pub(super) struct Growth {
    pub(super) what: &'static str,
    pub(super) cells: [Cell; 2],
}

/// A load, on so much history.
pub(super) struct Cell {
    pub(super) title: &'static str,
    shape: &'static str,
    history: usize,
    /// Where these are what grows: how many there are.
    conns: Option<usize>,
}

const fn cell(title: &'static str, shape: &'static str, history: usize) -> Cell {
    Cell {
        title,
        shape,
        history,
        conns: None,
    }
}

/// Tabs of so many users, in 1,000 rooms.
const fn connections(title: &'static str, shape: &'static str, conns: usize) -> Cell {
    Cell {
        conns: Some(conns),
        ..cell(title, shape, 0)
    }
}

const DEALT: &str = "--users 1000 --rooms 100 --members 10";
const DEALT_AT_RANDOM: &str = "--users 1000 --rooms 100 --members 10 --random-ids";

pub(super) const ALL: [Growth; 4] = [
    Growth {
        // The rooms stay 1,000, so that each connection has ten of them open at first and one in the end.
        what: "connections",
        cells: [
            connections(
                "1,000 connections",
                "--users 100 --tabs 10 --rooms 1000 --members 1",
                1_000,
            ),
            connections(
                "10,000 connections",
                "--users 1000 --tabs 10 --rooms 1000 --members 1",
                10_000,
            ),
        ],
    },
    Growth {
        what: "rooms",
        cells: [
            cell("100 rooms", DEALT, 0),
            cell("1,000 rooms", "--users 1000 --rooms 1000 --members 10", 0),
        ],
    },
    Growth {
        what: "history",
        cells: [
            cell("10,000 entries", DEALT, HISTORY_FEW),
            cell("1,000,000 entries", DEALT, HISTORY_MANY),
        ],
    },
    Growth {
        what: "history, client ids at random",
        cells: [
            cell("10,000 entries, random ids", DEALT_AT_RANDOM, HISTORY_FEW),
            cell(
                "1,000,000 entries, random ids",
                DEALT_AT_RANDOM,
                HISTORY_MANY,
            ),
        ],
    },
];

pub(super) fn round(kit: &Kit, args: &Args, round: usize) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for growth in &ALL {
        let mut payload_bytes = None;
        for program in in_turn(&kit.programs, round) {
            for cell in growth.cells.iter().filter(|cell| args.wants(cell.title)) {
                let measured = data(kit, &program, cell).and_then(|data| {
                    let server = kit.serve(&program, &data, kit.apart())?;
                    server.load(&format!("{} --rate {RATE} --seconds {SECONDS}", cell.shape))
                });
                let chat = sample(
                    Row::ChatGrowth,
                    cell.title,
                    &program.name,
                    round,
                    measured,
                    |figures| figure(figures, "server/cpuUsPerPost"),
                );
                let found = figure(&chat.figures, "payloadBytesPerDelivery");
                payload_bytes = payload_bytes.or(found.ok());
                samples.push(chat);
            }
        }
        if let Some(size) = payload_bytes {
            samples.extend(floor(kit, args, growth, size, round));
        }
    }
    Ok(samples)
}

/// What the same deliveries cost the bare epoll loop: what of the growth is the system's sockets and not ours.
fn floor(kit: &Kit, args: &Args, growth: &Growth, size: f64, round: usize) -> Vec<Sample> {
    /// Messages under way at once: the posts of a millisecond.
    const WINDOW: usize = RATE / 1_000;
    /// Time for each of the connections to have had its turn.
    const WARMUP_SECS: usize = 1;
    let mut samples = Vec::new();
    for cell in growth.cells.iter().filter(|cell| args.wants(cell.title)) {
        let Some(conns) = cell.conns else { continue };
        let load = format!(
            "fanout --conns {conns} --room {RECEIVERS} --window {WINDOW} --size {size:.0} --warmup {WARMUP_SECS}"
        );
        for peer in &kit.peers {
            if let Some(measured) = beside(args, Row::ChatGrowth, peer, &load) {
                let us_per_post = |figures: &Map<String, Value>| {
                    Ok(figure(figures, "cpu_s_per_million")? * RECEIVERS as f64)
                };
                let name = fanout::FLOOR;
                let row = Row::ChatGrowth;
                samples.push(sample(row, cell.title, name, round, measured, us_per_post));
            }
        }
    }
    samples
}

fn data(kit: &Kit, program: &Program, cell: &Cell) -> Result<Data> {
    match cell.history {
        0 => kit.accounts(program),
        entries => kit.filled(program, cell.title, |server| {
            println!("{}: writing {entries} entries", program.name);
            fill(server, cell.shape, entries)
        }),
    }
}

/// Posts until there are about so many.
fn fill(server: &Server, shape: &str, entries: usize) -> Result<()> {
    /// How many are posted at a certain pace, rather than as fast as can be.
    const FEW: usize = 20_000;
    if entries <= FEW {
        let rate = entries / 4;
        let load = format!("{shape} --rate {rate} --seconds 3 --warm-up 1");
        return server.load(&load).map(drop);
    }
    let mut posted = 0.0;
    while posted < entries as f64 {
        let load = format!("{shape} --in-flight 8 --seconds 10 --warm-up 0");
        posted += figure(&server.load(&load)?, "posts")?;
    }
    Ok(())
}
