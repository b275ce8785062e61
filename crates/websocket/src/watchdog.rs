//! Wakes those who have waited for a while, so that a short wait needs no timer. For Linux.
//!
//! A timer costs more than it seems to: as long as a runtime has one, however far off, each of its waits for events is one with a time limit,
//! for which the system sets a timer of its own and takes it back. Of a busy server's handshakes that is one part in forty. Most of them wait for less than a
//! millisecond, and need a timer only if they do not. So they are watched: a timer that the runtime sees as a file goes off at the end of a round and wakes
//! who has been there for all of it. Whoever is woken sets a timer of the runtime, which alone decides when the time is up.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::Waker,
    time::Duration,
};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::{
    net::unix::pipe::Receiver,
    runtime::{Handle, Id},
    time::Instant,
};

use crate::conn::later;

/// How long a round is. Whoever waits is woken after one to two of them.
const ROUND: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// Room for what is read from a timer, in bytes: more than that is, so that the runtime knows it has all of it.
const TIMER_READ_BYTES: usize = 2 * size_of::<u64>();
/// A wait that is to end sooner than this needs a timer from the beginning.
const WATCHED_WAIT_MIN: Duration = Duration::from_secs(1);
/// Two looks at the same clock are at most so far apart, unless the thread was interrupted between them.
const LOOKS_APART_MAX: Duration = Duration::from_micros(1);

static WATCHED: Mutex<State> = Mutex::new(State {
    places: Vec::new(),
    free: Vec::new(),
    rounds: Vec::new(),
});

/// One who is watched. Dropped, it is not woken any more. It is small: the room for what waits may be kept for as long as a connection.
#[derive(Debug)]
pub(crate) struct Watched {
    /// One more than the index of its place.
    number: NonZeroUsize,
}

/// Has `waker` woken after one or two [`ROUND`]s. None: that is for a timer to do, as where the wait is short, or where the runtime's clock, which shows `now`,
/// is not the real one, as in tests that stop it: a runtime moves such a clock on by its timers.
///
/// # Panics
/// Where the current runtime has no driver for sockets.
pub(crate) fn watch(waker: &Waker, now: Instant, wait: Duration) -> Option<Watched> {
    if wait < WATCHED_WAIT_MIN || !is_real(now) {
        return None;
    }
    let runtime = Handle::current().id();
    let place = Place {
        runtime,
        since_round: 0,
        until: later(now, wait),
        waker: Some(waker.clone()),
    };
    let entered = lock().enter(place);
    match entered {
        Ok(watched) => watched,
        Err(place) => {
            start(runtime)?;
            lock().enter(place).ok()?
        }
    }
}

/// Whether the runtime's clock, which has just shown `now`, is the real one.
fn is_real(now: Instant) -> bool {
    std::time::Instant::now()
        .checked_duration_since(now.into_std())
        .is_some_and(|apart| apart <= LOOKS_APART_MAX)
}

impl Watched {
    /// When the wait is to end.
    pub(crate) fn until(&self) -> Instant {
        lock().places[self.index()].until
    }

    fn index(&self) -> usize {
        self.number.get() - 1
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let waker = lock().leave(self.index());
        // Outside the lock: it may be the last that holds a task with others who are watched.
        drop(waker);
    }
}

fn lock() -> MutexGuard<'static, State> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

struct State {
    /// Those who wait, as many as do so at once for less than two rounds.
    places: Vec<Place>,
    free: Vec<usize>,
    /// One for each runtime: a handful.
    rounds: Vec<Rounds>,
}

struct Place {
    runtime: Id,
    since_round: u64,
    until: Instant,
    /// None once it is woken.
    waker: Option<Waker>,
}

/// The rounds of a runtime. None is under way while nobody waits.
struct Rounds {
    runtime: Id,
    round: u64,
    timer: Weak<Receiver>,
    under_way: bool,
}

impl Rounds {
    /// Has the timer go off at the end of a round. Gives whether it will.
    fn begin(&mut self) -> bool {
        let once = Itimerspec {
            it_interval: Timespec::default(),
            it_value: ROUND,
        };
        self.under_way = self.timer.upgrade().is_some_and(|timer| {
            timerfd_settime(&*timer, TimerfdTimerFlags::empty(), &once).is_ok()
        });
        self.under_way
    }
}

impl State {
    /// Gives the place back if its runtime has no rounds, and none if they cannot begin.
    fn enter(&mut self, mut place: Place) -> Result<Option<Watched>, Place> {
        let of_runtime = |rounds: &&mut Rounds| rounds.runtime == place.runtime;
        let Some(rounds) = self.rounds.iter_mut().find(of_runtime) else {
            return Err(place);
        };
        if !rounds.under_way && !rounds.begin() {
            return Ok(None);
        }
        place.since_round = rounds.round;
        let index = match self.free.pop() {
            Some(index) => {
                self.places[index] = place;
                index
            }
            None => {
                self.places.push(place);
                self.places.len() - 1
            }
        };
        Ok(NonZeroUsize::new(index + 1).map(|number| Watched { number }))
    }

    fn leave(&mut self, index: usize) -> Option<Waker> {
        self.free.push(index);
        self.places[index].waker.take()
    }

    /// Those who have waited for a whole round. If others wait, the next begins.
    fn end_round(&mut self, runtime: Id) -> Vec<Waker> {
        let Some(rounds) = self
            .rounds
            .iter_mut()
            .find(|known| known.runtime == runtime)
        else {
            return Vec::new();
        };
        let ended = rounds.round;
        rounds.round += 1;
        rounds.under_way = false;
        let mut late = Vec::new();
        let mut others_wait = false;
        for place in &mut self.places {
            if place.runtime != runtime || place.waker.is_none() {
                continue;
            }
            if place.since_round < ended {
                late.extend(place.waker.take());
            } else {
                others_wait = true;
            }
        }
        if others_wait && !rounds.begin() {
            late.extend(self.end(runtime));
        }
        late
    }

    /// Ends a runtime's rounds. Gives those who wait there.
    fn end(&mut self, runtime: Id) -> Vec<Waker> {
        self.rounds.retain(|rounds| rounds.runtime != runtime);
        let of_runtime = self
            .places
            .iter_mut()
            .filter(|place| place.runtime == runtime);
        of_runtime.filter_map(|place| place.waker.take()).collect()
    }
}

/// Starts the rounds of the current runtime, unless the system has no timer to give.
fn start(runtime: Id) -> Option<()> {
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    let timer = timerfd_create(TimerfdClockId::Monotonic, flags).ok()?;
    // To the runtime it is one more file to read from.
    let timer = Arc::new(Receiver::from_owned_fd_unchecked(timer).ok()?);
    let mut state = lock();
    if state.rounds.iter().all(|rounds| rounds.runtime != runtime) {
        state.rounds.push(Rounds {
            runtime,
            round: 0,
            timer: Arc::downgrade(&timer),
            under_way: false,
        });
        drop(state);
        let end = End(runtime);
        tokio::spawn(tokio::task::unconstrained(run(timer, end)));
    }
    Some(())
}

async fn run(timer: Arc<Receiver>, end: End) {
    while timer.readable().await.is_ok() {
        if timer.try_read(&mut [0; TIMER_READ_BYTES]).is_err() {
            continue;
        }
        let late = lock().end_round(end.0);
        for waker in late {
            waker.wake();
        }
    }
}

/// Ends the rounds of a runtime when its task ends, also when the runtime drops it. Who waits then has to set a timer.
struct End(Id);

impl Drop for End {
    fn drop(&mut self) {
        let left = lock().end(self.0);
        for waker in left {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, task::Poll};

    use super::*;

    /// Waits for the watchdog to wake this task.
    async fn be_woken() {
        let mut watched = None;
        poll_fn(|cx| {
            if watched.is_some() {
                return Poll::Ready(());
            }
            // A thread that is interrupted between two looks at the clock is told to set a timer.
            while watched.is_none() {
                watched = watch(cx.waker(), Instant::now(), Duration::MAX);
            }
            Poll::Pending
        })
        .await;
    }

    #[tokio::test]
    async fn who_waits_for_a_while_is_woken_and_again() {
        for _ in 0..2 {
            tokio::join!(be_woken(), be_woken());
        }
    }

    #[test]
    fn each_runtime_has_rounds_of_its_own_which_end_with_it() {
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
        };
        let (first, second) = (runtime(), runtime());
        let id = first.handle().id();
        first.block_on(be_woken());
        assert!(lock().rounds.iter().any(|rounds| rounds.runtime == id));
        drop(first);
        assert!(lock().rounds.iter().all(|rounds| rounds.runtime != id));
        second.block_on(be_woken());
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_stands_still_or_was_moved_is_none_to_rely_on() {
        let waker = Waker::noop();
        assert!(watch(waker, Instant::now(), Duration::MAX).is_none());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(watch(waker, Instant::now(), Duration::MAX).is_none());
    }

    #[tokio::test]
    async fn a_short_wait_has_a_timer_from_the_beginning() {
        assert!(watch(Waker::noop(), Instant::now(), Duration::ZERO).is_none());
    }
}
