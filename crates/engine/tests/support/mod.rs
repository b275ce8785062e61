//! What the engine's tests share: people, drafts, and a journal with a store beneath it.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part"
)]

pub mod worker;

use std::sync::Arc;

use suda_engine::journal::{Answer, Committed};
use suda_engine::memory::MemoryStore;
use suda_engine::{
    ClientId, Draft, Entry, Intent, Journal, Plan, Refusal, RoomId, RoomRef, UserId,
};
use suda_protocol::v1::reply::Result as Reply;
use suda_protocol::{ErrorCode, v1};
use uuid::Uuid;

pub fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(0xA000 + n))
}

pub fn client_id(n: u128) -> ClientId {
    ClientId(Uuid::from_u128(0xC000 + n))
}

pub fn lobby() -> RoomRef {
    RoomRef::named("lobby")
}

/// A draft; its ticket is its client id's number.
pub fn draft(author: u128, id: u128, intent: Intent) -> (u128, Draft) {
    let draft = Draft {
        command_id: id as u64,
        author: user(author),
        author_name: format!("user{author}"),
        client_id: client_id(id),
        intent,
        objection: None,
    };
    (id, draft)
}

pub fn create(author: u128, id: u128, name: &str) -> (u128, Draft) {
    draft(author, id, Intent::CreateRoom { name: name.into() })
}

pub fn join(author: u128, id: u128) -> (u128, Draft) {
    draft(author, id, Intent::Join { room: lobby() })
}

pub fn leave(author: u128, id: u128) -> (u128, Draft) {
    draft(author, id, Intent::Leave { room: lobby() })
}

pub fn post(author: u128, id: u128, text: &str) -> (u128, Draft) {
    draft(
        author,
        id,
        Intent::Post {
            room: lobby(),
            text: text.into(),
            reply_to: 0,
        },
    )
}

pub fn reply_to(author: u128, id: u128, reply_to: u64) -> (u128, Draft) {
    draft(
        author,
        id,
        Intent::Post {
            room: lobby(),
            text: "그래요".into(),
            reply_to,
        },
    )
}

/// The same with something against it.
pub fn objected((ticket, draft): (u128, Draft), code: ErrorCode) -> (u128, Draft) {
    (
        ticket,
        Draft {
            objection: Some(Refusal::new(code)),
            ..draft
        },
    )
}

/// A journal over a store in memory.
pub struct Node {
    pub journal: Journal<u128>,
    pub store: MemoryStore,
    pub now: i64,
    next_id: u128,
}

impl Node {
    /// A node without rooms.
    pub fn empty() -> Self {
        Self {
            journal: Journal::new(),
            store: MemoryStore::default(),
            now: 1_000,
            next_id: 1,
        }
    }

    /// A node with a lobby, made by user 1 (seq 1).
    pub fn with_lobby() -> Self {
        let mut node = Self::empty();
        let answers = node.commit(vec![create(1, 1_000_001, "lobby")]).answers;
        assert!(matches!(
            answers[0].reply.result,
            Some(Reply::RoomCreation(_))
        ));
        node
    }

    pub fn plan(&mut self, batch: Vec<(u128, Draft)>) -> Plan<u128> {
        self.now += 1;
        let facts = self.store.facts(&self.journal.lookup(&batch));
        let next_id = &mut self.next_id;
        self.journal.plan(self.now, batch, facts, &mut || {
            *next_id += 1;
            Uuid::from_u128(*next_id)
        })
    }

    pub fn commit(&mut self, batch: Vec<(u128, Draft)>) -> Committed<u128> {
        let plan = self.plan(batch);
        self.store.write(&plan);
        self.journal.committed(plan)
    }

    /// Commits one draft and gives its answer.
    pub fn answer(&mut self, draft: (u128, Draft)) -> Reply {
        let mut committed = self.commit(vec![draft]);
        committed
            .answers
            .remove(0)
            .reply
            .result
            .expect("a reply has a result")
    }

    pub fn lobby_id(&self) -> RoomId {
        self.store.rooms().next().expect("there is a room")
    }

    pub fn log(&self) -> &[Arc<Entry>] {
        self.store.log(self.lobby_id())
    }
}

/// What an answer says about a post.
pub fn posted(result: &Reply) -> &v1::Posted {
    match result {
        Reply::Posted(posted) => posted,
        other => panic!("not posted: {other:?}"),
    }
}

/// The code of a refusal.
pub fn refused(result: &Reply) -> ErrorCode {
    match result {
        Reply::Error(error) => error.code(),
        other => panic!("not refused: {other:?}"),
    }
}

pub fn result(answer: &Answer<u128>) -> &Reply {
    answer.reply.result.as_ref().expect("a reply has a result")
}
