//! When counting begins and when the run ends, and what was used in between.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{options, server_process};

/// How often the server's CPU time is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// A run in which nothing happens for this long has failed.
pub(crate) const STALL: Duration = Duration::from_secs(10);

pub(crate) struct Stop {
    pid: u32,
    exact: bool,
    counting_from: Instant,
    end: Duration,
    cpu_secs: f64,
    begun: Option<Begun>,
    next_look: Instant,
}

struct Begun {
    at: Instant,
    server_cpu: f64,
    own_cpu: f64,
}

/// What was used while counting.
pub(crate) struct Used {
    pub(crate) secs: f64,
    pub(crate) server_cpu_secs: f64,
    pub(crate) own_cpu_secs: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Warmup,
    /// Counting begins now: what was counted so far does not count.
    Begins,
    Counting,
    Over,
}

impl Stop {
    /// `exact`: the run ends otherwise, after a given number of messages, and all of them count.
    pub(crate) fn new(pid: u32, duration: &options::Duration, exact: bool) -> Self {
        let now = Instant::now();
        let warmup = if exact { 0.0 } else { duration.warmup };
        let bound = |secs: f64| if exact { f64::INFINITY } else { secs };
        Self {
            pid,
            exact,
            counting_from: now + Duration::from_secs_f64(warmup),
            end: Duration::try_from_secs_f64(bound(duration.secs)).unwrap_or(Duration::MAX),
            cpu_secs: bound(duration.cpu_secs.unwrap_or(f64::INFINITY)),
            begun: None,
            next_look: now,
        }
    }

    /// `warm`: every connection is under way. Before that nothing is counted, however long it takes.
    pub(crate) fn phase(&mut self, now: Instant, warm: bool) -> Result<Phase> {
        let Some(begun) = &self.begun else {
            if now < self.counting_from || !(warm || self.exact) {
                return Ok(Phase::Warmup);
            }
            self.begun = Some(Begun {
                at: now,
                server_cpu: server_process::cpu_secs(self.pid)?,
                own_cpu: server_process::own_cpu_secs()?,
            });
            return Ok(Phase::Begins);
        };
        if now - begun.at >= self.end {
            return Ok(Phase::Over);
        }
        if self.cpu_secs.is_finite() && now >= self.next_look {
            self.next_look = now + LOOK_INTERVAL;
            if server_process::cpu_secs(self.pid)? - begun.server_cpu >= self.cpu_secs {
                return Ok(Phase::Over);
            }
        }
        Ok(Phase::Counting)
    }

    pub(crate) fn used(&self) -> Result<Used> {
        let Some(begun) = &self.begun else {
            anyhow::bail!("nothing was counted");
        };
        Ok(Used {
            secs: begun.at.elapsed().as_secs_f64(),
            server_cpu_secs: server_process::cpu_secs(self.pid)? - begun.server_cpu,
            own_cpu_secs: server_process::own_cpu_secs()? - begun.own_cpu,
        })
    }
}
