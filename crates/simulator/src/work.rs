//! The simulated server's workers at work: batches in, questions to the store out, and the calls of the real rosters.

use std::sync::Arc;

use suda_engine::roster::FillRequest;
use suda_engine::{Entry, Refusal, RoomRef, Roster, UserId};
use suda_protocol::ErrorCode;

use crate::stats::Mark;
use crate::timeline::{ConnId, Happening};
use crate::worker::{Outs, QUEUE_BATCHES_MAX, Worker};
use crate::world::World;

impl World {
    /// Puts a batch into every worker's queue.
    pub(crate) fn hand_on(&mut self, entries: Vec<Arc<Entry>>) {
        if entries.is_empty() {
            return;
        }
        let workers = self.node.as_mut().map_or(0, |node| node.workers.len());
        let batches_max = if self.faults {
            QUEUE_BATCHES_MAX
        } else {
            usize::MAX
        };
        for worker in 0..workers {
            let Some(at) = self.worker_mut(worker) else {
                return;
            };
            if at.queue.len() >= batches_max {
                at.missed = true;
                self.stats.mark(Mark::BatchesMissed);
            } else {
                at.queue.push_back(entries.clone());
            }
            self.plan_work(worker);
        }
    }

    pub(crate) fn worker_mut(&mut self, worker: usize) -> Option<&mut Worker> {
        self.node.as_mut()?.workers.get_mut(worker)
    }

    pub(crate) fn plan_work(&mut self, worker: usize) {
        let boot = self.boot;
        let wait_ms = if self.rng.chance(80) {
            self.rng.between(0, 3)
        } else {
            self.rng.between(3, 80)
        };
        let now = self.now();
        let Some(at) = self.worker_mut(worker) else {
            return;
        };
        if !at.work_planned {
            at.work_planned = true;
            let due = (now + wait_ms as i64).max(at.stalled_until);
            self.timeline.at(due, Happening::Work { boot, worker });
        }
    }

    pub(crate) fn work(&mut self, worker: usize) {
        let now = self.now();
        let Some(at) = self.worker_mut(worker) else {
            return;
        };
        at.work_planned = false;
        if at.stalled_until > now {
            return self.plan_work(worker);
        }
        // One at a time, so that what comes after a lost batch may be seen before the loss is told.
        let batch = at.queue.pop_front().unwrap_or_default();
        for entry in &batch {
            at.shown.insert(entry.wire().room.clone(), entry.seq());
        }
        let mut more = !at.queue.is_empty();
        let missed = !more && std::mem::take(&mut at.missed);
        // Mostly too few, so that some wait while other things happen to them.
        let turns_max = match self.rng.between(0, 4) {
            4 => usize::MAX,
            few => few as usize,
        };
        let mut mark = None;
        let mut due = false;
        self.with_worker(
            worker,
            &mut (&mut mark, &mut due),
            |roster, out, (mark, due)| {
                out.removal = Mark::RemovedLive;
                for entry in &batch {
                    roster.committed(entry, out);
                }
                **due = roster.give_turns(turns_max, out);
                if !out.fills.is_empty() {
                    **mark = Some(Mark::FillHole);
                    out.checker.repaired("from the store");
                }
                if missed {
                    let before = out.fills.len();
                    roster.missed(out);
                    if out.fills.len() > before {
                        out.stats.mark(Mark::FillMissed);
                    }
                }
            },
        );
        if let Some(mark) = mark {
            self.stats.mark(mark);
        }
        more |= due;
        if more {
            self.plan_work(worker);
        }
    }

    pub(crate) fn fill_read(&mut self, worker: usize, request: FillRequest<ConnId>) {
        let boot = self.boot;
        let answer = if self.is_faulty() && self.rng.chance(2) {
            self.stats.mark(Mark::ReadFailed);
            Err(Refusal::new(ErrorCode::Unavailable))
        } else {
            Ok(self.store.fill(&request))
        };
        let wait_ms = if self.is_faulty() && self.rng.chance(4) {
            self.stats.mark(Mark::ReadSlow);
            self.rng.between(300, 3_000)
        } else if self.rng.chance(80) {
            self.rng.between(0, 3)
        } else {
            self.rng.between(3, 60)
        };
        let (request, answer) = (Box::new(request), Box::new(answer));
        self.timeline.after(
            wait_ms,
            Happening::FillAnswer {
                boot,
                worker,
                request,
                answer,
            },
        );
    }

    pub(crate) fn with_roster(
        &mut self,
        conn: ConnId,
        call: impl FnOnce(&mut Roster<ConnId, Arc<Entry>>, UserId, &mut Outs<'_>),
    ) {
        let Some(asker) = self.user_of(conn) else {
            return;
        };
        let Some(worker) = self
            .node
            .as_ref()
            .and_then(|node| node.conns.get(&conn))
            .map(|connection| connection.worker)
        else {
            return;
        };
        self.with_worker(worker, &mut (), |roster, out, ()| call(roster, asker, out));
    }

    /// Calls a roster, then does what it wants.
    pub(crate) fn with_worker<T>(
        &mut self,
        worker: usize,
        result: &mut T,
        call: impl FnOnce(&mut Roster<ConnId, Arc<Entry>>, &mut Outs<'_>, &mut T),
    ) {
        let (boot, now) = (self.boot, self.now());
        let Some(node) = &mut self.node else { return };
        let Some(at) = node.workers.get_mut(worker) else {
            return;
        };
        let mut out = Outs {
            now,
            conns: &mut node.conns,
            store: &self.store,
            checker: &mut self.checker,
            stats: &mut self.stats,
            fills: Vec::new(),
            touched: Vec::new(),
            lagged: Vec::new(),
            newest_offered: 0,
            removal: Mark::RemovedByStore,
        };
        call(&mut at.roster, &mut out, result);
        let Outs {
            fills,
            touched,
            lagged,
            ..
        } = out;
        self.lagged.extend(lagged);
        for request in &fills {
            let room = match request.room {
                RoomRef::Id(id) => Some(id),
                RoomRef::Name(_) => None,
            };
            at.asked.insert(request.request, (request.member, room));
        }
        if !at.roster.has_due() {
            at.check_rest(worker, &node.conns, &mut self.checker);
        }
        for request in fills {
            let wait_ms = if self.rng.chance(80) {
                self.rng.between(0, 3)
            } else {
                self.rng.between(3, 60)
            };
            self.timeline.after(
                wait_ms,
                Happening::FillRead {
                    boot,
                    worker,
                    request,
                },
            );
        }
        for conn in touched {
            self.plan_drain(conn);
            self.read(conn);
        }
    }
}
