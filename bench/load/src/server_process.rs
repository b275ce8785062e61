//! What a process has used, from /proc.

use std::fs;

use anyhow::{Context, Result};

/// Seconds of CPU time of all its threads. From `schedstat`, which counts nanoseconds; where the kernel has no such file, from `stat`, which
/// counts ticks of 10 ms.
pub(crate) fn cpu_secs(pid: u32) -> Result<f64> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).context("the server's process is gone")? {
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        let running = text.split(' ').next().and_then(|word| word.parse().ok());
        nanoseconds += running.unwrap_or(0u64);
    }
    if nanoseconds > 0 {
        return Ok(nanoseconds as f64 / 1e9);
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program's name, which may hold spaces.
    let fields = stat.rsplit_once(')').context("no name in stat")?.1;
    let ticks: Vec<u64> = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map_while(|field| field.parse().ok())
        .collect();
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(ticks.iter().sum::<u64>() as f64 / per_second as f64)
}

/// Resident memory in KiB.
pub(crate) fn rss_kib(pid: u32) -> Result<u64> {
    fs::read_to_string(format!("/proc/{pid}/status"))?
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .context("no VmRSS in status")
}

/// The load generator's own CPU time in seconds.
pub(crate) fn own_cpu_secs() -> Result<f64> {
    cpu_secs(std::process::id())
}
