//! Mutating commands from the moment they are given until they are answered, over any number of connections. Each keeps
//! its client id and its place; of one room, one at a time is under way, so that posts keep their order.

use std::collections::{BTreeSet, VecDeque};

use suda_protocol::v1::command::Request;
use suda_protocol::{Codec, DecodeError, v1};
use uuid::Uuid;

use super::config::{PENDING_BYTES_MAX, PENDING_COMMANDS_MAX};
use super::names::Names;
use crate::{CommandError, Timestamp, mutant};

/// A mutating command that has no answer yet. It can be kept over the end of the program and given to
/// [`Machine::restore`](crate::Machine::restore): its client id sees to it that it takes effect once.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    client_id: Uuid,
    request: Request,
}

impl Pending {
    pub(crate) fn new(client_id: Uuid, request: Request) -> Pending {
        Pending { client_id, request }
    }

    /// The command's client id.
    pub fn client_id(&self) -> Uuid {
        self.client_id
    }

    /// The command: one of `CreateRoom`, `Join`, `Leave`, `Post`.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// One line of JSON, for a file.
    pub fn to_json(&self) -> String {
        let command = v1::Command {
            id: 1,
            request: Some(self.request.clone()),
        };
        String::from_utf8_lossy(&Codec::Json.encode_command(&command)).into_owned()
    }

    /// Reads what [`Pending::to_json`] wrote. A command that isn't mutating or whose client id is no UUID is refused.
    pub fn from_json(json: &str) -> Result<Pending, DecodeError> {
        let command = Codec::Json.decode_command(json.as_bytes())?;
        let unusable = DecodeError::NoRequest { id: command.id };
        let Some(request) = command.request else {
            return Err(unusable);
        };
        match client_id(&request).and_then(|id| Uuid::parse_str(id).ok()) {
            Some(client_id) => Ok(Pending { client_id, request }),
            None => Err(unusable),
        }
    }

    /// The room that it is about, by id or name.
    pub(crate) fn room(&self) -> &str {
        match &self.request {
            Request::CreateRoom(it) => &it.name,
            Request::Join(it) => &it.room,
            Request::Leave(it) => &it.room,
            Request::Post(it) => &it.room,
            _ => "",
        }
    }

    /// Whether the author is a member once it took effect.
    fn makes_member(&self) -> bool {
        matches!(self.request, Request::CreateRoom(_) | Request::Join(_))
    }

    fn bytes(&self) -> usize {
        match &self.request {
            Request::Post(post) => post.text.len() + post.room.len(),
            _ => self.room().len(),
        }
    }
}

fn client_id(request: &Request) -> Option<&str> {
    match request {
        Request::CreateRoom(it) => Some(&it.client_id),
        Request::Join(it) => Some(&it.client_id),
        Request::Leave(it) => Some(&it.client_id),
        Request::Post(it) => Some(&it.client_id),
        _ => None,
    }
}

#[derive(Debug)]
struct Item {
    pending: Pending,
    /// On its way over the present connection.
    sent: bool,
    refusals: u32,
    not_before: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    items: VecDeque<Item>,
    bytes: usize,
}

impl Outbox {
    pub(crate) fn push(&mut self, pending: Pending) -> Result<(), CommandError> {
        if self
            .items
            .iter()
            .any(|item| item.pending.client_id == pending.client_id)
        {
            return Err(CommandError::AlreadyPending {
                client_id: pending.client_id,
            });
        }
        let bytes = self.bytes + pending.bytes();
        if self.items.len() >= PENDING_COMMANDS_MAX || bytes > PENDING_BYTES_MAX {
            return Err(CommandError::OutboxFull {
                commands: self.items.len(),
                bytes: self.bytes,
            });
        }
        self.bytes = bytes;
        self.items.push_back(Item {
            pending,
            sent: false,
            refusals: 0,
            not_before: Timestamp::MIN,
        });
        Ok(())
    }

    pub(crate) fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.items.iter().map(|item| &item.pending)
    }

    /// The next to send: the first of its room, if that one isn't under way and doesn't wait. It counts as sent then.
    pub(crate) fn next(&mut self, now: Timestamp, names: &Names) -> Option<Pending> {
        let mut seen = BTreeSet::new();
        let at = self.items.iter().position(|item| {
            let first = seen.insert(names.resolve(item.pending.room()));
            first && !item.sent && item.not_before <= now
        })?;
        self.items[at].sent = true;
        Some(self.items[at].pending.clone())
    }

    /// When the next one's wait ends.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.items
            .iter()
            .filter(|item| !item.sent && item.not_before > Timestamp::MIN)
            .map(|item| item.not_before)
            .min()
    }

    /// Whether a command waits that makes the author a member of this room.
    pub(crate) fn will_join(&self, room: &str, names: &Names) -> bool {
        let room = names.resolve(room);
        self.items
            .iter()
            .any(|item| item.pending.makes_member() && names.resolve(item.pending.room()) == room)
    }

    /// The command was answered for good; false where it was before.
    pub(crate) fn settle(&mut self, client_id: Uuid) -> bool {
        let Some(at) = self
            .items
            .iter()
            .position(|item| item.pending.client_id == client_id)
        else {
            return false;
        };
        if let Some(item) = self.items.remove(at) {
            self.bytes -= item.pending.bytes();
        }
        true
    }

    /// The command was refused for now: how often so far, this one included.
    pub(crate) fn refused(&mut self, client_id: Uuid) -> u32 {
        self.find(client_id).map_or(0, |item| {
            item.refusals = item.refusals.saturating_add(1);
            item.refusals
        })
    }

    pub(crate) fn wait_until(&mut self, client_id: Uuid, not_before: Timestamp) {
        if let Some(item) = self.find(client_id) {
            item.sent = false;
            item.not_before = not_before;
        }
    }

    /// The connection is gone: whatever was under way is sent again.
    pub(crate) fn disconnected(&mut self) {
        for item in &mut self.items {
            #[cfg(suda_mutants)]
            if item.sent && mutant!("resend-with-new-client-id") {
                item.pending = renamed(&item.pending);
            }
            item.sent = item.sent && mutant!("never-resend");
        }
    }

    fn find(&mut self, client_id: Uuid) -> Option<&mut Item> {
        self.items
            .iter_mut()
            .find(|item| item.pending.client_id == client_id)
    }
}

/// The command under another client id: a planted bug.
#[cfg(suda_mutants)]
fn renamed(pending: &Pending) -> Pending {
    let client_id = Uuid::from_u128(pending.client_id.as_u128() ^ 1);
    let mut request = pending.request.clone();
    match &mut request {
        Request::CreateRoom(it) => it.client_id = client_id.to_string(),
        Request::Join(it) => it.client_id = client_id.to_string(),
        Request::Leave(it) => it.client_id = client_id.to_string(),
        Request::Post(it) => it.client_id = client_id.to_string(),
        _ => {}
    }
    // What the owner hears of stays the same, as it would where only the sending forgets.
    Pending {
        client_id: pending.client_id,
        request,
    }
}
