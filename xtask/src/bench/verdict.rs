//! What the library and the chat are held to, line by line, and whether a run has shown it.
//!
//! A line is held if the whole interval is within the mark, not held if the whole interval is beyond it. In between counts
//! decide, where both sides can be counted: instructions and system calls for each message or handshake.

use std::fmt::Write as _;

use super::{
    chat, counted,
    report::{Table, number, ratio_text},
    rows::Row,
    servers::{Family, IO_URING},
    statistics::Estimate,
};

const EVEN: f64 = 1.0;
const IDLE_KIB_MAX: f64 = 1.0;
const FANOUT_OVER_FLOOR_MAX: f64 = 1.1;
const UWEBSOCKETS: &str = "uWebSockets";

/// One line.
#[derive(Debug)]
pub(super) struct Claim {
    number: u8,
    what: String,
    found: String,
    mark: String,
    verdict: Verdict,
    /// Whom ours is compared with, in which load of the counted row.
    peer: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Held,
    NotHeld,
    /// The interval has the mark in it.
    Open,
}

impl Claim {
    pub(super) fn at_most(
        number: u8,
        what: &str,
        found: Option<Estimate>,
        mark: f64,
    ) -> Option<Self> {
        let found = found?;
        Some(Self {
            number,
            what: what.to_owned(),
            found: ratio_text(Some(found)).replace(" ×", ""),
            mark: format!("≤ {mark}"),
            verdict: judge(found, mark),
            peer: None,
        })
    }

    pub(super) fn at_least(
        number: u8,
        what: &str,
        found: Option<Estimate>,
        mark: f64,
    ) -> Option<Self> {
        let Estimate { median, low, high } = found?;
        let turned = Estimate {
            median: -median,
            low: -high,
            high: -low,
        };
        Some(Self {
            number,
            what: what.to_owned(),
            found: format!("{median:.0} [{low:.0}–{high:.0}]"),
            mark: format!("≥ {mark}"),
            verdict: judge(turned, -mark),
            peer: None,
        })
    }
}

fn judge(found: Estimate, mark: f64) -> Verdict {
    if found.high <= mark {
        Verdict::Held
    } else if found.low > mark {
        Verdict::NotHeld
    } else {
        Verdict::Open
    }
}

/// What was counted of ours and of a peer: instructions and system calls.
fn judge_counts(ours: [f64; 2], peer: [f64; 2]) -> Verdict {
    /// What differs by less is equal: counts vary a little with the batches that happen to form.
    const EQUAL: f64 = 1.01;
    let is_at_most = |index: usize| ours[index] <= peer[index] * EQUAL;
    match (is_at_most(0), is_at_most(1)) {
        (true, true) => Verdict::Held,
        (false, false) => Verdict::NotHeld,
        _ => Verdict::Open,
    }
}

/// The report's first table; empty where nothing of it was measured.
pub(super) fn section(table: &Table) -> String {
    let mut claims = table.claims();
    claims.extend(chat::report::claims(table.samples));
    claims.sort_by_key(|claim| claim.number);
    if claims.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "## What is asked for\n\n| line | what | found | mark | verdict |\n| ---: | --- | ---: | ---: | --- |\n",
    );
    for claim in claims {
        let verdict = match claim.verdict {
            Verdict::Held => "held".to_owned(),
            Verdict::NotHeld => "**not held**".to_owned(),
            Verdict::Open => table.by_counts(&claim),
        };
        let Claim {
            number,
            what,
            found,
            mark,
            ..
        } = claim;
        let _ = writeln!(text, "| {number} | {what} | {found} | {mark} | {verdict} |");
    }
    text + "\n"
}

impl Table<'_> {
    /// Servers and loads to be counted, since time has not decided.
    pub(super) fn to_count(&self) -> Vec<(String, String)> {
        let mut open = Vec::new();
        for claim in self.claims() {
            if claim.verdict != Verdict::Open {
                continue;
            }
            let ours = self.of(Family::Ours).next().unwrap_or_default();
            if let Some((peer, load)) = claim.peer
                && self.counts(&peer, &load).is_none()
            {
                open.push((ours.to_owned(), load.clone()));
                open.push((peer, load));
            }
        }
        open.sort();
        open.dedup();
        open
    }

    fn by_counts(&self, claim: &Claim) -> String {
        let ours = self.of(Family::Ours).next().unwrap_or_default();
        let counts = claim
            .peer
            .as_ref()
            .and_then(|(peer, load)| Some([self.counts(ours, load)?, self.counts(peer, load)?]));
        let Some([ours, peer]) = counts else {
            return "open: the interval has the mark in it".to_owned();
        };
        let word = match judge_counts(ours, peer) {
            Verdict::Held => "held by counts",
            Verdict::NotHeld => "**not held**, by counts",
            Verdict::Open => "open, also by counts",
        };
        let [ours, peer] = [ours, peer].map(|[instructions, calls]| {
            format!(
                "{} instructions, {} system calls",
                number(instructions),
                number(calls)
            )
        });
        format!("{word}: {ours}; there {peer}")
    }

    /// Instructions and system calls of one load.
    fn counts(&self, server: &str, load: &str) -> Option<[f64; 2]> {
        let one = |unit| {
            let cell = counted::cell(load, unit);
            Some(self.value(Row::Counted, &cell, server)?.median)
        };
        Some([one(counted::INSTRUCTIONS)?, one(counted::SYSTEM_CALLS)?])
    }

    fn claims(&self) -> Vec<Claim> {
        const ALL: [Family; 2] = [Family::Rust, Family::Other];
        let in_flight = |cell, count| format!("{cell}, {count} in flight");
        let mut claims = Vec::new();
        for cell in ["16 B", "1 KiB", "64 KiB", "1 MiB"] {
            let against = match cell {
                "16 B" | "1 KiB" => self.best_rust(Row::Echo, cell),
                _ => self.best(Row::Echo, cell, &ALL),
            };
            claims.extend(self.against(1, Row::Echo, cell, against, Some(in_flight(cell, 1))));
        }
        for cell in ["16 B", "1 KiB", "64 KiB"] {
            let rust = self.best_rust(Row::Pipelined, cell);
            for against in [rust, Some(UWEBSOCKETS)] {
                let counted = Some(in_flight(cell, 16));
                claims.extend(self.against(2, Row::Pipelined, cell, against, counted));
            }
            claims.extend(self.through_io_uring(2, Row::Pipelined, cell, UWEBSOCKETS, EVEN));
        }
        let ours = self.of(Family::Ours).next().unwrap_or_default();
        for cell in self.cells(Row::Idle) {
            let found = self.value(Row::Idle, cell, ours);
            let what = "library, KiB for each idle connection";
            claims.extend(Claim::at_most(3, what, found, IDLE_KIB_MAX));
        }
        for (number, row, families) in [
            (4, Row::Handshake, &[Family::Rust][..]),
            (5, Row::Deflate, &[Family::Rust][..]),
            (5, Row::DeflateTakeover, &ALL),
        ] {
            for cell in self.cells(row) {
                let best = self.best(row, cell, families);
                let counted = (row == Row::Handshake).then(|| counted::HANDSHAKE.to_owned());
                claims.extend(self.against(number, row, cell, best, counted));
            }
        }
        let floor = self.of(Family::Floor).next().unwrap_or_default();
        for cell in self.cells(Row::Fanout) {
            let found = self.ratio(Row::Fanout, cell, ours, floor);
            let what = format!("fan-out over {floor}, {cell}");
            claims.extend(Claim::at_most(6, &what, found, FANOUT_OVER_FLOOR_MAX));
            let mark = FANOUT_OVER_FLOOR_MAX;
            claims.extend(self.through_io_uring(6, Row::Fanout, cell, floor, mark));
        }
        claims
    }

    /// Ours over another server, in a row for which the feature `io-uring` is made.
    fn through_io_uring(
        &self,
        number: u8,
        row: Row,
        cell: &str,
        over: &str,
        mark: f64,
    ) -> Option<Claim> {
        let what = format!("{row:?}, {cell}, through the io_uring, over {over}");
        Claim::at_most(number, &what, self.ratio(row, cell, IO_URING, over), mark)
    }

    /// Ours over another server. `counted`: the same load in the counted row, if there is one.
    fn against(
        &self,
        number: u8,
        row: Row,
        cell: &str,
        peer: Option<&str>,
        counted: Option<String>,
    ) -> Option<Claim> {
        let ours = self.of(Family::Ours).next()?;
        let peer = peer?;
        let what = format!("{row:?}, {cell}, over {peer}");
        let mut claim = Claim::at_most(number, &what, self.ratio(row, cell, ours, peer), EVEN)?;
        claim.peer = counted.map(|load| (peer.to_owned(), load));
        Some(claim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(low: f64, high: f64) -> Estimate {
        let median = (low + high) / 2.0;
        Estimate { median, low, high }
    }

    #[test]
    fn an_interval_decides_only_if_the_mark_is_not_in_it() {
        assert_eq!(judge(between(0.8, 1.0), 1.0), Verdict::Held);
        assert_eq!(judge(between(1.01, 1.2), 1.0), Verdict::NotHeld);
        assert_eq!(judge(between(0.9, 1.1), 1.0), Verdict::Open);
        let posts = |low, high| Claim::at_least(7, "", Some(between(low, high)), 20_000.0);
        assert_eq!(posts(30_000.0, 40_000.0).unwrap().verdict, Verdict::Held);
        assert_eq!(posts(10_000.0, 19_000.0).unwrap().verdict, Verdict::NotHeld);
    }

    #[test]
    fn counts_decide_only_if_they_agree() {
        assert_eq!(judge_counts([900.0, 0.13], [950.0, 1.07]), Verdict::Held);
        assert_eq!(judge_counts([900.0, 1.10], [850.0, 1.00]), Verdict::NotHeld);
        assert_eq!(judge_counts([900.0, 0.13], [850.0, 1.07]), Verdict::Open);
    }
}
