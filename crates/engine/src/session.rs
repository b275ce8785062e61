//! One signed-in device on one connection: commands in, permitted actions out.
//!
//! What lives here: who is speaking, how fast, how many commands wait for an answer, and the reading of commands into the engine's types.
//! What doesn't: anything that needs to know the rooms. That is the journal's, the roster's and the store's.

mod action;
mod bucket;

use std::sync::Arc;

use suda_protocol::v1::command::Request;
use suda_protocol::v1::{self, reply::Result as Answer};
use suda_protocol::{CloseCode, ErrorCode, limits, names};

pub use action::{Action, Query};
use bucket::Bucket;

use crate::refusal::reply;
use crate::{
    ClientId, Cursor, DeviceId, Draft, Intent, Limits, Refusal, RoomRef, SessionId, Timestamp,
    UserId,
};

/// Who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub id: UserId,
    /// Its name.
    pub name: String,
    /// Whether it runs the server.
    pub administrator: bool,
}

#[derive(Debug)]
enum Phase {
    Fresh,
    Authenticating { command_id: u64 },
    Active(Identity),
}

/// A session. Lives as long as its connection.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    /// Shared with the other sessions: there are many, and it never changes.
    limits: Arc<Limits>,
    phase: Phase,
    commands: Bucket,
    queries: Bucket,
    in_flight: Vec<u64>,
    malformed: u32,
}

impl Session {
    /// The session of a connection that has said nothing yet.
    pub fn new(id: SessionId, limits: impl Into<Arc<Limits>>) -> Self {
        let limits = limits.into();
        let commands = Bucket::new(limits.command_rate_per_s, limits.command_burst_max);
        let queries = Bucket::new(limits.query_rate_per_s, limits.query_burst_max);
        Self {
            id,
            limits,
            phase: Phase::Fresh,
            commands,
            queries,
            in_flight: Vec::new(),
            malformed: 0,
        }
    }

    /// Its id, for logs.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Who it is, once signed in.
    pub fn identity(&self) -> Option<&Identity> {
        match &self.phase {
            Phase::Active(identity) => Some(identity),
            _ => None,
        }
    }

    /// How many commands wait for their answer.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether the shell may read on. While it may not, it leaves the connection's bytes where they are: the
    /// client is held back by its own unread answers, and nothing is lost.
    pub fn may_read(&self) -> bool {
        self.in_flight.len() < self.limits.told.commands_in_flight_max as usize
    }

    /// A command was answered by somebody else than this session (journal, roster, store).
    pub fn answered(&mut self, command_id: u64) {
        if let Some(at) = self.in_flight.iter().position(|id| *id == command_id) {
            self.in_flight.swap_remove(at);
        }
    }

    /// Decides what is to be done about a command. Every action but a reply counts as in flight until [`Self::answered`],
    /// [`Self::authenticated`] or [`Self::refused`].
    pub fn handle(&mut self, now: Timestamp, command: v1::Command) -> Action {
        let command_id = command.id;
        let action = self
            .decide(now, command)
            .unwrap_or_else(|refusal| Action::Reply(refusal.reply(command_id)));
        if !matches!(action, Action::Reply(_)) {
            self.in_flight.push(command_id);
        }
        action
    }

    /// The token is good: the connection is a session now. Gives the reply to its `Connect`.
    pub fn authenticated(&mut self, now: Timestamp, identity: Identity) -> v1::Reply {
        let hello = v1::Hello {
            session: self.id.to_string(),
            user: Some(v1::User {
                id: identity.id.to_string(),
                name: identity.name.clone(),
                administrator: identity.administrator,
            }),
            limits: Some(self.limits.told),
            heartbeat_ms: self.limits.heartbeat_ms,
            now_ms: now,
        };
        let command_id = self.connect_answered();
        self.phase = Phase::Active(identity);
        reply(command_id, Answer::Hello(hello))
    }

    /// The token is not good, or nobody could tell just now. Gives the reply to its `Connect`; another attempt may follow.
    pub fn refused(&mut self, refusal: Refusal) -> v1::Reply {
        refusal.reply(self.connect_answered())
    }

    /// A frame came that could not be read as a command. Gives the reply and, once there were too many of them, the code with which
    /// to close the connection. `command_id` is 0 where not even that could be read.
    pub fn malformed(&mut self, command_id: u64) -> (v1::Reply, Option<CloseCode>) {
        self.malformed = self.malformed.saturating_add(1);
        let close =
            (self.malformed >= self.limits.malformed_commands_max).then_some(CloseCode::Malformed);
        (Refusal::new(ErrorCode::Malformed).reply(command_id), close)
    }

    fn connect_answered(&mut self) -> u64 {
        let command_id = match self.phase {
            Phase::Authenticating { command_id } => command_id,
            Phase::Fresh | Phase::Active(_) => 0,
        };
        if !matches!(self.phase, Phase::Active(_)) {
            self.phase = Phase::Fresh;
        }
        self.answered(command_id);
        command_id
    }

    fn decide(&mut self, now: Timestamp, command: v1::Command) -> Result<Action, Refusal> {
        let command_id = command.id;
        if command_id == 0 {
            // 0 is the id of replies to what could not be read, so that such a command's reply could not be told from those.
            return Err(ErrorCode::Malformed.into());
        }
        let request = command.request.ok_or(ErrorCode::UnknownCommand)?;
        if let Request::Connect(connect) = request {
            return self.connect(command_id, connect);
        }
        let Phase::Active(identity) = &self.phase else {
            return Err(ErrorCode::NotConnected.into());
        };
        let draft = |client_id: &str,
                     intent: Intent,
                     objection: Option<Refusal>|
         -> Result<Draft, Refusal> {
            Ok(Draft {
                command_id,
                author: identity.id,
                author_name: identity.name.clone(),
                client_id: parse::<ClientId>(client_id)?,
                intent,
                objection,
            })
        };
        let draft = match request {
            Request::CreateRoom(create) => match names::room_name(&create.name) {
                Ok(name) => draft(&create.client_id, Intent::CreateRoom { name }, None)?,
                Err(_) => return Err(ErrorCode::InvalidName.into()),
            },
            Request::Join(join) => draft(
                &join.client_id,
                Intent::Join {
                    room: room(&join.room)?,
                },
                None,
            )?,
            Request::Leave(leave) => draft(
                &leave.client_id,
                Intent::Leave {
                    room: room(&leave.room)?,
                },
                None,
            )?,
            Request::Post(post) => {
                let objection = self.text_objection(&post.text);
                let intent = Intent::Post {
                    room: room(&post.room)?,
                    text: post.text,
                    reply_to: post.reply_to,
                };
                draft(&post.client_id, intent, objection)?
            }
            other => {
                self.queries.take(now)?;
                return self.query(command_id, other);
            }
        };
        Ok(Action::Submit(Draft {
            objection: self.commands.take(now).err().or(draft.objection),
            ..draft
        }))
    }

    fn connect(&mut self, command_id: u64, connect: v1::Connect) -> Result<Action, Refusal> {
        if !matches!(self.phase, Phase::Fresh) {
            return Err(ErrorCode::AlreadyConnected.into());
        }
        let device = match connect.device.as_str() {
            "" => None,
            device => Some(parse::<DeviceId>(device)?),
        };
        let mut client = connect.client;
        client.truncate(client.floor_char_boundary(limits::CLIENT_NAME_BYTES_MAX));
        self.phase = Phase::Authenticating { command_id };
        Ok(Action::Authenticate {
            command_id,
            token: connect.token,
            device,
            client,
        })
    }

    fn text_objection(&self, text: &str) -> Option<Refusal> {
        let bytes_max = self.limits.told.text_bytes_max;
        if text.trim().is_empty() {
            Some(ErrorCode::EmptyText.into())
        } else if text.len() > bytes_max as usize {
            Some(Refusal::new(ErrorCode::TextTooLong).with_limit(bytes_max))
        } else {
            None
        }
    }

    fn query(&self, command_id: u64, request: Request) -> Result<Action, Refusal> {
        let told = &self.limits.told;
        let query = match request {
            Request::Open(open) => {
                let cursor = open.cursor.as_ref().map(cursor).transpose()?;
                return Ok(Action::Open {
                    command_id,
                    room: room(&open.room)?,
                    cursor,
                });
            }
            Request::Close(close) => {
                return Ok(Action::Close {
                    command_id,
                    room: room(&close.room)?,
                });
            }
            Request::Ping(_) => {
                return Ok(Action::Reply(reply(command_id, Answer::Pong(v1::Pong {}))));
            }
            Request::Log(log) => Query::Log {
                room: room(&log.room)?,
                after: log.after.as_ref().map_or(Ok(Cursor::BEGINNING), cursor)?,
                count: clamp(log.count_max, told.log_page_max),
            },
            Request::Messages(messages) => Query::Messages {
                room: room(&messages.room)?,
                before_seq: (messages.before_seq != 0).then_some(messages.before_seq),
                count: clamp(messages.count_max, told.message_page_max),
            },
            Request::ListRooms(list) => Query::ListRooms {
                mine: list.mine,
                after_name: list.after_name,
                count: told.room_list_max as usize,
            },
            Request::Connect(_)
            | Request::CreateRoom(_)
            | Request::Join(_)
            | Request::Leave(_)
            | Request::Post(_) => {
                return Err(ErrorCode::UnknownCommand.into());
            }
        };
        Ok(Action::Query { command_id, query })
    }
}

/// 0 and anything above the limit mean the limit.
fn clamp(asked: u32, max: u32) -> usize {
    (if asked == 0 { max } else { asked.min(max) }) as usize
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| ErrorCode::InvalidId.into())
}

fn room(text: &str) -> Result<RoomRef, Refusal> {
    RoomRef::parse(text).ok_or(ErrorCode::UnknownRoom.into())
}

fn cursor(wire: &v1::Cursor) -> Result<Cursor, Refusal> {
    Cursor::from_wire(wire).map_err(|_| ErrorCode::InvalidId.into())
}
