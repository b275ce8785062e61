//! Memory of ten thousand signed-in sessions, each with one room open.

use anyhow::Result;

use super::{figure, in_turn, kit::Kit, sample};
use crate::bench::{measure::Sample, rows::Row};

const LOAD: &str = "--users 1000 --tabs 10 --rooms 100 --members 10 --rate 0 --seconds 1";
pub(super) const CELL: &str = "10,000 sessions, one room open on each";
const BYTES_PER_KIB: f64 = 1024.0;

pub(super) fn round(kit: &Kit, round: usize) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for program in in_turn(&kit.programs, round) {
        let measured = kit.accounts(&program).and_then(|data| {
            let server = kit.serve(&program, &data, kit.apart())?;
            server.load(LOAD)
        });
        samples.push(sample(
            Row::ChatIdle,
            CELL,
            &program.name,
            round,
            measured,
            |figures| Ok(figure(figures, "server/bytesPerConnection")? / BYTES_PER_KIB),
        ));
    }
    Ok(samples)
}
