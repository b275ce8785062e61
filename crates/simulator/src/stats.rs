//! How often each fault struck and each way of catching up was taken: what a run has really tried.

use std::fmt;

/// What is counted. A run over many seeds that never sees one of these proves less than it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(
    missing_docs,
    reason = "the names are explained by their labels, below"
)]
pub enum Mark {
    WithoutFaults,
    LinkCut,
    LinkSilent,
    LinkSilentOneWay,
    ReaderSlow,
    ReaderStalled,
    DialRefused,
    Crash,
    CrashCommitLost,
    CrashCommitKept,
    FramesOutliveCrash,
    GracefulStop,
    BackupRestored,
    CommitRolledBack,
    CommitUnknownKept,
    CommitUnknownLost,
    ReadFailed,
    ReadSlow,
    ConnectRefused,
    WorkerStalled,
    BatchesMissed,
    ClockForward,
    ClockBackward,
    ClientRestarted,
    OpenFresh,
    OpenNothingMissed,
    OpenFromStore,
    OpenFromBeginning,
    OpenFromRing,
    OpenPage,
    OpenOtherPast,
    OpenRefused,
    OpenAgainAfterLag,
    FillHole,
    FillMissed,
    FillDrained,
    FillNextPage,
    Lag,
    RemovedLive,
    RemovedByStore,
    Duplicate,
    Refused,
    SettledUnknown,
    Reset,
    SilenceFound,
    SlowReaderClosed,
    QueueFull,
    RateLimited,
}

use Mark::*;

/// Every mark, with what it means.
pub const MARKS: &[(Mark, &str)] = &[
    (WithoutFaults, "history without faults"),
    (LinkCut, "link cut"),
    (LinkSilent, "link silent, both ways"),
    (LinkSilentOneWay, "link silent towards the client only"),
    (ReaderSlow, "reader slow"),
    (ReaderStalled, "reader stalled"),
    (DialRefused, "connection attempt while the server was down"),
    (Crash, "server crashed"),
    (
        CrashCommitLost,
        "crash in the middle of a commit, which was lost",
    ),
    (
        CrashCommitKept,
        "crash in the middle of a commit, which was durable",
    ),
    (FramesOutliveCrash, "frames on the network outlived a crash"),
    (GracefulStop, "server stopped gracefully"),
    (BackupRestored, "older backup restored"),
    (CommitRolledBack, "commit rolled back"),
    (CommitUnknownKept, "commit of unknown outcome, durable"),
    (CommitUnknownLost, "commit of unknown outcome, lost"),
    (ReadFailed, "store could not read"),
    (ReadSlow, "store took long to read"),
    (ConnectRefused, "session refused for now"),
    (WorkerStalled, "worker stalled"),
    (BatchesMissed, "worker lost batches (queue full)"),
    (ClockForward, "wall clock jumped forward"),
    (ClockBackward, "wall clock jumped backward"),
    (ClientRestarted, "client restarted from its own disk"),
    (OpenFresh, "open: fresh"),
    (OpenNothingMissed, "open: continues, nothing missed"),
    (OpenFromStore, "open: continues from the store"),
    (OpenFromBeginning, "open: from the beginning"),
    (OpenFromRing, "open or fill: last steps from the ring"),
    (OpenPage, "open: too long a gap, paged"),
    (OpenOtherPast, "open: other past"),
    (OpenRefused, "open: refused"),
    (OpenAgainAfterLag, "open: again after lag"),
    (FillHole, "hole in the batches refilled"),
    (FillMissed, "lost batches refilled"),
    (FillDrained, "filling went on after the outbox drained"),
    (FillNextPage, "filling took another page"),
    (Lag, "slow reader lost its place (lag)"),
    (RemovedLive, "stream ended at the removal entry"),
    (RemovedByStore, "stream ended because the store said so"),
    (Duplicate, "retry got the first answer"),
    (Refused, "command refused for good"),
    (SettledUnknown, "unknown outcome settled and published"),
    (Reset, "client was told to start anew"),
    (SilenceFound, "client found its silent link"),
    (
        SlowReaderClosed,
        "server closed a connection that took nothing",
    ),
    (QueueFull, "journal queue full"),
    (RateLimited, "command refused for now: too fast"),
];

/// Counts over one or many histories.
#[derive(Debug, Clone)]
pub struct Stats {
    counts: Vec<u64>,
    /// Entries committed.
    pub entries: u64,
    /// Entries that clients delivered.
    pub delivered: u64,
    /// Happenings simulated.
    pub happenings: u64,
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            counts: vec![0; MARKS.len()],
            entries: 0,
            delivered: 0,
            happenings: 0,
        }
    }
}

impl Stats {
    /// It happened.
    pub fn mark(&mut self, mark: Mark) {
        self.counts[mark as usize] += 1;
    }

    /// Adds what another history saw.
    pub fn add(&mut self, other: &Stats) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.entries += other.entries;
        self.delivered += other.delivered;
        self.happenings += other.happenings;
    }

    /// What never happened.
    pub fn never(&self) -> Vec<&'static str> {
        MARKS
            .iter()
            .filter(|(mark, _)| self.counts[*mark as usize] == 0)
            .map(|(_, label)| *label)
            .collect()
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (mark, label) in MARKS {
            writeln!(f, "{:>10}  {label}", self.counts[*mark as usize])?;
        }
        writeln!(f, "{:>10}  entries committed", self.entries)?;
        writeln!(f, "{:>10}  entries delivered by clients", self.delivered)?;
        write!(f, "{:>10}  happenings", self.happenings)
    }
}
