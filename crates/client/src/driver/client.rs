//! The handle that people hold: cheap to clone, each method one command.

use std::time::Duration;

use suda_protocol::ErrorCode;
use suda_protocol::v1::{self, Cursor};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::orders::{Mutation, Order, Question};
use super::socket::WebSocketDial;
use super::{ClientConfig, EVENTS_MAX, Events, ORDERS_MAX, task};
use crate::{Answer, CommandError, Config, Machine, Outcome, Pending};

/// A client of one server. It stays connected, and comes back by itself, until it is closed, signed out, or dropped
/// with all its clones and its [`Events`].
///
/// Methods that change something return once the change is on the server's disk, however many connections that took.
/// Dropping such a future does not take the command back: its answer then comes as an event.
#[derive(Debug, Clone)]
pub struct Client {
    orders: mpsc::Sender<Order>,
}

/// A message to post, with what is seldom said.
#[derive(Debug, Clone)]
pub struct Post {
    room: String,
    text: String,
    reply_to: u64,
    client_id: Uuid,
}

impl Post {
    /// A text for a room, given by id or name.
    pub fn new(room: impl Into<String>, text: impl Into<String>) -> Post {
        Post {
            room: room.into(),
            text: text.into(),
            reply_to: 0,
            client_id: new_client_id(),
        }
    }

    /// As an answer to the message with that seq.
    #[must_use]
    pub fn reply_to(mut self, seq: u64) -> Post {
        self.reply_to = seq;
        self
    }

    /// With a client id of one's own: the same id and text again are the same message.
    #[must_use]
    pub fn client_id(mut self, client_id: Uuid) -> Post {
        self.client_id = client_id;
        self
    }
}

impl Client {
    /// Starts a client; it connects in the background. Fails only where the restored commands exceed the outbox.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn connect(config: ClientConfig) -> Result<(Client, Events), CommandError> {
        let mut seed = [0; 8];
        // Without randomness from the system the device's id still sets clients apart, which is all that jitter is for.
        let seed = match getrandom::fill(&mut seed) {
            Ok(()) => u64::from_le_bytes(seed),
            Err(_) => config.device.as_u64_pair().1,
        };
        let mut machine = Machine::new(Config {
            token: config.token,
            device: config.device.to_string(),
            client: config.client,
            seed,
        });
        machine.restore(config.pending)?;
        let dial = WebSocketDial::new(&config.server, config.codec);
        let (orders, orders_receiver) = mpsc::channel(ORDERS_MAX);
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        tokio::spawn(task::run(
            machine,
            dial,
            config.codec,
            orders_receiver,
            events,
        ));
        Ok((Client { orders }, Events { receiver }))
    }

    /// Posts a text to a room, given by id or name as everywhere.
    pub async fn post(&self, room: &str, text: &str) -> Result<v1::Posted, v1::Error> {
        self.send(Post::new(room, text)).await
    }

    /// Posts a message.
    pub async fn send(&self, post: Post) -> Result<v1::Posted, v1::Error> {
        let Post {
            room,
            text,
            reply_to,
            client_id,
        } = post;
        match self
            .mutate(
                client_id,
                Mutation::Post {
                    room,
                    text,
                    reply_to,
                },
            )
            .await?
        {
            Outcome::Posted(posted) => Ok(posted),
            _ => Err(unexpected()),
        }
    }

    /// Makes a public room and becomes its first member.
    pub async fn create_room(&self, name: &str) -> Result<v1::Room, v1::Error> {
        match self
            .mutate(
                new_client_id(),
                Mutation::CreateRoom {
                    name: name.to_owned(),
                },
            )
            .await?
        {
            Outcome::RoomCreated(created) => created.room.ok_or_else(unexpected),
            _ => Err(unexpected()),
        }
    }

    /// Becomes a member of a room.
    pub async fn join(&self, room: &str) -> Result<v1::Room, v1::Error> {
        match self
            .mutate(
                new_client_id(),
                Mutation::Join {
                    room: room.to_owned(),
                },
            )
            .await?
        {
            Outcome::Joined(joined) => joined.room.ok_or_else(unexpected),
            _ => Err(unexpected()),
        }
    }

    /// Ends the membership in a room.
    pub async fn leave(&self, room: &str) -> Result<(), v1::Error> {
        match self
            .mutate(
                new_client_id(),
                Mutation::Leave {
                    room: room.to_owned(),
                },
            )
            .await?
        {
            Outcome::Left(_) => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Opens a room's stream and keeps it open over every reconnect: its entries come as events, from after the cursor,
    /// or from the newest on where there is none; seq 0 is the beginning. Returns the room once its stream is open,
    /// which takes a connection; a reader far behind gets entries before that.
    ///
    /// Dropping the future doesn't close the room.
    pub async fn open(&self, room: &str, cursor: Option<Cursor>) -> Result<v1::Room, v1::Error> {
        let (opened, answer) = oneshot::channel();
        self.order(Order::Open {
            room: room.to_owned(),
            cursor,
            opened,
        })
        .await?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Ends a room's stream.
    pub async fn close_room(&self, room: &str) -> Result<(), v1::Error> {
        self.order(Order::CloseRoom {
            room: room.to_owned(),
        })
        .await
    }

    /// A page of rooms in the order of their names, after the given name; with `mine` only those with the user as a
    /// member.
    pub async fn list_rooms(
        &self,
        mine: bool,
        after_name: &str,
    ) -> Result<v1::RoomList, v1::Error> {
        match self
            .ask(Question::ListRooms {
                mine,
                after_name: after_name.to_owned(),
            })
            .await?
        {
            Answer::Rooms(page) => Ok(page),
            _ => Err(unexpected()),
        }
    }

    /// Messages as they now are, newest first, before the given seq; 0 starts from the newest. `count_max` 0 is as many
    /// as the server gives.
    pub async fn messages(
        &self,
        room: &str,
        before_seq: u64,
        count_max: u32,
    ) -> Result<v1::MessagePage, v1::Error> {
        match self
            .ask(Question::Messages {
                room: room.to_owned(),
                before_seq,
                count_max,
            })
            .await?
        {
            Answer::Messages(page) => Ok(page),
            _ => Err(unexpected()),
        }
    }

    /// A page of a room's entries after a cursor.
    pub async fn log(
        &self,
        room: &str,
        after: Cursor,
        count_max: u32,
    ) -> Result<v1::LogPage, v1::Error> {
        match self
            .ask(Question::Log {
                room: room.to_owned(),
                after,
                count_max,
            })
            .await?
        {
            Answer::Log(page) => Ok(page),
            _ => Err(unexpected()),
        }
    }

    /// Tries to connect at once where the client waits before its next attempt.
    pub async fn connect_now(&self) -> Result<(), v1::Error> {
        self.order(Order::ConnectNow).await
    }

    /// The commands without an answer, oldest first.
    pub async fn pending(&self) -> Vec<Pending> {
        let (answer, pending) = oneshot::channel();
        if self.order(Order::Pending { answer }).await.is_err() {
            return Vec::new();
        }
        pending.await.unwrap_or_default()
    }

    /// Closes the client for all its handles. Commands without an answer are given that long to get one; those that
    /// don't are returned, to be kept for [`ClientConfig::pending`]. Events that were not taken are dropped.
    pub async fn close(&self, within: Duration) -> Vec<Pending> {
        let (answer, unfinished) = oneshot::channel();
        if self.order(Order::Close { within, answer }).await.is_err() {
            return Vec::new();
        }
        unfinished.await.unwrap_or_default()
    }

    async fn mutate(&self, client_id: Uuid, mutation: Mutation) -> Result<Outcome, v1::Error> {
        let (answer, outcome) = oneshot::channel();
        self.order(Order::Mutate {
            client_id,
            mutation,
            answer,
        })
        .await?;
        outcome.await.unwrap_or_else(|_| Err(closed()))
    }

    async fn ask(&self, question: Question) -> Result<Answer, v1::Error> {
        let (answer, result) = oneshot::channel();
        self.order(Order::Ask { question, answer }).await?;
        result.await.unwrap_or_else(|_| Err(closed()))
    }

    async fn order(&self, order: Order) -> Result<(), v1::Error> {
        self.orders.send(order).await.map_err(|_| closed())
    }
}

fn closed() -> v1::Error {
    v1::Error::of(ErrorCode::Unavailable).with_message("The client is closed.")
}

fn unexpected() -> v1::Error {
    v1::Error::of(ErrorCode::Unspecified)
        .with_message("The server gave an answer to another question.")
}

/// A client id for a command. It grows with time, so that a server's index of them grows at one place for each author instead of all over.
fn new_client_id() -> Uuid {
    Uuid::now_v7()
}
