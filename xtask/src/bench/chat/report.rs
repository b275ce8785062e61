//! The chat rows' part of the report. Ratios are taken within a round, as in the other rows.

use std::fmt::Write as _;

use super::super::{
    measure::Sample,
    report::{number, ratio_text},
    rows::Row,
    statistics::{Estimate, estimate},
};
use super::{fanout, figure, growth, idle, posts};

/// A row's table.
pub(in crate::bench) fn section(row: Row, samples: &[Sample]) -> String {
    let of_row: Vec<&Sample> = samples.iter().filter(|sample| sample.row == row).collect();
    let mut text = format!("\n## {}\n\n", row.title());
    let samples = Samples(of_row);
    match row {
        Row::ChatIdle => samples.idle(&mut text),
        Row::ChatFanout => samples.fanout(&mut text),
        Row::ChatPosts => samples.posts(&mut text),
        Row::ChatGrowth => samples.growth(&mut text),
        _ => {}
    }
    text
}

struct Samples<'a>(Vec<&'a Sample>);

impl Samples<'_> {
    /// The builds of the chat server.
    fn chats(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for sample in &self.0 {
            let name = sample.server.as_str();
            if ![fanout::FLOOR, fanout::EXAMPLE].contains(&name) && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    fn of<'a>(&'a self, server: &'a str, cell: &'a str) -> impl Iterator<Item = &'a Sample> {
        self.0
            .iter()
            .copied()
            .filter(move |sample| sample.server == server && sample.cell == cell)
    }

    fn value(&self, server: &str, cell: &str) -> Option<Estimate> {
        let values = self.of(server, cell).map(|sample| sample.value.as_ref());
        estimate(values.flatten().copied().collect())
    }

    /// A figure beside the one that counts, or what is made of several.
    fn beside(
        &self,
        server: &str,
        cell: &str,
        take: impl Fn(&Sample) -> Option<f64>,
    ) -> Option<Estimate> {
        estimate(self.of(server, cell).filter_map(take).collect())
    }

    /// One cell of one server over another, round by round.
    fn ratio(&self, one: (&str, &str), other: (&str, &str)) -> Option<Estimate> {
        let ratios = self.of(one.0, one.1).filter_map(|sample| {
            let against = self
                .of(other.0, other.1)
                .find(|other| other.round == sample.round)?;
            let (value, against) = (sample.value.as_ref().ok()?, against.value.as_ref().ok()?);
            (*against > 0.0).then_some(value / against)
        });
        estimate(ratios.collect())
    }

    fn idle(&self, text: &mut String) {
        *text += "| build | KiB for each session |\n| --- | ---: |\n";
        for chat in self.chats() {
            let value = plain(self.value(chat, idle::CELL));
            let _ = writeln!(text, "| {chat} | {value} |");
        }
    }

    fn fanout(&self, text: &mut String) {
        *text += "| posts | build | bytes of a delivery | chat | of it journal | broadcast_server | bare epoll | × broadcast_server | without the journal | × bare epoll |\n\
                  | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
        for under_way in fanout::UNDER_WAY {
            let cell = fanout::cell(under_way);
            let example = (fanout::EXAMPLE, cell.as_str());
            let floor = (fanout::FLOOR, cell.as_str());
            for chat in self.chats() {
                let one = (chat, cell.as_str());
                let value = self.value(chat, &cell);
                let journal = self.beside(chat, &cell, journal_per_delivery);
                let bytes = self.beside(chat, &cell, |sample| {
                    figure(&sample.figures, "payloadBytesPerDelivery").ok()
                });
                let example_value = self.value(example.0, &cell);
                let rest = (|| {
                    let rest = value?.median - journal?.median;
                    Some(format!("{:.2} ×", rest / example_value?.median))
                })();
                let _ = writeln!(
                    text,
                    "| {cell} | {chat} | {} | {} | {} | {} | {} | {} | {} | {} |",
                    plain(bytes),
                    plain(value),
                    plain(journal),
                    plain(example_value),
                    plain(self.value(floor.0, &cell)),
                    ratio_text(self.ratio(one, example)),
                    rest.unwrap_or_else(|| "–".to_owned()),
                    ratio_text(self.ratio(one, floor)),
                );
            }
        }
    }

    fn posts(&self, text: &mut String) {
        *text += "| load | build | posts/s | acknowledged after, ms: p50 | p99 | µs of CPU for each post | of it journal | single commits/s of the disk |\n\
                  | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n";
        for cell in [posts::FULL, posts::HALF, posts::PACED] {
            for chat in self.chats() {
                let one = |path: &'static str| {
                    plain(self.beside(chat, cell, |sample| figure(&sample.figures, path).ok()))
                };
                let journal = self.beside(chat, cell, |sample| {
                    let posts = figure(&sample.figures, "posts").ok()?;
                    Some(journal_seconds(sample)? * 1e6 / posts)
                });
                let _ = writeln!(
                    text,
                    "| {cell} | {chat} | {} | {} | {} | {} | {} | {} |",
                    one("postsPerSecond"),
                    one("acknowledgementMs/p50"),
                    one("acknowledgementMs/p99"),
                    one("server/cpuUsPerPost"),
                    plain(journal),
                    one("diskCommitsPerSecond"),
                );
            }
        }
    }

    fn growth(&self, text: &mut String) {
        *text += "| what grows | build | from | | to | | × |\n| --- | --- | --- | ---: | --- | ---: | ---: |\n";
        for growth in &growth::ALL {
            let [from, to] = &growth.cells;
            for chat in self.chats() {
                let _ = writeln!(
                    text,
                    "| {} | {chat} | {} | {} | {} | {} | {} |",
                    growth.what,
                    from.title,
                    plain(self.value(chat, from.title)),
                    to.title,
                    plain(self.value(chat, to.title)),
                    ratio_text(self.ratio((chat, to.title), (chat, from.title))),
                );
            }
        }
    }
}

fn journal_seconds(sample: &Sample) -> Option<f64> {
    figure(&sample.figures, "server/threadCpuSeconds/suda-journal").ok()
}

/// Microseconds of the journal's thread for each delivery.
fn journal_per_delivery(sample: &Sample) -> Option<f64> {
    let deliveries = figure(&sample.figures, "deliveries").ok()?;
    Some(journal_seconds(sample)? * 1e6 / deliveries)
}

fn plain(value: Option<Estimate>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| number(value.median))
}
