//! The chat rows' part of the report. Ratios are taken within a round, as in the other rows.

use std::fmt::Write as _;

use super::super::{
    measure::Sample,
    report::{number, ratio_text},
    rows::Row,
    statistics::{Estimate, estimate},
    verdict::Claim,
};
use super::{fanout, figure, growth, idle, posts};

const SESSION_KIB_MAX: f64 = 4.0;
const FANOUT_OVER_EXAMPLE_MAX: f64 = 1.1;
const POSTS_MIN: f64 = 20_000.0;
const GROWTH_MAX: f64 = 1.2;

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

/// What the issue asks of the chat, and whether it was found.
pub(in crate::bench) fn claims(samples: &[Sample]) -> Vec<Claim> {
    let of = |row| Samples(samples.iter().filter(|sample| sample.row == row).collect());
    let mut claims = Vec::new();
    let idle = of(Row::ChatIdle);
    let posts = of(Row::ChatPosts);
    let fanout = of(Row::ChatFanout);
    let growth = of(Row::ChatGrowth);
    let first = |samples: &Samples| samples.chats().first().map(|chat| (*chat).to_owned());
    if let Some(chat) = first(&idle) {
        let found = idle.value(&chat, idle::CELL);
        claims.extend(Claim::at_most(
            3,
            "chat, KiB for each idle session",
            found,
            SESSION_KIB_MAX,
        ));
    }
    if let Some(chat) = first(&fanout) {
        for under_way in fanout::UNDER_WAY {
            let cell = fanout::cell(under_way);
            let found = fanout.ratio((&chat, &cell), (fanout::EXAMPLE, &cell));
            let what = format!("chat, fan-out over {}, {cell}", fanout::EXAMPLE);
            claims.extend(Claim::at_most(6, &what, found, FANOUT_OVER_EXAMPLE_MAX));
        }
    }
    if let Some(chat) = first(&posts) {
        let found = posts.value(&chat, posts::FULL);
        claims.extend(Claim::at_least(
            7,
            "durable posts a second",
            found,
            POSTS_MIN,
        ));
    }
    if let Some(chat) = first(&growth) {
        for one in &growth::ALL {
            let [from, to] = &one.cells;
            let found = growth.ratio((&chat, to.title), (&chat, from.title));
            let mut what = format!("growth, {}", one.what);
            let floor = growth.ratio((fanout::FLOOR, to.title), (fanout::FLOOR, from.title));
            if floor.is_some() {
                let _ = write!(what, " ({}: {})", fanout::FLOOR, ratio_text(floor));
            }
            claims.extend(Claim::at_most(8, &what, found, GROWTH_MAX));
        }
    }
    claims
}

struct Samples<'a>(Vec<&'a Sample>);

impl Samples<'_> {
    /// The builds of the chat server.
    fn chats(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for sample in &self.0 {
            let name = sample.server.as_str();
            if !fanout::BESIDE.contains(&name) && !names.contains(&name) {
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
        *text += "| posts | build | bytes of a delivery | chat | of it journal | broadcast_server | bare epoll | × broadcast_server | without the journal | × broadcast_server (io_uring) | × bare epoll |\n\
                  | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
        for under_way in fanout::UNDER_WAY {
            let cell = fanout::cell(under_way);
            let example = (fanout::EXAMPLE, cell.as_str());
            let io_uring = (fanout::EXAMPLE_IO_URING, cell.as_str());
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
                    "| {cell} | {chat} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                    plain(bytes),
                    plain(value),
                    plain(journal),
                    plain(example_value),
                    plain(self.value(floor.0, &cell)),
                    ratio_text(self.ratio(one, example)),
                    rest.unwrap_or_else(|| "–".to_owned()),
                    ratio_text(self.ratio(one, io_uring)),
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
        *text += "| what grows | build | from | | to | | × | more |\n| --- | --- | --- | ---: | --- | ---: | ---: | ---: |\n";
        for growth in &growth::ALL {
            let [from, to] = &growth.cells;
            let mut builds = self.chats();
            if self.value(fanout::FLOOR, to.title).is_some() {
                builds.push(fanout::FLOOR);
            }
            for build in builds {
                let (before, after) = (self.value(build, from.title), self.value(build, to.title));
                let more = before
                    .zip(after)
                    .map(|(before, after)| number(after.median - before.median));
                let _ = writeln!(
                    text,
                    "| {} | {build} | {} | {} | {} | {} | {} | {} |",
                    growth.what,
                    from.title,
                    plain(before),
                    to.title,
                    plain(after),
                    ratio_text(self.ratio((build, to.title), (build, from.title))),
                    more.unwrap_or_else(|| "–".to_owned()),
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
