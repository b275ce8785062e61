//! The harness: a machine, a clock, and words for what a server says.

use suda_client::{Config, ConnectionOrder, Event, Machine};
use suda_protocol::v1::command::Request;
use suda_protocol::v1::push::Event as Pushed;
use suda_protocol::v1::reply::Result as Answered;
use suda_protocol::v1::server_message::Kind;
use suda_protocol::v1::{self, Command, Continuity, Cursor, Entry};
use suda_protocol::{ErrorCode, limits};
use uuid::Uuid;

pub(crate) const ROOM: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
pub(crate) const HEARTBEAT_MS: i64 = limits::HEARTBEAT_MS as i64;

pub(crate) struct Script {
    pub(crate) machine: Machine,
    pub(crate) now: i64,
}

impl Script {
    pub(crate) fn new() -> Script {
        Script::with_seed(1)
    }

    pub(crate) fn with_seed(seed: u64) -> Script {
        let config = Config {
            token: "token".into(),
            device: "device".into(),
            client: "test/1".into(),
            seed,
        };
        Script {
            machine: Machine::new(config),
            now: 1_000_000,
        }
    }

    /// A machine whose session has begun.
    pub(crate) fn online() -> Script {
        let mut script = Script::new();
        script.go_online();
        script
    }

    /// Makes the connection that the machine wants, and greets it.
    pub(crate) fn go_online(&mut self) {
        assert_eq!(
            self.machine.poll_connection(),
            Some(ConnectionOrder::Connect)
        );
        self.machine.handle_connected(self.now);
        let (id, request) = self.command();
        assert!(
            matches!(request, Request::Connect(v1::Connect { ref token, .. }) if token == "token"),
            "{request:?}"
        );
        self.no_command();
        let hello = v1::Hello {
            limits: Some(v1::Limits::standard()),
            heartbeat_ms: limits::HEARTBEAT_MS,
            user: Some(v1::User {
                name: "하늘".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.reply(id, Answered::Hello(hello));
        assert!(matches!(self.event(), Event::Online { user } if user.name == "하늘"));
    }

    /// Waits for the next attempt and lets it succeed.
    pub(crate) fn come_back(&mut self) {
        let Event::Offline { retry_at, .. } = self.event() else {
            panic!("not offline")
        };
        self.at(retry_at);
        self.go_online();
    }

    pub(crate) fn lose_connection(&mut self) {
        self.machine.handle_disconnected(self.now, None);
    }

    /// Moves the clock and wakes the machine.
    pub(crate) fn at(&mut self, now: i64) {
        assert!(now >= self.now, "time goes forward");
        self.now = now;
        self.machine.handle_timeout(now);
    }

    pub(crate) fn after_ms(&mut self, ms: i64) {
        self.at(self.now + ms);
    }

    pub(crate) fn wake(&mut self) {
        let at = self.machine.poll_timeout().unwrap();
        self.at(at.max(self.now));
    }

    pub(crate) fn command(&mut self) -> (u64, Request) {
        let Command { id, request } = self
            .machine
            .poll_transmit()
            .expect("a command is to be sent");
        (id, request.unwrap())
    }

    pub(crate) fn no_command(&mut self) {
        assert_eq!(self.machine.poll_transmit(), None);
    }

    pub(crate) fn event(&mut self) -> Event {
        self.machine.poll_event().expect("there is an event")
    }

    pub(crate) fn no_event(&mut self) {
        assert_eq!(self.machine.poll_event(), None);
    }

    pub(crate) fn reply(&mut self, id: u64, result: Answered) {
        let reply = v1::Reply {
            id,
            result: Some(result),
        };
        self.machine.handle_message(
            self.now,
            v1::ServerMessage {
                kind: Some(Kind::Reply(reply)),
            },
        );
    }

    pub(crate) fn refuse(&mut self, id: u64, code: ErrorCode) {
        self.reply(id, Answered::Error(v1::Error::of(code)));
    }

    pub(crate) fn push(&mut self, event: Pushed) {
        let push = v1::Push { event: Some(event) };
        self.machine.handle_message(
            self.now,
            v1::ServerMessage {
                kind: Some(Kind::Push(push)),
            },
        );
    }

    pub(crate) fn entries(&mut self, seqs: impl IntoIterator<Item = u64>) {
        for seq in seqs {
            self.push(Pushed::Entry(entry(seq)));
        }
    }

    pub(crate) fn heartbeat(&mut self, top: u64) {
        let tops = vec![v1::RoomTop {
            room: ROOM.into(),
            top: Some(cursor(top)),
        }];
        self.push(Pushed::Heartbeat(v1::Heartbeat { now_ms: 0, tops }));
    }

    /// Asserts that the machine opens the room, from that cursor.
    pub(crate) fn opens(&mut self, from: Option<u64>) -> u64 {
        let (id, request) = self.command();
        let Request::Open(open) = request else {
            panic!("{request:?}")
        };
        assert_eq!(open.cursor, from.map(cursor));
        id
    }

    /// Answers an `Open`.
    pub(crate) fn opened(&mut self, id: u64, top: u64, continuity: Continuity) {
        self.reply(
            id,
            Answered::Opened(v1::Opened {
                room: Some(room(top)),
                continuity: continuity.into(),
            }),
        );
    }

    /// A session in which the room is open and everything up to `seq` was there before.
    pub(crate) fn reading(seq: u64) -> Script {
        let mut script = Script::online();
        script.machine.open(script.now, "lobby", None).unwrap();
        let id = script.opens(None);
        script.opened(id, seq, Continuity::Continues);
        assert!(matches!(script.event(), Event::Opened { after, .. } if after == cursor(seq)));
        script
    }

    /// The seqs of the entries that came out, and nothing else did.
    pub(crate) fn delivered(&mut self) -> Vec<u64> {
        let mut seqs = Vec::new();
        while let Some(event) = self.machine.poll_event() {
            let Event::Entry(entry) = event else {
                panic!("{event:?}")
            };
            seqs.push(entry.seq);
        }
        seqs
    }
}

/// An entry's id, as the one past of this server has it.
pub(crate) fn id_of(seq: u64) -> String {
    Uuid::from_u128(u128::from(seq)).to_string()
}

pub(crate) fn cursor(seq: u64) -> Cursor {
    if seq == 0 {
        Cursor::default()
    } else {
        Cursor {
            seq,
            id: id_of(seq),
        }
    }
}

pub(crate) fn entry(seq: u64) -> Entry {
    Entry {
        room: ROOM.into(),
        seq,
        id: id_of(seq),
        ..Default::default()
    }
}

pub(crate) fn room(top: u64) -> v1::Room {
    v1::Room {
        id: ROOM.into(),
        name: "lobby".into(),
        top: Some(cursor(top)),
        member_count: 1,
        member: true,
    }
}

pub(crate) fn posted(seq: u64) -> Answered {
    Answered::Posted(v1::Posted {
        room: ROOM.into(),
        seq,
        id: id_of(seq),
        at_ms: 0,
        duplicate: false,
    })
}

pub(crate) fn client_id(n: u128) -> Uuid {
    Uuid::from_u128(0xC000 + n)
}
