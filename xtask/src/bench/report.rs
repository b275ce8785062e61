//! The report: for each row a table with every server, and before them one that compares ours with the floor, the best other Rust
//! library and uWebSockets.

use std::fmt::Write as _;

use super::{
    Args,
    build::NotRun,
    chat,
    measure::Sample,
    rows::Row,
    servers::{Family, Server},
    statistics::{Estimate, estimate},
    verdict,
};

/// Answers that are longer than ours by less count as equal.
const EQUAL_OUTPUT: f64 = 1.05;

pub(super) struct Table<'a> {
    pub(super) samples: &'a [Sample],
    pub(super) servers: &'a [Server],
}

pub(super) fn markdown(
    args: &Args,
    samples: &[Sample],
    servers: &[Server],
    not_run: &NotRun,
) -> String {
    let table = Table { samples, servers };
    let mut text = String::from("# WebSocket libraries beside each other\n\n");
    let _ = writeln!(
        text,
        "{}\n\n{} rounds. A ratio is the median of the rounds' ratios, behind it the interval that holds the true one with 95 % \
         (with less than six rounds: all there were).\n",
        machine(),
        args.rounds
    );
    text += &verdict::section(&table);
    text += &table.summary();
    let mut rows: Vec<Row> = Vec::new();
    for sample in samples {
        if !rows.contains(&sample.row) {
            rows.push(sample.row);
        }
    }
    for row in rows {
        if Row::CHAT.contains(&row) {
            text += &chat::report::section(row, samples);
        } else {
            text += &table.row(row);
        }
    }
    if !not_run.is_empty() {
        text += "\n## Not run\n\n";
        for (name, reason) in not_run {
            let _ = writeln!(text, "- {name}: {reason}");
        }
    }
    let failed: Vec<_> = samples
        .iter()
        .filter_map(|sample| Some((sample, sample.value.as_ref().err()?)))
        .collect();
    if !failed.is_empty() {
        text += "\n## Failed\n\n";
        for (sample, error) in failed {
            let Sample {
                server,
                cell,
                round,
                ..
            } = sample;
            let _ = writeln!(text, "- {server}, {cell}, round {}: {error}", round + 1);
        }
    }
    text
}

impl Table<'_> {
    pub(super) fn of(&self, family: Family) -> impl Iterator<Item = &str> {
        self.servers
            .iter()
            .filter(move |server| server.family == family)
            .map(|server| server.name.as_str())
    }

    pub(super) fn cells(&self, row: Row) -> Vec<&str> {
        let mut cells: Vec<&str> = Vec::new();
        for sample in self.samples.iter().filter(|sample| sample.row == row) {
            if !cells.contains(&sample.cell.as_str()) {
                cells.push(&sample.cell);
            }
        }
        cells
    }

    /// Values by round.
    fn values(&self, row: Row, cell: &str, server: &str) -> Vec<(usize, f64)> {
        let of_it =
            |sample: &&Sample| sample.row == row && sample.cell == cell && sample.server == server;
        let value = |sample: &Sample| Some((sample.round, *sample.value.as_ref().ok()?));
        self.samples
            .iter()
            .filter(of_it)
            .filter_map(value)
            .collect()
    }

    pub(super) fn value(&self, row: Row, cell: &str, server: &str) -> Option<Estimate> {
        let values = self.values(row, cell, server);
        estimate(values.into_iter().map(|(_, value)| value).collect())
    }

    /// `server` over `other`, round by round.
    pub(super) fn ratio(
        &self,
        row: Row,
        cell: &str,
        server: &str,
        other: &str,
    ) -> Option<Estimate> {
        let others = self.values(row, cell, other);
        let ratios = self
            .values(row, cell, server)
            .into_iter()
            .filter_map(|(round, value)| {
                let (_, against) = others.iter().find(|(other, _)| *other == round)?;
                (*against > 0.0).then_some(value / against)
            });
        estimate(ratios.collect())
    }

    pub(super) fn best_rust(&self, row: Row, cell: &str) -> Option<&str> {
        self.best(row, cell, &[Family::Rust])
    }

    /// The cheapest server of these families. One whose compressed answers are longer than ours is no match for ours.
    pub(super) fn best(&self, row: Row, cell: &str, families: &[Family]) -> Option<&str> {
        families
            .iter()
            .flat_map(|family| self.of(*family))
            .filter(|name| self.is_as_short_as_ours(row, name))
            .filter_map(|name| Some((name, self.value(row, cell, name)?.median)))
            .min_by(|one, other| one.1.total_cmp(&other.1))
            .map(|(name, _)| name)
    }

    fn summary(&self) -> String {
        let mut text = String::from(
            "## Ours beside the others\n\n| row | build | figure | × bare epoll | best other Rust library | × that | × uWebSockets |\n\
             | --- | --- | ---: | ---: | --- | ---: | ---: |\n",
        );
        for row in Row::TIMED {
            for cell in self.cells(row) {
                for ours in self.of(Family::Ours) {
                    let Some(value) = self.value(row, cell, ours) else {
                        continue;
                    };
                    let floor = self.of(Family::Floor).next().unwrap_or_default();
                    let best = self.best_rust(row, cell);
                    let _ = writeln!(
                        text,
                        "| {row:?}, {cell} | {ours} | {} | {} | {} | {} | {} |",
                        number(value.median),
                        ratio_text(self.ratio(row, cell, ours, floor)),
                        best.unwrap_or("not run"),
                        ratio_text(best.and_then(|best| self.ratio(row, cell, ours, best))),
                        ratio_text(self.ratio(row, cell, ours, "uWebSockets")),
                    );
                }
            }
        }
        text
    }

    fn row(&self, row: Row) -> String {
        let cells = self.cells(row);
        let compressed = matches!(row, Row::Deflate | Row::DeflateTakeover);
        let mut text = format!("\n## {}\n\n| server |", row.title());
        for cell in &cells {
            let _ = write!(text, " {cell} |");
        }
        if compressed {
            text += " bytes of a reply |";
        }
        let columns = cells.len() + usize::from(compressed);
        let _ = writeln!(text, "\n| --- |{}", " ---: |".repeat(columns));
        for server in self.servers {
            let values: Vec<_> = cells
                .iter()
                .map(|cell| self.value(row, cell, &server.name))
                .collect();
            if values.iter().all(Option::is_none) {
                continue;
            }
            let _ = write!(text, "| {} |", server.name);
            for (cell, value) in cells.iter().zip(values) {
                let Some(value) = value else {
                    text += " – |";
                    continue;
                };
                let floor = self.of(Family::Floor).next().unwrap_or_default();
                let _ = write!(text, " {}", number(value.median));
                if row != Row::Counted
                    && server.family != Family::Floor
                    && let Some(ratio) = self.ratio(row, cell, &server.name, floor)
                {
                    let _ = write!(text, " ({})", ratio_text(Some(ratio)));
                }
                text += " |";
            }
            if compressed {
                let bytes = self.reply_bytes(row, &server.name);
                let bytes = bytes.map_or_else(|| "–".to_owned(), |bytes| number(bytes.median));
                let _ = write!(text, " {bytes} |");
            }
            text += "\n";
        }
        text
    }

    /// Bytes of an answer, where it was compressed. By them one sees, too, who declined to keep its context.
    fn is_as_short_as_ours(&self, row: Row, server: &str) -> bool {
        if !matches!(row, Row::Deflate | Row::DeflateTakeover) {
            return true;
        }
        let ours = self.of(Family::Ours).next().unwrap_or_default();
        match (self.reply_bytes(row, server), self.reply_bytes(row, ours)) {
            (Some(theirs), Some(ours)) => theirs.median <= ours.median * EQUAL_OUTPUT,
            _ => false,
        }
    }

    fn reply_bytes(&self, row: Row, server: &str) -> Option<Estimate> {
        let of_it = |sample: &&Sample| sample.row == row && sample.server == server;
        let bytes = |sample: &Sample| sample.figures.get("reply_bytes")?.as_f64();
        let all = self
            .samples
            .iter()
            .filter(of_it)
            .filter_map(bytes)
            .collect();
        estimate(all)
    }
}

pub(super) fn ratio_text(ratio: Option<Estimate>) -> String {
    match ratio {
        None => "not run".to_owned(),
        Some(Estimate { median, low, high }) if low == high => format!("{median:.2} ×"),
        Some(Estimate { median, low, high }) => format!("{median:.2} × [{low:.2}–{high:.2}]"),
    }
}

/// Three digits that count.
pub(super) fn number(value: f64) -> String {
    let digits = match value.abs() {
        100.0.. => 0,
        10.0..100.0 => 1,
        1.0..10.0 => 2,
        0.1..1.0 => 3,
        _ => 4,
    };
    format!("{value:.digits$}")
}

/// The processor and the kernel, as Linux tells them.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1))
        .unwrap_or("unknown processor");
    let cores = info
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}
