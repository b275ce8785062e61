//! A server that breaks its promises, played message by message: the run has to find it out.

use std::time::Duration;

use suda_protocol::Codec;
use suda_protocol::v1::command::Request;
use suda_protocol::v1::entry::What;
use suda_protocol::v1::reply::Result as Answer;
use suda_protocol::v1::server_message::Kind;
use suda_protocol::v1::{self, Command, Continuity, Cursor, ServerMessage, push::Event};
use uuid::Uuid;

use super::book::Book;
use super::checker::{Checker, Faults};
use super::member::Member;
use super::wire::{self, Incoming};

const ROOM: Uuid = Uuid::from_u128(0xabc);

/// Two connections in one room, and a server that does what the test says.
struct Play {
    members: Vec<Member>,
    checker: Checker,
    book: Book,
    log: Vec<v1::Entry>,
    now: Duration,
}

impl Play {
    /// Both have the room open.
    fn begin() -> Play {
        let members = (0..2)
            .map(|number| Member::new(number, "token".into(), [(0, "load-0000".into())]))
            .collect();
        let mut book = Book::new(7, 64, false);
        book.set_window(Duration::ZERO..Duration::MAX);
        let mut play = Play {
            members,
            checker: Checker::new(2, 1),
            book,
            log: Vec::new(),
            now: Duration::ZERO,
        };
        play.connect(0);
        play.connect(1);
        play
    }

    fn connect(&mut self, member: usize) {
        self.members[member].handle_connected();
        self.serve(member);
        assert!(self.members[member].is_ready());
    }

    fn top(&self) -> Cursor {
        self.log
            .last()
            .map_or_else(Cursor::default, |entry| Cursor {
                seq: entry.seq,
                id: entry.id.clone(),
            })
    }

    fn room(&self) -> v1::Room {
        v1::Room {
            id: ROOM.to_string(),
            top: Some(self.top()),
            ..v1::Room::default()
        }
    }

    /// Answers all commands of a member, honestly.
    fn serve(&mut self, member: usize) -> Vec<Command> {
        let mut served = Vec::new();
        loop {
            let commands = self.members[member].take_commands();
            if commands.is_empty() {
                return served;
            }
            for command in commands {
                let mut missed = Vec::new();
                let answer = match command.request.as_ref().unwrap() {
                    Request::Connect(_) => Answer::Hello(v1::Hello::default()),
                    Request::Join(_) => Answer::Joined(v1::Joined {
                        room: Some(self.room()),
                        duplicate: false,
                    }),
                    Request::Open(open) => {
                        let after = open.cursor.as_ref().map_or(self.top().seq, |at| at.seq);
                        missed.extend((after..self.top().seq).map(|seq| seq as usize));
                        Answer::Opened(v1::Opened {
                            room: Some(self.room()),
                            continuity: Continuity::Continues.into(),
                        })
                    }
                    Request::Post(post) => self.append(post),
                    other => panic!("{other:?} was not expected"),
                };
                self.reply(member, command.id, answer);
                for at in missed {
                    self.deliver(member, at);
                }
                served.push(command);
            }
        }
    }

    fn append(&mut self, post: &v1::Post) -> Answer {
        let seq = self.log.len() as u64 + 1;
        let id = Uuid::new_v4().to_string();
        self.log.push(v1::Entry {
            room: ROOM.to_string(),
            seq,
            id: id.clone(),
            what: Some(What::MessagePosted(v1::MessagePosted {
                text: post.text.clone(),
                reply_to: 0,
            })),
            ..v1::Entry::default()
        });
        Answer::Posted(v1::Posted {
            room: ROOM.to_string(),
            seq,
            id,
            ..v1::Posted::default()
        })
    }

    fn reply(&mut self, member: usize, id: u64, answer: Answer) {
        self.say(
            member,
            Kind::Reply(v1::Reply {
                id,
                result: Some(answer),
            }),
        );
    }

    /// Over the wire, so that both ways of reading are used.
    fn say(&mut self, member: usize, kind: Kind) {
        let message = ServerMessage { kind: Some(kind) };
        let codec = if member == 0 {
            Codec::Proto
        } else {
            Codec::Json
        };
        let bytes = codec.encode_server_message(&message);
        let (checker, book) = (&mut self.checker, &mut self.book);
        match wire::read(codec, &bytes).unwrap() {
            Incoming::Entry(entry) => {
                self.members[member].handle_entry(self.now, &entry, checker, book);
            }
            Incoming::Other(message) => {
                self.members[member].handle_message(self.now, message, checker, book);
            }
        }
    }

    fn deliver(&mut self, member: usize, at: usize) {
        let entry = self.log[at].clone();
        let push = v1::Push {
            event: Some(Event::Entry(entry)),
        };
        self.say(member, Kind::Push(push));
    }

    fn post(&mut self, member: usize) {
        let post = self.book.post(self.now);
        self.members[member].post(post);
    }

    /// Three posts by the first, acknowledged and not yet delivered.
    fn three() -> Play {
        let mut play = Play::begin();
        for _ in 0..3 {
            play.post(0);
        }
        play.serve(0);
        assert_eq!(play.book.posts, 3);
        assert!(!play.checker.is_complete());
        play
    }

    fn deliver_all(mut self, orders: [&[usize]; 2]) -> Faults {
        for (member, order) in orders.into_iter().enumerate() {
            for at in order {
                self.deliver(member, *at);
            }
        }
        self.checker.finish().0
    }
}

#[test]
fn an_honest_server_is_found_honest() {
    assert_eq!(
        Play::three().deliver_all([&[0, 1, 2], &[0, 1, 2]]),
        Faults::default()
    );
}

#[test]
fn a_server_that_loses_is_found() {
    let faults = Play::three().deliver_all([&[0, 1, 2], &[0, 2]]);
    assert_eq!((faults.lost, faults.total()), (1, 1));
    let faults = Play::three().deliver_all([&[0, 1, 2], &[]]);
    assert_eq!((faults.lost, faults.total()), (3, 3));
}

#[test]
fn a_server_that_doubles_is_found() {
    let faults = Play::three().deliver_all([&[0, 1, 2], &[0, 1, 1, 2]]);
    assert_eq!((faults.doubled, faults.total()), (1, 1));
}

#[test]
fn a_server_that_reorders_is_found() {
    let faults = Play::three().deliver_all([&[1, 0, 2], &[0, 1, 2]]);
    assert_eq!((faults.reordered, faults.total()), (1, 1));
}

#[test]
fn a_server_that_writes_a_retry_twice_is_found() {
    let mut play = Play::begin();
    play.post(0);
    // The post reaches the log, its answer is lost with the link, and the retry is not recognised.
    let lost = play.members[0].take_commands();
    let Some(Request::Post(post)) = &lost[0].request else {
        panic!("a post was expected");
    };
    let first = post.client_id.clone();
    play.append(post);
    play.members[0].handle_disconnected();
    play.members[0].handle_connected();
    let served = play.serve(0);
    let again = served.iter().find_map(|command| match &command.request {
        Some(Request::Post(post)) => Some(post.client_id.clone()),
        _ => None,
    });
    assert_eq!(again, Some(first));
    play.deliver(0, 1);
    let faults = play.deliver_all([&[], &[0, 1]]);
    assert!(faults.repeated > 0, "{faults:?}");
}

#[test]
fn what_was_missed_while_away_is_owed() {
    let mut honest = Play::begin();
    honest.members[1].handle_disconnected();
    honest.post(0);
    honest.serve(0);
    honest.deliver(0, 0);
    assert!(!honest.checker.is_complete());
    honest.connect(1);
    assert!(honest.checker.is_complete());
    assert_eq!(honest.checker.finish().0, Faults::default());
}

#[test]
fn a_lag_is_mended_by_opening_again() {
    let mut play = Play::three();
    play.deliver(0, 0);
    play.deliver(0, 1);
    play.deliver(0, 2);
    let lag = v1::Lag {
        room: ROOM.to_string(),
        top: Some(play.top()),
    };
    let push = v1::Push {
        event: Some(Event::Lag(lag)),
    };
    play.say(1, Kind::Push(push));
    assert!(!play.members[1].is_ready());
    play.serve(1);
    assert!(play.members[1].is_ready() && play.checker.is_complete());
    assert_eq!(play.book.lags, 1);
}

#[test]
fn a_post_that_is_put_off_is_sent_again_under_its_client_id() {
    let mut play = Play::begin();
    play.post(0);
    let command = play.members[0].take_commands().remove(0);
    let busy = v1::Error::of(v1::ErrorCode::Busy).with_retry_after_ms(40);
    play.reply(0, command.id, Answer::Error(busy));
    let at = play.members[0].next_at().unwrap();
    assert_eq!(at, Duration::from_millis(40));
    play.members[0].handle_time(at - Duration::from_millis(1));
    assert!(!play.members[0].has_commands());
    play.members[0].handle_time(at);
    let again = play.members[0].take_commands().remove(0);
    assert_eq!(again.request, command.request);
    assert_eq!((play.book.put_off, play.members[0].unanswered()), (1, 1));
}

#[test]
fn another_past_is_a_fault_and_the_stream_begins_anew() {
    let mut play = Play::begin();
    play.members[1].handle_disconnected();
    play.members[1].handle_connected();
    let hello = play.members[1].take_commands().remove(0);
    play.reply(1, hello.id, Answer::Hello(v1::Hello::default()));
    let open = play.members[1].take_commands().remove(0);
    let opened = v1::Opened {
        room: Some(play.room()),
        continuity: Continuity::OtherPast.into(),
    };
    play.reply(1, open.id, Answer::Opened(opened));
    let Some(Request::Open(again)) = play.members[1].take_commands().remove(0).request else {
        panic!("it was to be opened again");
    };
    assert_eq!(again.cursor, None);
    assert_eq!(play.checker.finish().0.changed, 1);
}
