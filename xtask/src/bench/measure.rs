//! Rounds of samples.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

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

/// Measures, round after round: each has all rows, so that a run that is broken off has something to tell of every row. Keeps `samples.json`
/// in `out` up to date, and shows what there is after each round to `look`.
pub(super) fn run(
    args: &Args,
    rows: &[Row],
    servers: &[Server],
    out: &Path,
    look: impl Fn(&[Sample]) -> Result<()>,
) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    let (counted, rows): (Vec<Row>, Vec<Row>) = rows.iter().partition(|&&row| row == Row::Counted);
    if !counted.is_empty() {
        crate::shell::heading(Row::Counted.title());
        samples.extend(counted::run(args, servers, out, |_, title| {
            args.wants(title)
        })?);
        write(&samples, out)?;
    }
    let mut kit = None;
    if rows.iter().any(|row| Row::CHAT.contains(row)) {
        kit = Some(chat::Kit::new(args, &rows, out)?);
    }
    let mut took: HashMap<Row, Duration> = HashMap::new();
    for round in 0..args.rounds {
        for (number, &row) in rows.iter().enumerate() {
            let (now, all) = (round + 1, args.rounds);
            crate::shell::heading(&format!("Round {now} of {all}: {}", row.title()));
            let start = Instant::now();
            match &kit {
                Some(kit) if Row::CHAT.contains(&row) => {
                    samples.extend(chat::round(kit, args, row, round)?);
                }
                _ => samples.extend(one_round(args, row, servers, round)),
            }
            took.insert(row, start.elapsed());
            write(&samples, out)?;
            println!("{}", left(&took, &rows, number + 1, all - now));
        }
        look(&samples)?;
    }
    Ok(samples)
}

/// How long the rest takes if each row takes as long as the last time.
fn left(took: &HashMap<Row, Duration>, rows: &[Row], done: usize, rounds: usize) -> String {
    if took.len() < rows.len() {
        return "how long it takes is known after the first round".to_owned();
    }
    let of = |rows: &[Row]| rows.iter().map(|row| took[row]).sum::<Duration>();
    let left = of(&rows[done..]) + of(rows) * u32::try_from(rounds).unwrap_or(u32::MAX);
    format!("left: about {:.0} minutes", left.as_secs_f64() / 60.0)
}

fn one_round(args: &Args, row: Row, servers: &[Server], round: usize) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut cells = row.cells(args.cpu_secs);
    cells.retain(|cell| args.wants(&cell.title));
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
        println!("{}", cell.title);
    }
    samples
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

/// Writes all samples to `samples.json`.
pub(super) fn write(samples: &[Sample], out: &Path) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_once_every_row_was_measured() {
        let rows = [Row::Echo, Row::Idle];
        let minute = Duration::from_secs(60);
        let mut took = HashMap::from([(Row::Echo, minute)]);
        assert!(left(&took, &rows, 1, 2).contains("after the first round"));
        took.insert(Row::Idle, 2 * minute);
        assert_eq!(left(&took, &rows, 1, 2), "left: about 8 minutes");
        assert_eq!(left(&took, &rows, 2, 0), "left: about 0 minutes");
    }
}
