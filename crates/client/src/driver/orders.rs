//! What the handles ask of the task.

use std::time::Duration;

use suda_protocol::v1::{self, Cursor};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{Answer, Outcome, Pending};

pub(crate) type OutcomeSender = oneshot::Sender<Result<Outcome, v1::Error>>;
pub(crate) type OpenedSender = oneshot::Sender<Result<v1::Room, v1::Error>>;
pub(crate) type AnswerSender = oneshot::Sender<Result<Answer, v1::Error>>;

#[derive(Debug)]
pub(crate) enum Order {
    Mutate {
        client_id: Uuid,
        mutation: Mutation,
        answer: OutcomeSender,
    },
    Ask {
        question: Question,
        answer: AnswerSender,
    },
    Open {
        room: String,
        cursor: Option<Cursor>,
        opened: OpenedSender,
    },
    CloseRoom {
        room: String,
    },
    ConnectNow,
    Pending {
        answer: oneshot::Sender<Vec<Pending>>,
    },
    Close {
        within: Duration,
        answer: oneshot::Sender<Vec<Pending>>,
    },
}

#[derive(Debug)]
pub(crate) enum Mutation {
    CreateRoom {
        name: String,
    },
    Join {
        room: String,
    },
    Leave {
        room: String,
    },
    Post {
        room: String,
        text: String,
        reply_to: u64,
    },
}

#[derive(Debug)]
pub(crate) enum Question {
    ListRooms {
        mine: bool,
        after_name: String,
    },
    Messages {
        room: String,
        before_seq: u64,
        count_max: u32,
    },
    Log {
        room: String,
        after: Cursor,
        count_max: u32,
    },
}
