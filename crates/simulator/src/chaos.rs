//! The faults: when, and which.

use crate::commit::{Fate, write};
use crate::stats::Mark;
use crate::timeline::{ConnId, Happening};
use crate::world::{HEARTBEAT_MS, LATENCY_MS_MAX, World};

/// Milliseconds by which a wall clock jumps at most.
const JUMP_MS_MAX: u64 = 3_600_000;

impl World {
    /// One fault, and the plan for the next.
    pub(crate) fn fault(&mut self) {
        if !self.chaos {
            return;
        }
        let wait_ms = self.rng.between(50, 1_500);
        self.timeline.after(wait_ms, Happening::Fault);
        match self.rng.between(0, 99) {
            0..=19 => self.on_a_link(|world, conn| world.cut(conn)),
            20..=29 => {
                let one_way = self.rng.chance(50);
                self.on_a_link(|world, conn| world.silence(conn, one_way));
            }
            30..=49 => {
                let frame_ms = if self.rng.chance(60) {
                    Some(self.rng.between(20, 300))
                } else {
                    None
                };
                self.on_a_link(|world, conn| world.slow_down(conn, frame_ms));
            }
            50..=59 => self.on_a_link(|world, conn| {
                if let Some(link) = world.links.get_mut(&conn) {
                    link.frame_ms = Some(0);
                }
                world.plan_drain(conn);
            }),
            60..=69 => self.crash(),
            70..=73 => self.stop(),
            74..=81 => self.stall_worker(),
            82..=85 => self.backup = Some(self.store.clone()),
            86..=93 => self.jump_clock(),
            _ => {}
        }
    }

    fn on_a_link(&mut self, strike: impl FnOnce(&mut Self, ConnId)) {
        let conns: Vec<ConnId> = self
            .clients
            .iter()
            .filter_map(|client| client.conn)
            .collect();
        if !conns.is_empty() {
            let conn = conns[self.rng.index(conns.len())];
            strike(self, conn);
        }
    }

    /// Nothing arrives any more, and nobody is told.
    fn silence(&mut self, conn: ConnId, one_way: bool) {
        let Some(link) = self
            .links
            .get_mut(&conn)
            .filter(|link| !link.cut && !link.silent_to_client)
        else {
            return;
        };
        link.silent_to_client = true;
        link.silent_to_server |= !one_way;
        let client = link.client;
        self.say(|| format!("connection {conn} goes silent, one way: {one_way}"));
        self.stats.mark(if one_way {
            Mark::LinkSilentOneWay
        } else {
            Mark::LinkSilent
        });
        if self.clients[client].machine.is_online() {
            // The last frame may have come at this very moment.
            let found_ms = 2 * HEARTBEAT_MS + LATENCY_MS_MAX;
            self.timeline
                .after(found_ms, Happening::SilenceOver { client, conn });
        }
    }

    fn slow_down(&mut self, conn: ConnId, frame_ms: Option<u64>) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.frame_ms = frame_ms;
            self.stats.mark(if frame_ms.is_some() {
                Mark::ReaderSlow
            } else {
                Mark::ReaderStalled
            });
            self.plan_drain(conn);
        }
    }

    /// Power is lost. A commit under way may have reached the disk or not.
    fn crash(&mut self) {
        let Some(node) = &mut self.node else { return };
        let committing = node.committing.take();
        self.stats.mark(Mark::Crash);
        self.trace
            .line(self.timeline.now(), || "-- crash --".into());
        if let Some((plan, fate)) = committing {
            let durable = fate == Fate::Durable && self.rng.chance(50);
            self.stats.mark(if durable {
                Mark::CrashCommitKept
            } else {
                Mark::CrashCommitLost
            });
            if durable {
                write(&mut self.store, &plan, &mut self.checker);
                self.stats.entries += plan.entries().len() as u64;
            }
        }
        self.lose_server();
        if self.rng.chance(20)
            && let Some(backup) = self.backup.take()
        {
            self.say(|| "an older backup is restored".into());
            self.stats.mark(Mark::BackupRestored);
            self.store = backup;
            self.checker.restored(&self.store);
        }
        let down_ms = self.rng.between(20, 3_000);
        self.timeline.after(down_ms, Happening::Start);
    }

    fn stop(&mut self) {
        let Some(node) = self.node.as_mut().filter(|node| !node.stopping) else {
            return;
        };
        node.stopping = true;
        self.stats.mark(Mark::GracefulStop);
        self.say(|| "server is told to stop".into());
        self.announce_stop();
        self.stop_if_idle();
    }

    /// A worker gets no turn for a while: batches pile up, and may be lost.
    fn stall_worker(&mut self) {
        let now = self.now();
        let stall_ms = self.rng.between(100, 2_500) as i64;
        let at = self.rng.next() as usize;
        let Some(node) = &mut self.node else { return };
        let count = node.workers.len();
        node.workers[at % count].stalled_until = now + stall_ms;
        self.stats.mark(Mark::WorkerStalled);
    }

    fn jump_clock(&mut self) {
        let jump_ms = self.rng.between(1, JUMP_MS_MAX) as i64;
        if self.rng.chance(50) {
            self.stats.mark(Mark::ClockForward);
            self.wall_offset += jump_ms;
        } else {
            self.stats.mark(Mark::ClockBackward);
            self.wall_offset -= jump_ms;
        }
    }
}
