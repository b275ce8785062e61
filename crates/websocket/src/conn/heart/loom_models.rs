//! Models of the heart's queue, for loom: beats come in while the task sleeps, looks or ends.
//!
//! Real are the queue, its end and the notice of a sooner beat. The task's sleep is not: no clock runs in a model, so it sleeps until it
//! is told of a sooner beat, and a beat whose notice was lost shows as a deadlock.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use loom::{
    future::block_on,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};
use tokio::{io::DuplexStream, time::Instant};

use super::{
    super::{loom_models::model, shared::Shared},
    Beat, Heart,
};
use crate::Heartbeat;

/// Longer than a model takes.
const LATER: Duration = Duration::from_secs(3600);

fn beat(due: Instant) -> Beat {
    Beat {
        due,
        give_up_at: due + LATER,
        asked_again: false,
        received_bytes: 0,
        heartbeat: Heartbeat {
            every: LATER,
            timeout: LATER,
        },
        connection: Weak::<Shared<DuplexStream>>::new(),
    }
}

/// What the task does until it ends, each beat being the last of its connection. Gives how many there were.
fn run(heart: &Heart, now: Instant) -> usize {
    let mut taken = 0;
    while let Some(due) = heart.next_due() {
        if due <= now {
            taken += heart.take_due(now).len();
        } else {
            block_on(heart.sooner.notified());
        }
    }
    taken
}

#[test]
fn a_beat_that_is_sooner_than_all_others_ends_the_sleep() {
    model(|| {
        let now = Instant::now();
        let heart = Arc::new(Heart::default());
        assert!(heart.push(beat(now + LATER)).is_none());
        let enlisted = heart.clone();
        // loom takes turns only at what is its own, and the notice is not: without this it would never come right before the sleep.
        let told = Arc::new(AtomicBool::new(false));
        let telling = told.clone();
        let enlisting = thread::spawn(move || {
            assert!(enlisted.push(beat(now)).is_none());
            telling.store(true, Ordering::SeqCst);
        });
        while heart.next_due() != Some(now) {
            told.load(Ordering::SeqCst);
            block_on(heart.sooner.notified());
        }
        enlisting.join().unwrap();
    });
}

#[test]
fn a_beat_is_taken_or_given_back_when_the_task_ends() {
    model(|| {
        let now = Instant::now();
        let heart = Arc::new(Heart::default());
        assert!(heart.push(beat(now)).is_none());
        let enlisted = [heart.clone(), heart.clone()];
        let enlisting = enlisted
            .map(|heart| thread::spawn(move || usize::from(heart.push(beat(now)).is_some())));
        let taken = run(&heart, now);
        let given_back: usize = enlisting.map(|one| one.join().unwrap()).iter().sum();
        assert_eq!(taken + given_back, 3);
    });
}
