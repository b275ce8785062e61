//! Rounds of samples.

use std::{collections::HashMap, fs, path::Path};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Args, chat, counted,
    launch::Running,
    rows::{Cell, Row},
    servers::Server,
};

/// One measurement of one server.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) row: Row,
    pub(super) cell: String,
    pub(super) server: String,
    pub(super) round: usize,
    /// The figure that counts, or why there is none.
    pub(super) value: Result<f64, String>,
    /// All that the load generator found.
    pub(super) figures: Map<String, Value>,
}

/// A sample as it is written to the file.
#[derive(Serialize)]
struct Line<'a> {
    row: String,
    cell: &'a str,
    server: &'a str,
    round: usize,
    value: Option<f64>,
    error: Option<&'a str>,
    figures: &'a Map<String, Value>,
}

/// Measures, and keeps `samples.json` in `out` up to date.
pub(super) fn run(
    args: &Args,
    rows: &[Row],
    servers: &[Server],
    out: &Path,
) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for &row in rows {
        crate::shell::heading(row.title());
        if row == Row::Counted {
            samples.extend(counted::run(args, servers, out)?);
            write(&samples, out)?;
            continue;
        }
        if Row::CHAT.contains(&row) {
            samples.extend(chat::run(args, row, out)?);
            write(&samples, out)?;
            continue;
        }
        let mut cells = row.cells(args.cpu_secs);
        cells.retain(|cell| {
            args.cell
                .as_ref()
                .is_none_or(|wanted| cell.title.contains(wanted.as_str()))
        });
        let rounds = row.rounds(args.rounds);
        for round in 0..rounds {
            let mut running = HashMap::new();
            for cell in &cells {
                for server in in_turn(servers, round) {
                    let Some(way) = server.way(row) else { continue };
                    let measured = (|| {
                        if !running.contains_key(&server.name) {
                            let started = Running::start(way, &args.server_cpus, &[])?;
                            running.insert(server.name.clone(), started);
                        }
                        running[&server.name].load(way, &cell.load, &args.load_cpus)
                    })();
                    if row.wants_fresh_server() || measured.is_err() {
                        running.remove(&server.name);
                    }
                    samples.push(sample(cell, server, round, measured));
                }
                println!("round {} of {rounds}: {}", round + 1, cell.title);
            }
            write(&samples, out)?;
        }
    }
    Ok(samples)
}

/// The servers in another order each round.
fn in_turn(servers: &[Server], round: usize) -> Vec<&Server> {
    let mut order: Vec<_> = servers.iter().collect();
    if !order.is_empty() {
        let shift = round % order.len();
        order.rotate_left(shift);
    }
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

fn sample(
    cell: &Cell,
    server: &Server,
    round: usize,
    measured: Result<Map<String, Value>>,
) -> Sample {
    let figure = |figures: &Map<String, Value>| {
        figures
            .get(cell.figure)
            .and_then(Value::as_f64)
            .with_context(|| format!("no {}", cell.figure))
    };
    let value = match &measured {
        Ok(figures) => figure(figures).map_err(|error| error.to_string()),
        Err(error) => Err(format!("{error:#}")),
    };
    if let Err(error) = &value {
        println!("{}, {}: {error}", server.name, cell.title);
    }
    Sample {
        row: cell.row,
        cell: cell.title.clone(),
        server: server.name.clone(),
        round,
        value,
        figures: measured.unwrap_or_default(),
    }
}

fn write(samples: &[Sample], out: &Path) -> Result<()> {
    let lines: Vec<_> = samples
        .iter()
        .map(|sample| Line {
            row: format!("{:?}", sample.row),
            cell: &sample.cell,
            server: &sample.server,
            round: sample.round,
            value: sample.value.as_ref().ok().copied(),
            error: sample.value.as_ref().err().map(String::as_str),
            figures: &sample.figures,
        })
        .collect();
    fs::write(out.join("samples.json"), serde_json::to_vec_pretty(&lines)?)?;
    Ok(())
}
