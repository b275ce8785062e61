//! What a run counts: answers and deliveries with their latencies, within the window that is measured.

use std::ops::Range;
use std::time::Duration;

use uuid::Uuid;

use super::checker::Tag;
use super::histogram::Histogram;
use super::post::{self, Post};

/// Counts of one run. Times are since it began.
#[derive(Debug)]
pub(super) struct Book {
    run: u32,
    bytes: usize,
    random_ids: bool,
    window: Range<Duration>,
    last_tag: Tag,
    pub(super) acknowledgement: Histogram,
    pub(super) delivery: Histogram,
    /// Within the window.
    pub(super) posts: u64,
    /// Within the window.
    pub(super) deliveries: u64,
    /// Bytes of the messages that carried them, without their frames' heads.
    pub(super) payload_bytes: u64,
    /// Over the whole run.
    pub(super) posts_all: u64,
    pub(super) deliveries_all: u64,
    /// Those of this run's posts.
    pub(super) own_deliveries_all: u64,
    pub(super) lags: u64,
    pub(super) put_off: u64,
    pub(super) refused: u64,
    pub(super) refusal: Option<String>,
}

impl Book {
    /// Of the run with that number, whose posts are `bytes` long.
    pub(super) fn new(run: u32, bytes: usize, random_ids: bool) -> Book {
        Book {
            run,
            bytes,
            random_ids,
            window: Duration::ZERO..Duration::ZERO,
            last_tag: 0,
            acknowledgement: Histogram::new(),
            delivery: Histogram::new(),
            posts: 0,
            deliveries: 0,
            payload_bytes: 0,
            posts_all: 0,
            deliveries_all: 0,
            own_deliveries_all: 0,
            lags: 0,
            put_off: 0,
            refused: 0,
            refusal: None,
        }
    }

    /// From when until when is measured.
    pub(super) fn set_window(&mut self, window: Range<Duration>) {
        self.window = window;
    }

    /// A new post, due at that time.
    pub(super) fn post(&mut self, due: Duration) -> Post {
        self.last_tag += 1;
        // Those of the apps grow with time.
        let client_id = if self.random_ids {
            Uuid::new_v4()
        } else {
            Uuid::now_v7()
        };
        Post::new(self.run, self.last_tag, client_id, due, self.bytes)
    }

    /// Which post of this run a text is, and when it was due.
    pub(super) fn post_of(&self, text: &str) -> Option<(Tag, Duration)> {
        post::parse(self.run, text)
    }

    pub(super) fn acknowledged(&mut self, now: Duration, due: Duration) {
        self.posts_all += 1;
        if self.window.contains(&now) {
            self.posts += 1;
        }
        if self.window.contains(&due) {
            self.acknowledgement.add(now.saturating_sub(due));
        }
    }

    /// An entry came to a receiver; with the time at which it was due if it is a post of this run.
    pub(super) fn delivered(&mut self, now: Duration, due: Option<Duration>) {
        self.deliveries_all += 1;
        self.own_deliveries_all += u64::from(due.is_some());
        if self.window.contains(&now) {
            self.deliveries += 1;
        }
        if let Some(due) = due
            && self.window.contains(&due)
        {
            self.delivery.add(now.saturating_sub(due));
        }
    }

    /// An entry came as a message of that many bytes.
    pub(super) fn carried(&mut self, now: Duration, bytes: usize) {
        if self.window.contains(&now) {
            self.payload_bytes += bytes as u64;
        }
    }

    /// A stream ended because its reader was too slow.
    pub(super) fn lagged(&mut self) {
        self.lags += 1;
    }

    /// A command was refused for the moment.
    pub(super) fn put_off(&mut self) {
        self.put_off += 1;
    }

    /// A post was refused for good.
    pub(super) fn refused(&mut self, reason: &str) {
        self.refused += 1;
        self.refusal.get_or_insert_with(|| reason.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_falls_into_the_window_is_measured() {
        let at = Duration::from_millis;
        let mut book = Book::new(1, 64, false);
        book.set_window(at(100)..at(200));
        // Answered within, though due before.
        book.acknowledged(at(110), at(90));
        book.acknowledged(at(150), at(120));
        // Due within, though answered after: leaving it out would hide the slowest.
        book.acknowledged(at(900), at(190));
        assert_eq!((book.posts, book.posts_all), (2, 3));
        assert_eq!(book.acknowledgement.count(), 2);
        assert_eq!(book.acknowledgement.max(), at(710));
        book.delivered(at(150), None);
        book.delivered(at(150), Some(at(140)));
        book.delivered(at(250), Some(at(250)));
        book.carried(at(150), 7);
        book.carried(at(250), 7);
        assert_eq!(book.payload_bytes, 7);
        assert_eq!((book.deliveries, book.deliveries_all), (2, 3));
        assert_eq!(book.delivery.count(), 1);
    }
}
