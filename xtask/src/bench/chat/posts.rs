//! Durable posts: as many as are acknowledged in a second, then what an acknowledgement takes at half of that, and at 10,000 a second.

use anyhow::Result;

use super::{figure, in_turn, kit::Kit, sample};
use crate::bench::{measure::Sample, rows::Row};

const SHAPE: &str = "--users 1000 --rooms 100 --members 10 --disk --seconds 10 --warm-up 2";
pub(super) const FULL: &str = "4 in flight on each connection: posts/s";
pub(super) const HALF: &str = "half of that: ms until the acknowledgement, p99";
pub(super) const PACED: &str = "10,000 posts/s: ms until the acknowledgement, p99";
const IN_FLIGHT: usize = 4;
const PACED_RATE: &str = "10000";

pub(super) fn round(kit: &Kit, round: usize) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for program in in_turn(&kit.programs, round) {
        let data = kit.accounts(&program)?;
        // Both may use all cores: how the system shares them out is part of what is asked.
        let load = |load: &str| kit.serve(&program, &data, kit.together())?.load(load);
        let full = sample(
            Row::ChatPosts,
            FULL,
            &program.name,
            round,
            load(&format!("{SHAPE} --in-flight {IN_FLIGHT}")),
            |figures| figure(figures, "postsPerSecond"),
        );
        let mut paced = |cell, rate: &str| {
            samples.push(sample(
                Row::ChatPosts,
                cell,
                &program.name,
                round,
                load(&format!("{SHAPE} --rate {rate}")),
                |figures| figure(figures, "acknowledgementMs/p99"),
            ));
        };
        if let Ok(posts_per_second) = full.value {
            paced(HALF, &format!("{:.0}", posts_per_second / 2.0));
        }
        paced(PACED, PACED_RATE);
        samples.push(full);
    }
    Ok(samples)
}
