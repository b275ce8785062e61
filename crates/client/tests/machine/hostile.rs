//! A server that says anything at all, at any time. The machine may get nowhere with it, but it never breaks its word.

use std::collections::{BTreeMap, BTreeSet};

use suda_client::{ConnectionOrder, Event};
use suda_protocol::v1::command::Request;
use suda_protocol::v1::push::Event as Pushed;
use suda_protocol::v1::reply::Result as Answered;
use suda_protocol::v1::{self, Continuity};
use suda_protocol::{ErrorCode, limits};

use crate::script::{ROOM, Script, client_id, cursor, entry, posted, room};

const SEEDS: u64 = 400;
const STEPS: usize = 300;

/// A small generator of numbers (xorshift), so that a failure names one seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What the owner was promised, and got so far.
#[derive(Default)]
struct Promises {
    /// Where the room's stream stands; none before it starts, and after a reset.
    at: Option<u64>,
    answered: BTreeSet<uuid::Uuid>,
    asked: BTreeSet<uuid::Uuid>,
    entries: usize,
    resets: usize,
}

impl Promises {
    fn check(&mut self, event: Event) {
        match event {
            Event::Opened { after, .. } => assert_eq!(
                *self.at.get_or_insert(after.seq),
                after.seq,
                "opened elsewhere"
            ),
            Event::Entry(entry) => {
                // Read from the beginning, entries may come by page before the stream is open.
                assert_eq!(entry.seq, self.at.unwrap_or(0) + 1, "not the next entry");
                self.at = Some(entry.seq);
                self.entries += 1;
            }
            Event::Reset { .. } => {
                self.at = None;
                self.resets += 1;
            }
            Event::Accepted { client_id, .. } | Event::Refused { client_id, .. } => {
                assert!(self.asked.contains(&client_id), "nobody asked");
                assert!(self.answered.insert(client_id), "answered twice");
            }
            _ => {}
        }
    }
}

fn any_answer(dice: &mut Dice) -> Answered {
    let seq = dice.below(12);
    match dice.below(9) {
        0 => posted(seq),
        1 => Answered::Pong(v1::Pong {}),
        2 => Answered::Error(v1::Error::of(ErrorCode::Busy).with_retry_after_ms(u32::MAX)),
        3 => Answered::Error(v1::Error::of(ErrorCode::UnknownRoom)),
        4..=6 => {
            let continuity = [
                Continuity::Continues,
                Continuity::Page,
                Continuity::OtherPast,
                Continuity::Unspecified,
            ];
            let continuity = continuity[dice.below(4) as usize].into();
            Answered::Opened(v1::Opened {
                room: (dice.below(8) > 0).then(|| room(seq)),
                continuity,
            })
        }
        7 => Answered::Hello(v1::Hello::default()),
        _ => {
            let entries = (0..dice.below(5)).map(|n| entry(seq + n)).collect();
            Answered::LogPage(v1::LogPage {
                entries,
                top: Some(cursor(dice.below(2_000))),
                continues: dice.below(4) > 0,
            })
        }
    }
}

fn any_push(dice: &mut Dice) -> Pushed {
    let seq = dice.below(12);
    match dice.below(9) {
        0 => Pushed::Lag(v1::Lag {
            room: ROOM.into(),
            top: None,
        }),
        1 => Pushed::Heartbeat(v1::Heartbeat::default()),
        2 => {
            let tops = vec![v1::RoomTop {
                room: ROOM.into(),
                top: Some(cursor(seq)),
            }];
            Pushed::Heartbeat(v1::Heartbeat {
                now_ms: i64::MIN,
                tops,
            })
        }
        3 if dice.below(4) == 0 => Pushed::Removed(v1::Removed { room: ROOM.into() }),
        4 if dice.below(4) == 0 => Pushed::GoingAway(v1::GoingAway {
            come_back_after_ms: u32::MAX,
        }),
        5 => Pushed::Entry(v1::Entry {
            id: "of another past".into(),
            ..entry(seq)
        }),
        _ => Pushed::Entry(entry(seq)),
    }
}

#[test]
fn whatever_a_server_says_the_machine_keeps_its_word() {
    let (mut entries, mut resets, mut answers) = (0, 0, 0);
    for seed in 1..=SEEDS {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut script = Script::with_seed(seed);
        let mut promises = Promises::default();
        let mut under_way = BTreeMap::new();
        script
            .machine
            .open(script.now, ROOM, Some(cursor(0)))
            .unwrap();
        for step in 0..STEPS {
            match dice.below(10) {
                0 => {
                    let id = client_id(step as u128);
                    if script
                        .machine
                        .post(script.now, "lobby", id, "안녕", 0)
                        .is_ok()
                    {
                        promises.asked.insert(id);
                    }
                }
                1 if dice.below(8) == 0 => {
                    script.machine.handle_disconnected(script.now, Some(1006))
                }
                2 => {
                    let ms = dice.below(u64::from(limits::HEARTBEAT_MS)) as i64;
                    script.after_ms(ms);
                    script.machine.connect_now(script.now);
                }
                3..=5 => {
                    // Mostly an answer to something, sometimes to nothing, sometimes the right kind of it.
                    let id = under_way.keys().next().copied().unwrap_or(dice.below(50));
                    let answer = match under_way.remove(&id) {
                        Some(Request::Connect(_)) => Answered::Hello(v1::Hello::default()),
                        Some(Request::Post(_)) if dice.below(2) == 0 => posted(dice.below(12)),
                        Some(Request::Open(open)) if dice.below(2) == 0 => {
                            let top = open.cursor.map_or(0, |cursor| cursor.seq) + dice.below(3);
                            let continuity = Continuity::Continues.into();
                            Answered::Opened(v1::Opened {
                                room: Some(room(top)),
                                continuity,
                            })
                        }
                        _ => any_answer(&mut dice),
                    };
                    script.reply(id, answer);
                }
                6 => {
                    let next = promises.at.unwrap_or(0) + 1;
                    script.push(Pushed::Entry(entry(next)));
                }
                _ => script.push(any_push(&mut dice)),
            }
            while let Some(order) = script.machine.poll_connection() {
                under_way.clear();
                if order == ConnectionOrder::Connect {
                    script.machine.handle_connected(script.now);
                }
            }
            while let Some(command) = script.machine.poll_transmit() {
                under_way.insert(command.id, command.request.unwrap());
            }
            while let Some(event) = script.machine.poll_event() {
                if matches!(event, Event::Removed { .. } | Event::OpenRefused { .. }) {
                    // The owner asks again, for everything.
                    promises.at = None;
                    let _ = script.machine.open(script.now, ROOM, Some(cursor(0)));
                }
                promises.check(event);
            }
        }
        let pending: BTreeSet<_> = script
            .machine
            .pending()
            .map(|pending| pending.client_id())
            .collect();
        assert!(
            pending.is_disjoint(&promises.answered),
            "seed {seed}: answered and pending"
        );
        let known: BTreeSet<_> = pending.union(&promises.answered).copied().collect();
        assert_eq!(known, promises.asked, "seed {seed}: forgotten");
        entries += promises.entries;
        resets += promises.resets;
        answers += promises.answered.len();
    }
    // The dice do reach what this is about.
    assert!(
        entries > 1_000 && resets > 100 && answers > 1_000,
        "{entries} entries, {resets} resets, {answers} answers"
    );
}
