//! What the suite found, by group.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// One case's result, as the suite writes it.
#[derive(Debug, Deserialize)]
struct Case {
    behavior: String,
    #[serde(rename = "behaviorClose")]
    behavior_close: String,
}

impl Case {
    fn is_right(&self) -> bool {
        [&self.behavior, &self.behavior_close]
            .into_iter()
            .all(|verdict| verdict == "OK" || verdict == "INFORMATIONAL")
    }
}

/// All cases' results, in their order.
pub(super) struct Report {
    cases: BTreeMap<Vec<u32>, Case>,
}

impl Report {
    /// Reads the index that the suite left in `out`.
    pub(super) fn read(out: &Path) -> Result<Self> {
        let index =
            fs::read_to_string(out.join("index.json")).context("the suite wrote no report")?;
        Self::parse(&index)
    }

    fn parse(index: &str) -> Result<Self> {
        let agents: HashMap<String, HashMap<String, Case>> = serde_json::from_str(index)?;
        ensure!(
            agents.len() == 1,
            "the report is about {} agents",
            agents.len()
        );
        let cases = agents
            .into_values()
            .flatten()
            .map(|(number, case)| {
                let number = number
                    .split('.')
                    .map(str::parse)
                    .collect::<Result<_, _>>()?;
                Ok((number, case))
            })
            .collect::<Result<_>>()?;
        Ok(Self { cases })
    }

    pub(super) fn len(&self) -> usize {
        self.cases.len()
    }

    /// How many cases are not strictly right.
    pub(super) fn bad(&self) -> usize {
        self.cases.values().filter(|case| !case.is_right()).count()
    }

    pub(super) fn print(&self) {
        let mut verdicts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut groups: BTreeMap<u32, HashMap<&str, usize>> = BTreeMap::new();
        let mut closings: BTreeMap<&str, usize> = BTreeMap::new();
        for (number, case) in &self.cases {
            *verdicts.entry(&case.behavior).or_default() += 1;
            *groups
                .entry(number[0])
                .or_default()
                .entry(&case.behavior)
                .or_default() += 1;
            *closings.entry(&case.behavior_close).or_default() += 1;
        }
        let row = |name: &str, count: usize, cells: Vec<usize>| {
            let cells: String = cells.iter().map(|cell| format!(" {cell:>13}")).collect();
            println!("{name:<6} {count:>5}{cells}");
        };
        let heads: String = verdicts
            .keys()
            .map(|verdict| format!(" {verdict:>13}"))
            .collect();
        println!("group  cases{heads}");
        for (group, counts) in &groups {
            let cells = verdicts
                .keys()
                .map(|verdict| counts.get(verdict).copied().unwrap_or(0))
                .collect();
            row(&group.to_string(), counts.values().sum(), cells);
        }
        row("all", self.len(), verdicts.values().copied().collect());
        let closings: Vec<_> = closings
            .iter()
            .map(|(verdict, count)| format!("{verdict} {count}"))
            .collect();
        println!("closing: {}", closings.join(", "));
        for (number, case) in self.cases.iter().filter(|(_, case)| !case.is_right()) {
            let number: Vec<_> = number.iter().map(u32::to_string).collect();
            println!(
                "  not right: {:<8} {} (closing: {})",
                number.join("."),
                case.behavior,
                case.behavior_close
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(behavior: &str, behavior_close: &str) -> Report {
        let case = format!(r#"{{"behavior": "{behavior}", "behaviorClose": "{behavior_close}"}}"#);
        Report::parse(&format!(r#"{{"agent": {{"1.1.1": {case}}}}}"#)).unwrap()
    }

    #[test]
    fn only_ok_and_informational_are_right_in_both_columns() {
        for fine in ["OK", "INFORMATIONAL"] {
            assert_eq!(report(fine, fine).bad(), 0);
            for wrong in [
                "FAILED",
                "NON-STRICT",
                "UNIMPLEMENTED",
                "WRONG CODE",
                "UNCLEAN",
                "",
            ] {
                assert_eq!(report(wrong, fine).bad(), 1, "{wrong}");
                assert_eq!(report(fine, wrong).bad(), 1, "closing {wrong}");
            }
        }
    }

    #[test]
    fn a_report_about_nobody_is_an_error() {
        assert!(Report::parse("{}").is_err());
    }
}
