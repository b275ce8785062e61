//! A worker's loop: batches and answers from the journal, sockets from HTTP, orders, time.

use super::Tools;
use super::hand_over::{Entrance, Order};
use super::outlets::{HandedOn, Inlet};
use super::state::{Phase, State, Worker};
use crate::journal::Ticket;
use std::rc::Rc;
use std::thread::yield_now as yield_thread;
use suda_engine::RoomId;
use suda_protocol::CloseCode;
use suda_protocol::v1::{self, reply};
use suda_websocket::check_io_uring;
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use uuid::Uuid;

/// Commits that are worked off before sockets are written to, where several wait: a busy worker writes to each socket once for all of
/// them.
const COMMITS_PER_FLUSH_MAX: usize = 4;

/// Runs a worker until it was stopped.
pub(super) async fn run(number: usize, inlet: Inlet, mut entrance: Entrance, tools: Tools) {
    let worker = Worker::new(number, tools);
    let Inlet {
        mut commits,
        missed,
    } = inlet;
    match check_io_uring() {
        Ok(()) => tracing::debug!(number, "sockets are written to through an io_uring"),
        Err(error) => {
            tracing::debug!(number, %error, "no io_uring: sockets are written to one by one");
        }
    }
    let mut ticks = interval(worker.tick_interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let phase_end = worker.phase_end();
        // In no fixed order: under load something is always ready, and nothing may starve behind it.
        let mut commits_done = 0;
        tokio::select! {
            order = entrance.orders.recv() => match order {
                Some(Order::SignedOut(device)) => worker.sign_out(device),
                Some(Order::Stop(until)) => worker.begin_stop(until),
                // Every handle is gone, and with it everybody who could use this worker.
                None => worker.begin_stop(Instant::now()),
            },
            // Batches that still wait are then in the store already, and are dropped as known when their turn comes.
            () = missed.notified() => worker.missed(),
            Some(commit) = commits.next() => {
                worker.committed(commit);
                commits_done = 1;
            }
            () = worker.flush.notified() => {}
            Some(socket) = entrance.sockets.recv() => worker.take_in_if_running(socket),
            _ = ticks.tick() => worker.tick(),
            () = at(phase_end) => {}
        }
        // Whatever it was that happened: what is committed by now goes along with the writes that follow.
        while commits_done < COMMITS_PER_FLUSH_MAX {
            let Some(commit) = commits.try_next() else {
                break;
            };
            worker.committed(commit);
            commits_done += 1;
        }
        let sockets_left = worker.flush();
        if worker.is_stopped() {
            return;
        }
        if sockets_left {
            worker.let_journal_run();
            // The sockets that can be read by now are read, and their drafts are on their way, before the next are written to.
            yield_now().await;
        }
    }
}

/// The room that a post went to, if this is the answer to one.
fn posted_to(reply: &v1::Reply) -> Option<RoomId> {
    match &reply.result {
        Some(reply::Result::Posted(posted)) => posted.room.parse().ok(),
        _ => None,
    }
}

/// Waits for that moment; for ever where there is none.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

impl State {
    /// Entries first, since readers are many. What a client gets first is open, and it is told so.
    pub(super) fn committed(&mut self, commit: HandedOn) {
        for entry in commit.batch.iter().flat_map(|batch| batch.iter()) {
            self.roster.committed(entry, &mut self.connections);
        }
        for answer in commit.answers {
            if let Ticket::Connection { connection, .. } = answer.ticket {
                self.at_journal = self.at_journal.saturating_sub(1);
                // One write carries its own entry and the answer. How many other rooms an author has open is nothing to a post.
                match posted_to(&answer.reply) {
                    Some(room) => {
                        (self.roster).give_turn_in(connection, room, &mut self.connections);
                    }
                    None => self.roster.give_turn(connection, &mut self.connections),
                }
                self.connections.reply(connection, answer.reply);
            }
        }
    }
}

impl Worker {
    fn committed(self: &Rc<Self>, commit: HandedOn) {
        self.with(|state| state.committed(commit));
    }

    /// The journal may share this thread's core, and what it has of ours is to be in time for as many of the sockets that are left as can be. The
    /// system would let it wait for some milliseconds, which is a round through a thousand sockets.
    fn let_journal_run(self: &Rc<Self>) {
        if self.with(|state| state.at_journal > 0) {
            yield_thread();
        }
    }

    fn missed(self: &Rc<Self>) {
        tracing::warn!(
            worker = self.number,
            "too slow for the journal; reading from the store instead"
        );
        self.with(|state| state.roster.missed(&mut state.connections));
    }

    fn sign_out(self: &Rc<Self>, device: Uuid) {
        self.with(|state| {
            if state.authenticating > 0 {
                state.signed_out.insert(device);
            }
            for key in state.connections.keys() {
                let signed_out = state
                    .connections
                    .get_mut(key)
                    .is_some_and(|connection| connection.device == Some(device));
                if signed_out {
                    state.close(key, CloseCode::SignedOut);
                }
            }
        });
    }

    fn take_in_if_running(self: &Rc<Self>, socket: super::HandOver) {
        // Later it is dropped, and its client comes back to the next process.
        if self.with(|state| state.phase == Phase::Running) {
            self.take_in(socket);
        }
    }
}
