//! What a session wants done about a command, carried out.

use super::connection::Key;
use super::fill::{map_entries, refusal};
use super::state::{State, Worker};
use crate::accounts::unread;
use crate::clock::now_ms;
use crate::journal::Ticket;
use crate::store::accounts::SignedIn;
use crate::store::reading;
use std::rc::Rc;
use std::sync::Arc;
use suda_engine::reading::{log_page, message_page, room_list};
use suda_engine::{Action, Identity, Query, Refusal, UserId};
use suda_protocol::CloseCode;
use suda_protocol::v1::{self, ErrorCode, reply, server_message};

impl Worker {
    pub(super) fn act(self: &Rc<Self>, state: &mut State, key: Key, action: Action) {
        match action {
            Action::Reply(reply) => state.connections.reply_at_once(key, reply),
            Action::Authenticate { token, client, .. } => {
                self.authenticate(state, key, token, client);
            }
            Action::Submit(draft) => state.drafts.push((key, draft)),
            Action::Open {
                command_id,
                room,
                cursor,
            } => {
                if let Some(user) = user_of(state, key) {
                    let State {
                        roster,
                        connections,
                        ..
                    } = state;
                    roster.open(key, command_id, user, room, cursor, connections);
                }
            }
            Action::Close { command_id, room } => {
                let State {
                    roster,
                    connections,
                    ..
                } = state;
                roster.close(key, command_id, room, connections);
            }
            Action::Query { command_id, query } => {
                if let Some(user) = user_of(state, key) {
                    self.query(key, command_id, user, query);
                }
            }
        }
    }

    fn authenticate(self: &Rc<Self>, state: &mut State, key: Key, token: String, client: String) {
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        let token = if token.is_empty() {
            connection.upgrade_token.clone()
        } else {
            token
        };
        state.authenticating += 1;
        let worker = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let who = worker.tools.accounts.who(&token).await;
            worker.with(|state| authenticated(state, key, who, &client));
        });
    }

    /// Hands on what has come from all sockets by now. Together, so that the journal does not commit the first of many alone and keep
    /// the rest waiting for it.
    pub(super) fn submit_drafts(&self, state: &mut State) {
        for (key, draft) in state.drafts.drain(..) {
            let command_id = draft.command_id;
            let ticket = Ticket::Connection {
                worker: self.number,
                connection: key,
            };
            match self.tools.journal.submit(ticket, draft) {
                Ok(()) => state.at_journal += 1,
                Err(code) => {
                    let reply = Refusal::new(code).reply(command_id);
                    state.connections.reply(key, reply);
                }
            }
        }
    }

    fn query(self: &Rc<Self>, key: Key, command_id: u64, user: UserId, query: Query) {
        let worker = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let result = match worker.read_query(user, query).await {
                Ok(result) => result,
                Err(refusal) => reply::Result::Error(refusal.error()),
            };
            let reply = v1::Reply {
                id: command_id,
                result: Some(result),
            };
            worker.with(|state| state.connections.reply(key, reply));
        });
    }

    async fn read_query(&self, user: UserId, query: Query) -> Result<reply::Result, Refusal> {
        let readers = &self.tools.readers;
        let unread = |error| refusal(&unread(error));
        match query {
            Query::Log { room, after, count } => {
                let facts = readers
                    .read(move |connection| {
                        reading::log(connection, &room, user, Some(after), count)
                    })
                    .await
                    .map_err(unread)?;
                log_page(after, map_entries(facts, Arc::new))
            }
            Query::Messages {
                room,
                before_seq,
                count,
            } => {
                let facts = readers
                    .read(move |connection| {
                        reading::messages(connection, &room, user, before_seq, count)
                    })
                    .await
                    .map_err(unread)?;
                message_page(facts)
            }
            Query::ListRooms {
                mine,
                after_name,
                count,
            } => {
                let page = readers
                    .read(move |connection| {
                        reading::rooms(connection, user, mine, &after_name, count)
                    })
                    .await
                    .map_err(unread)?;
                Ok(room_list(&page.rooms, page.more))
            }
        }
    }
}

fn user_of(state: &mut State, key: Key) -> Option<UserId> {
    let connection = state.connections.get_mut(key)?;
    connection.session.identity().map(|identity| identity.id)
}

/// The token was looked up.
fn authenticated(state: &mut State, key: Key, who: Result<SignedIn, v1::Error>, client: &str) {
    let who = match who {
        // The sign-out was committed after the token was read; its order has already been carried out.
        Ok(who) if state.signed_out.contains(&who.device) => Err(ErrorCode::Unauthenticated.into()),
        who => who,
    };
    state.authenticating -= 1;
    if state.authenticating == 0 {
        state.signed_out.clear();
    }
    let Some(connection) = state.connections.touch(key) else {
        return;
    };
    let reply = match who {
        Ok(who) => {
            let identity = Identity {
                id: who.user.id.into(),
                name: who.user.name,
                administrator: who.user.administrator,
            };
            connection.device = Some(who.device);
            // It is known by its device now; the token itself is of no more use here.
            connection.upgrade_token = String::new();
            tracing::info!(client = %connection.client, session = %connection.session.id(), user = %identity.id, program = client, "connected");
            connection.session.authenticated(now_ms(), identity)
        }
        Err(error) => {
            let reply = connection.session.refused(refusal(&error));
            connection.send(server_message::Kind::Reply(reply));
            if error.code() == ErrorCode::Unauthenticated {
                state.close(key, CloseCode::Unauthenticated);
            }
            return;
        }
    };
    connection.send(server_message::Kind::Reply(reply));
    connection.resume.notify_one();
}
