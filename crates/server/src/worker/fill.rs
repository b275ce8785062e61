//! Reading from the store for the roster.

use super::connection::Key;
use super::shared_entry::SharedEntry;
use super::state::Worker;
use crate::accounts::unread;
use crate::store::reading;
use std::rc::Rc;
use std::sync::Arc;
use suda_engine::reading::ReadFacts;
use suda_engine::roster::{FillFrom, FillRequest};
use suda_engine::{Entry, Refusal};
use suda_protocol::v1;

impl Worker {
    /// Reads what the roster asked for. The read begins after this call, as the roster needs it.
    pub(super) fn spawn_fill(self: &Rc<Self>, request: FillRequest<Key>) {
        let worker = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let FillRequest {
                member,
                request,
                user,
                room,
                from,
                count_max,
            } = request;
            let after = match from {
                FillFrom::Newest => None,
                FillFrom::After(cursor) => Some(cursor),
            };
            let answer = worker
                .tools
                .readers
                .read(move |connection| reading::log(connection, &room, user, after, count_max))
                .await
                .map(|facts| map_entries(facts, |entry| SharedEntry::new(Arc::new(entry))))
                .map_err(|error| refusal(&unread(error)));
            worker.with(|state| {
                state
                    .roster
                    .fill_answered(member, request, answer, &mut state.connections);
            });
        });
    }
}

/// The same facts with another handle to each entry.
pub(super) fn map_entries<E>(facts: ReadFacts<Entry>, handle: impl Fn(Entry) -> E) -> ReadFacts<E> {
    ReadFacts {
        room: facts.room,
        member: facts.member,
        at_cursor: facts.at_cursor,
        entries: facts.entries.into_iter().map(handle).collect(),
    }
}

/// An error as the engine carries it.
pub(super) fn refusal(error: &v1::Error) -> Refusal {
    Refusal {
        code: error.code(),
        retry_after_ms: error.retry_after_ms,
        limit: error.limit,
    }
}
