//! What every receiver was given, held against what the server has acknowledged. Pure: sockets and time are elsewhere.
//!
//! Each receiver is to get each entry of its rooms once, in the order of seq, and all are to get the same entries. Entries of
//! others, and of earlier runs, count like the run's own.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde::Serialize;

/// Descriptions of faults that are kept; more of them are only counted.
const EXAMPLES_MAX: usize = 10;

/// A run's own post: its number.
pub(super) type Tag = u64;

/// One entry as a receiver or an author saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) seq: u64,
    /// The entry's id.
    pub(super) id: u128,
    /// Which post of this run it is; none for what somebody else wrote.
    pub(super) tag: Option<Tag>,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A receiver never got an entry.
    Lost,
    /// A receiver got an entry twice.
    Doubled,
    /// A receiver got an entry after a later one.
    Reordered,
    /// A seq stands for two entries, or a room's history is another one than before.
    Changed,
    /// One post stands in the log twice.
    Repeated,
}

/// How often each fault was seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Faults {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) reordered: u64,
    pub(super) changed: u64,
    pub(super) repeated: u64,
}

impl Faults {
    pub(super) fn total(&self) -> u64 {
        self.lost + self.doubled + self.reordered + self.changed + self.repeated
    }

    fn of(&mut self, fault: Fault) -> &mut u64 {
        match fault {
            Fault::Lost => &mut self.lost,
            Fault::Doubled => &mut self.doubled,
            Fault::Reordered => &mut self.reordered,
            Fault::Changed => &mut self.changed,
            Fault::Repeated => &mut self.repeated,
        }
    }
}

/// The books of one run. Receivers and rooms are numbers from 0.
#[derive(Debug)]
pub(super) struct Checker {
    rooms: Vec<Log>,
    /// By receiver: its rooms, of which it has few.
    places: Vec<Vec<(usize, Place)>>,
    /// Where each post of this run stands.
    posts: HashMap<Tag, (usize, u64)>,
    faults: Faults,
    examples: Vec<String>,
}

/// A room's entries, as first seen by anybody.
#[derive(Debug, Default)]
struct Log {
    /// The seq of the first element.
    first: u64,
    ids: Vec<Option<u128>>,
    top: u64,
}

/// How far a receiver is in a room.
#[derive(Debug, Default)]
struct Place {
    last: u64,
    /// Seqs below `last` that were left out, and may still come.
    missing: BTreeSet<u64>,
}

impl Checker {
    pub(super) fn new(receivers: usize, rooms: usize) -> Checker {
        Checker {
            rooms: (0..rooms).map(|_| Log::default()).collect(),
            places: (0..receivers).map(|_| Vec::new()).collect(),
            posts: HashMap::new(),
            faults: Faults::default(),
            examples: Vec::new(),
        }
    }

    /// A receiver's stream of a room begins: what follows `after` is owed to it from here on.
    pub(super) fn begin(&mut self, receiver: usize, room: usize, after: u64) {
        let place = Place {
            last: after,
            ..Place::default()
        };
        let places = &mut self.places[receiver];
        match places.iter_mut().find(|(number, _)| *number == room) {
            Some((_, old)) => *old = place,
            None => places.push((room, place)),
        }
        let log = &mut self.rooms[room];
        log.top = log.top.max(after);
    }

    /// A receiver was given an entry. Before [`Self::begin`] nothing is owed, and nothing is held against the server.
    pub(super) fn received(&mut self, receiver: usize, room: usize, seen: Seen) {
        let found = self.places[receiver]
            .iter_mut()
            .find(|(number, _)| *number == room);
        let Some((_, place)) = found else { return };
        let seq = seen.seq;
        if seq > place.last {
            place.missing.extend(place.last + 1..seq);
            place.last = seq;
        } else if place.missing.remove(&seq) {
            self.fault(Fault::Reordered, receiver, room, seq);
        } else {
            self.fault(Fault::Doubled, receiver, room, seq);
        }
        self.written(receiver, room, seen);
    }

    /// The author of a post was told where it stands.
    pub(super) fn acknowledged(&mut self, author: usize, room: usize, seen: Seen) {
        self.written(author, room, seen);
    }

    /// A receiver was told that its copy of a room is of another past.
    pub(super) fn other_past(&mut self, receiver: usize, room: usize, seq: u64) {
        self.fault(Fault::Changed, receiver, room, seq);
    }

    /// Whether every receiver has everything that is known to exist.
    pub(super) fn is_complete(&self) -> bool {
        self.places
            .iter()
            .flatten()
            .all(|(room, place)| place.missing.is_empty() && place.last >= self.rooms[*room].top)
    }

    /// Closes the books: what was not received until now is lost.
    pub(super) fn finish(mut self) -> (Faults, Vec<String>) {
        let places = std::mem::take(&mut self.places);
        for (receiver, rooms) in places.into_iter().enumerate() {
            for (room, place) in rooms {
                let rest = place.last + 1..=self.rooms[room].top;
                for seq in place.missing.into_iter().chain(rest) {
                    self.fault(Fault::Lost, receiver, room, seq);
                }
            }
        }
        (self.faults, self.examples)
    }

    /// Notes what stands at a seq, whoever says so.
    fn written(&mut self, who: usize, room: usize, seen: Seen) {
        let log = &mut self.rooms[room];
        log.top = log.top.max(seen.seq);
        let known = log.at(seen.seq);
        match *known {
            Some(id) if id != seen.id => return self.fault(Fault::Changed, who, room, seen.seq),
            Some(_) => {}
            None => *known = Some(seen.id),
        }
        if let Some(tag) = seen.tag {
            let first = *self.posts.entry(tag).or_insert((room, seen.seq));
            if first != (room, seen.seq) {
                self.fault(Fault::Repeated, who, room, seen.seq);
            }
        }
    }

    fn fault(&mut self, fault: Fault, who: usize, room: usize, seq: u64) {
        *self.faults.of(fault) += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples
                .push(format!("{fault}: connection {who}, room {room}, seq {seq}"));
        }
    }
}

impl Log {
    /// What is known of a seq.
    fn at(&mut self, seq: u64) -> &mut Option<u128> {
        if self.ids.is_empty() {
            self.first = seq;
        } else if seq < self.first {
            // Seldom: somebody's stream began before that of the one who spoke first.
            let before = usize::try_from(self.first - seq).unwrap_or(usize::MAX);
            self.ids.splice(0..0, std::iter::repeat_n(None, before));
            self.first = seq;
        }
        let at = usize::try_from(seq - self.first).unwrap_or(usize::MAX);
        if at >= self.ids.len() {
            self.ids.resize(at + 1, None);
        }
        &mut self.ids[at]
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Lost => "lost",
            Fault::Doubled => "doubled",
            Fault::Reordered => "reordered",
            Fault::Changed => "changed",
            Fault::Repeated => "repeated",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64) -> Seen {
        Seen {
            seq,
            id: u128::from(seq) + 1_000,
            tag: Some(seq + 50),
        }
    }

    /// Two receivers in room 0 whose streams begin after 4.
    fn two() -> Checker {
        let mut checker = Checker::new(2, 1);
        checker.begin(0, 0, 4);
        checker.begin(1, 0, 4);
        checker
    }

    fn give(checker: &mut Checker, receiver: usize, seqs: &[u64]) {
        for seq in seqs {
            checker.received(receiver, 0, entry(*seq));
        }
    }

    #[test]
    fn an_honest_server_has_no_faults() {
        let mut checker = two();
        give(&mut checker, 0, &[5, 6, 7]);
        assert!(!checker.is_complete());
        checker.acknowledged(0, 0, entry(6));
        give(&mut checker, 1, &[5, 6, 7]);
        assert!(checker.is_complete());
        assert_eq!(checker.finish(), (Faults::default(), Vec::new()));
    }

    #[test]
    fn an_entry_that_one_receiver_never_gets_is_lost() {
        let mut hole = two();
        give(&mut hole, 0, &[5, 6, 7]);
        give(&mut hole, 1, &[5, 7]);
        assert!(!hole.is_complete());
        let (faults, examples) = hole.finish();
        assert_eq!((faults.lost, faults.total()), (1, 1));
        assert_eq!(examples, ["lost: connection 1, room 0, seq 6"]);

        let mut tail = two();
        give(&mut tail, 0, &[5, 6, 7]);
        give(&mut tail, 1, &[5]);
        assert_eq!(tail.finish().0.lost, 2);
    }

    #[test]
    fn an_acknowledged_post_that_nobody_gets_is_lost_to_all() {
        let mut checker = two();
        checker.acknowledged(0, 0, entry(5));
        assert!(!checker.is_complete());
        assert_eq!(checker.finish().0.lost, 2);
    }

    #[test]
    fn an_entry_that_comes_twice_is_doubled() {
        let mut checker = two();
        give(&mut checker, 0, &[5, 6, 5, 6]);
        give(&mut checker, 1, &[5, 6]);
        let faults = checker.finish().0;
        assert_eq!((faults.doubled, faults.total()), (2, 2));
        // What lies before the stream was not asked for.
        let mut checker = two();
        give(&mut checker, 0, &[4]);
        assert_eq!(checker.finish().0.doubled, 1);
    }

    #[test]
    fn an_entry_that_comes_after_a_later_one_is_reordered_and_not_lost() {
        let mut checker = two();
        give(&mut checker, 0, &[6, 5, 7]);
        give(&mut checker, 1, &[5, 6, 7]);
        let faults = checker.finish().0;
        assert_eq!((faults.reordered, faults.total()), (1, 1));
    }

    #[test]
    fn two_entries_under_one_seq_are_found() {
        let mut checker = two();
        give(&mut checker, 0, &[5]);
        let other = Seen {
            id: 7,
            tag: None,
            ..entry(5)
        };
        checker.received(1, 0, other);
        assert_eq!(checker.finish().0.changed, 1);

        let mut checker = two();
        give(&mut checker, 0, &[5]);
        give(&mut checker, 1, &[5]);
        checker.acknowledged(0, 0, other);
        assert_eq!(checker.finish().0.changed, 1);
    }

    #[test]
    fn a_post_that_took_effect_twice_is_found() {
        let mut checker = two();
        for receiver in 0..2 {
            give(&mut checker, receiver, &[5]);
            let again = Seen {
                tag: entry(5).tag,
                ..entry(6)
            };
            checker.received(receiver, 0, again);
        }
        let faults = checker.finish().0;
        assert_eq!((faults.repeated, faults.total()), (2, 2));
    }

    #[test]
    fn who_begins_earlier_than_the_first_speaker_is_owed_more() {
        let mut checker = Checker::new(2, 1);
        checker.begin(0, 0, 9);
        give(&mut checker, 0, &[10]);
        checker.begin(1, 0, 7);
        give(&mut checker, 1, &[8, 9, 10]);
        assert_eq!(checker.finish().0, Faults::default());
    }

    #[test]
    fn only_a_few_faults_are_told_in_words_and_all_are_counted() {
        let mut checker = two();
        give(&mut checker, 0, &[5]);
        for _ in 0..100 {
            give(&mut checker, 1, &[5]);
        }
        let (faults, examples) = checker.finish();
        assert_eq!(faults.doubled, 99);
        assert_eq!(examples.len(), EXAMPLES_MAX);
    }
}
