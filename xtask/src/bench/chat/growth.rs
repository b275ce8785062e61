//! What one post and its ten deliveries cost while something else grows to ten or a hundred times: connections, rooms, history.

use anyhow::Result;

use super::{
    figure, in_turn,
    kit::{Data, Kit, Program, Server},
    sample,
};
use crate::bench::{measure::Sample, rows::Row};

/// Posts a second of every cell: so many that a commit carries several, so few that nothing waits.
const RATE: usize = 4_000;
const SECONDS: usize = 5;
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
}

const fn cell(title: &'static str, shape: &'static str, history: usize) -> Cell {
    Cell {
        title,
        shape,
        history,
    }
}

const DEALT: &str = "--users 1000 --rooms 100 --members 10";
const DEALT_AT_RANDOM: &str = "--users 1000 --rooms 100 --members 10 --random-ids";

pub(super) const ALL: [Growth; 4] = [
    Growth {
        // The rooms stay 1,000, so that each connection has ten of them open at first and one in the end.
        what: "connections",
        cells: [
            cell(
                "1,000 connections",
                "--users 100 --tabs 10 --rooms 1000 --members 1",
                0,
            ),
            cell(
                "10,000 connections",
                "--users 1000 --tabs 10 --rooms 1000 --members 1",
                0,
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

pub(super) fn run(kit: &mut Kit, rounds: usize) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for growth in &ALL {
        for round in 0..rounds {
            for program in in_turn(&kit.programs, round) {
                for cell in &growth.cells {
                    let measured = data(kit, &program, cell).and_then(|data| {
                        let server = kit.serve(&program, &data, kit.apart())?;
                        server.load(&format!("{} --rate {RATE} --seconds {SECONDS}", cell.shape))
                    });
                    samples.push(sample(
                        Row::ChatGrowth,
                        cell.title,
                        &program.name,
                        round,
                        measured,
                        |figures| figure(figures, "server/cpuUsPerPost"),
                    ));
                }
            }
        }
    }
    Ok(samples)
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
