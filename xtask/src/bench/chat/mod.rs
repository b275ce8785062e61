//! The chat server's rows: `suda serve` under `suda load`, which ends badly if anything was lost, doubled or out of order, and so fails
//! the sample.
//!
//! `kit` has programs, data folders and processes; each row has a file; `report` writes their part of the report.

mod fanout;
mod growth;
mod idle;
mod kit;
mod posts;
pub(super) mod report;

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::{Args, measure::Sample, rows::Row};
use kit::{Kit, Program};

/// Rounds of a row at most: its samples take minutes where the others take seconds.
const ROUNDS_MAX: usize = 5;

pub(super) fn run(args: &Args, row: Row, out: &Path) -> Result<Vec<Sample>> {
    let mut kit = Kit::new(args, out)?;
    let rounds = args.rounds.min(ROUNDS_MAX);
    let samples = match row {
        Row::ChatIdle => idle::run(&mut kit),
        Row::ChatFanout => fanout::run(&mut kit, args, rounds),
        Row::ChatPosts => posts::run(&mut kit, rounds),
        Row::ChatGrowth => growth::run(&mut kit, rounds),
        _ => Ok(Vec::new()),
    };
    kit.clean();
    samples
}

/// A run of the load generator as a sample; `value` takes the figure that counts out of the others.
fn sample(
    row: Row,
    cell: &str,
    server: &str,
    round: usize,
    measured: Result<Map<String, Value>>,
    value: impl Fn(&Map<String, Value>) -> Result<f64>,
) -> Sample {
    let found = match &measured {
        Ok(figures) => value(figures).map_err(|error| format!("{error:#}")),
        Err(error) => Err(format!("{error:#}")),
    };
    match &found {
        Ok(figure) => println!("round {}: {server}, {cell}: {figure:.2}", round + 1),
        Err(error) => println!("round {}: {server}, {cell}: {error}", round + 1),
    }
    Sample {
        row,
        cell: cell.to_owned(),
        server: server.to_owned(),
        round,
        value: found,
        figures: measured.unwrap_or_default(),
    }
}

/// A number somewhere in the generator's report, as in `server/cpuUsPerPost`.
fn figure(figures: &Map<String, Value>, path: &str) -> Result<f64> {
    let mut parts = path.split('/');
    let mut value = parts.next().and_then(|part| figures.get(part));
    for part in parts {
        value = value.and_then(|value| value.get(part));
    }
    value
        .and_then(Value::as_f64)
        .with_context(|| format!("the load generator told no {path}"))
}

/// All chat servers in turn, another one first in each round.
fn in_turn(programs: &[Program], round: usize) -> Vec<Program> {
    let mut order = programs.to_vec();
    let shift = round % order.len().max(1);
    order.rotate_left(shift);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_by_their_path_and_missed_by_name() {
        let json = r#"{"postsPerSecond": 7, "server": {"cpuUsPerPost": 2.5}}"#;
        let figures: Map<String, Value> = serde_json::from_str(json).unwrap();
        assert_eq!(figure(&figures, "postsPerSecond").unwrap(), 7.0);
        assert_eq!(figure(&figures, "server/cpuUsPerPost").unwrap(), 2.5);
        let missing = figure(&figures, "server/nothing").unwrap_err();
        assert!(missing.to_string().contains("server/nothing"));
    }
}
