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

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::{Args, launch::Running, measure::Sample, rows::Row, servers::Server};
pub(super) use kit::Kit;
use kit::Program;

/// One round of a row.
pub(super) fn round(kit: &Kit, args: &Args, row: Row, round: usize) -> Result<Vec<Sample>> {
    match row {
        Row::ChatIdle => idle::round(kit, round),
        Row::ChatFanout => fanout::round(kit, args, round),
        Row::ChatPosts => posts::round(kit, round),
        Row::ChatGrowth => growth::round(kit, args, round),
        _ => Ok(Vec::new()),
    }
}

/// What something that is no chat, the floor or the library's example, makes of a load that weighs the same. None where it has no way for it.
fn beside(args: &Args, row: Row, peer: &Server, load: &str) -> Option<Result<Map<String, Value>>> {
    let way = peer.way(row)?;
    let load = format!("{load} --cpu-secs {}", args.cpu_secs);
    let load: Vec<String> = load.split(' ').map(str::to_owned).collect();
    Some(
        Running::start(way, &args.server_cpus, &[])
            .and_then(|server| server.load(way, &load, &args.load_cpus)),
    )
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
