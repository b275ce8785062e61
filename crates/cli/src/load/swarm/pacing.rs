//! When the connections of a run post, and which of them is next.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::{Slot, State, Swarm};

/// How often due posts are sent.
const TICK: Duration = Duration::from_millis(1);
/// Of a full turn: steps of this length visit all connections in an order that has no pattern.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// How posts are paced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::load) enum Pace {
    /// So many a second, whatever the server does.
    Rate(f64),
    /// Each connection keeps so many without an answer.
    InFlight(usize),
    /// All together keep so many that have no answer yet or that not every member has.
    UnderWay(usize),
}

impl Swarm {
    /// Posts at this pace until then.
    pub(in crate::load) async fn post(&self, pace: Pace, until: Instant) {
        match pace {
            Pace::Rate(per_second) => self.post_at_rate(per_second, until).await,
            Pace::InFlight(count) => {
                let all = self.state.borrow().slots.len();
                self.state.borrow_mut().in_flight = Some(count);
                for number in 0..all {
                    self.change(number, |_| {});
                    self.flush(number);
                }
                sleep_until(until).await;
                self.state.borrow_mut().in_flight = None;
            }
            Pace::UnderWay(count) => self.post_under_way(count, until).await,
        }
    }

    async fn post_under_way(&self, count: usize, until: Instant) {
        let authors = self.authors();
        if authors.is_empty() {
            return sleep_until(until).await;
        }
        let settled = Rc::clone(&self.state.borrow().settled);
        let mut begun = 0;
        while Instant::now() < until {
            let done = self.state.borrow().posts_settled();
            while begun < done + count as u64 {
                let author = in_turn(&authors, begun);
                self.queue_post(author, self.now());
                self.flush(author);
                begun += 1;
            }
            // One that is refused for good is never settled; the run fails for it anyway.
            tokio::select! {
                () = settled.notified() => {}
                () = sleep_until(until) => {}
            }
        }
    }

    async fn post_at_rate(&self, per_second: f64, until: Instant) {
        let authors = self.authors();
        if per_second <= 0.0 || authors.is_empty() {
            return sleep_until(until).await;
        }
        let first = self.now();
        let mut sent = 0_u64;
        while Instant::now() < until {
            let elapsed = (self.now() - first).as_secs_f64();
            let mut touched = Vec::new();
            while (sent as f64) < elapsed * per_second {
                let due = first + Duration::from_secs_f64(sent as f64 / per_second);
                let author = in_turn(&authors, sent);
                self.queue_post(author, due);
                touched.push(author);
                sent += 1;
            }
            for author in touched {
                self.flush(author);
            }
            sleep(TICK).await;
        }
    }

    fn authors(&self) -> Vec<usize> {
        let state = self.state.borrow();
        let can_post = |(number, slot): (usize, &Slot)| slot.member.can_post().then_some(number);
        state
            .slots
            .iter()
            .enumerate()
            .filter_map(can_post)
            .collect()
    }

    fn queue_post(&self, number: usize, due: Duration) {
        let mut state = self.state.borrow_mut();
        let post = state.book.post(due);
        state.slots[number].member.post(post);
        state.queue_commands(number, self.codec);
    }
}

impl State {
    /// Posts of this run that were answered and have come to all, as far as numbers tell.
    pub(super) fn posts_settled(&self) -> u64 {
        let everywhere = self.book.own_deliveries_all / self.receivers.max(1);
        everywhere.min(self.book.posts_all)
    }

    /// Posts anew for what was answered, where each connection is to keep some under way.
    pub(super) fn fill_up(&mut self, number: usize, now: Duration) {
        let Some(in_flight) = self.in_flight else {
            return;
        };
        let member = &mut self.slots[number].member;
        while member.can_post() && member.is_online() && member.unanswered() < in_flight {
            member.post(self.book.post(now));
        }
    }
}

/// The author of the post with that number. There is at least one.
fn in_turn(authors: &[usize], number: u64) -> usize {
    let turn = (number as f64 * GOLDEN).fract() * authors.len() as f64;
    authors[(turn as usize).min(authors.len() - 1)]
}
