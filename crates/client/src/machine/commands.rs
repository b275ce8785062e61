//! The commands of a [`Machine`]: what its owner asks for. Each is checked against the limits first, so that the server
//! never has to say what could be known here.

use suda_protocol::v1::command::Request;
use suda_protocol::v1::{self, Cursor};
use uuid::Uuid;

use super::event::RequestId;
use super::{Machine, Pending, Timestamp};
use crate::CommandError;

/// Bytes of a post's command around its text, at most: names of fields, ids, and a room's name in JSON.
const AROUND_TEXT_BYTES_MAX: usize = 1_024;

impl Machine {
    /// Makes a public room whose first member is the author. Answered by [`Event::Accepted`](crate::Event::Accepted) or
    /// [`Event::Refused`](crate::Event::Refused), like every command with a client id: a UUID that was never used
    /// before.
    pub fn create_room(
        &mut self,
        now: Timestamp,
        client_id: Uuid,
        name: &str,
    ) -> Result<(), CommandError> {
        self.check_room(name)?;
        let request = Request::CreateRoom(v1::CreateRoom {
            client_id: client_id.to_string(),
            name: name.to_owned(),
        });
        self.mutate(now, client_id, request)
    }

    /// Becomes a member of a room, given by id or name as in every command.
    pub fn join(
        &mut self,
        now: Timestamp,
        client_id: Uuid,
        room: &str,
    ) -> Result<(), CommandError> {
        self.check_room(room)?;
        let request = Request::Join(v1::Join {
            client_id: client_id.to_string(),
            room: room.to_owned(),
        });
        self.mutate(now, client_id, request)
    }

    /// Ends the membership in a room.
    pub fn leave(
        &mut self,
        now: Timestamp,
        client_id: Uuid,
        room: &str,
    ) -> Result<(), CommandError> {
        self.check_room(room)?;
        let request = Request::Leave(v1::Leave {
            client_id: client_id.to_string(),
            room: room.to_owned(),
        });
        self.mutate(now, client_id, request)
    }

    /// Posts a message. `reply_to` is the seq of the message that it answers, 0 for none.
    pub fn post(
        &mut self,
        now: Timestamp,
        room: &str,
        client_id: Uuid,
        text: &str,
        reply_to: u64,
    ) -> Result<(), CommandError> {
        self.check_room(room)?;
        let bytes_max = self.limits.text_bytes_max as usize;
        if text.is_empty() {
            return Err(CommandError::EmptyText);
        }
        if text.len() > bytes_max {
            return Err(CommandError::TextTooLong {
                bytes: text.len(),
                bytes_max,
            });
        }
        let bytes = json_bytes(text) + AROUND_TEXT_BYTES_MAX;
        let bytes_max = self.limits.command_bytes_max as usize;
        if bytes > bytes_max {
            return Err(CommandError::CommandTooLarge { bytes, bytes_max });
        }
        let request = Request::Post(v1::Post {
            client_id: client_id.to_string(),
            room: room.to_owned(),
            text: text.to_owned(),
            reply_to,
        });
        self.mutate(now, client_id, request)
    }

    /// Takes back commands that another machine's [`Machine::pending`] gave, before any new one. One whose answer was
    /// lost takes effect no second time.
    pub fn restore(
        &mut self,
        pending: impl IntoIterator<Item = Pending>,
    ) -> Result<(), CommandError> {
        pending
            .into_iter()
            .try_for_each(|pending| self.outbox.push(pending))
    }

    /// Opens a room's stream and keeps it open over every connection: entries after the cursor, or from the newest on
    /// where there is none, come as [`Event::Entry`](crate::Event::Entry). A cursor with seq 0 is the beginning. A room
    /// that is open stays as it is, and says so again.
    pub fn open(
        &mut self,
        now: Timestamp,
        room: &str,
        cursor: Option<Cursor>,
    ) -> Result<(), CommandError> {
        self.now = now;
        self.check_room(room)?;
        self.check_not_ended()?;
        self.streams.open(
            room,
            self.names.resolve(room),
            cursor,
            self.limits.open_rooms_max as usize,
            &mut self.events,
        )
    }

    /// Ends a room's stream; nothing more of it comes out. One that isn't open is left alone.
    pub fn close(&mut self, now: Timestamp, room: &str) {
        self.now = now;
        self.streams.close(room, self.names.resolve(room));
    }

    /// Asks for a page of rooms, by name, after the given name. Answered by [`Event::Answer`](crate::Event::Answer), as
    /// every question.
    pub fn list_rooms(
        &mut self,
        now: Timestamp,
        mine: bool,
        after_name: &str,
    ) -> Result<RequestId, CommandError> {
        self.ask(
            now,
            Request::ListRooms(v1::ListRooms {
                mine,
                after_name: after_name.to_owned(),
            }),
        )
    }

    /// Asks for messages as they now are, newest first, before the given seq; 0 starts from the newest.
    pub fn messages(
        &mut self,
        now: Timestamp,
        room: &str,
        before_seq: u64,
        count_max: u32,
    ) -> Result<RequestId, CommandError> {
        self.check_room(room)?;
        self.ask(
            now,
            Request::Messages(v1::Messages {
                room: room.to_owned(),
                before_seq,
                count_max,
            }),
        )
    }

    /// Asks for a page of a room's log after a cursor.
    pub fn log(
        &mut self,
        now: Timestamp,
        room: &str,
        after: Cursor,
        count_max: u32,
    ) -> Result<RequestId, CommandError> {
        self.check_room(room)?;
        self.ask(
            now,
            Request::Log(v1::Log {
                room: room.to_owned(),
                after: Some(after),
                count_max,
            }),
        )
    }

    fn mutate(
        &mut self,
        now: Timestamp,
        client_id: Uuid,
        request: Request,
    ) -> Result<(), CommandError> {
        self.now = now;
        self.check_not_ended()?;
        self.outbox.push(Pending::new(client_id, request))
    }

    fn ask(&mut self, now: Timestamp, request: Request) -> Result<RequestId, CommandError> {
        self.now = now;
        self.check_not_ended()?;
        self.questions.push(request)
    }

    fn check_not_ended(&self) -> Result<(), CommandError> {
        if self.link.is_ended() {
            Err(CommandError::Ended)
        } else {
            Ok(())
        }
    }

    /// A bound, so that no command is larger than the server reads; what a name may be, the server says.
    fn check_room(&self, room: &str) -> Result<(), CommandError> {
        let chars_max = (self.limits.room_name_chars_max as usize).max(64);
        if room.is_empty() || room.chars().count() > 2 * chars_max {
            Err(CommandError::InvalidRoom)
        } else {
            Ok(())
        }
    }
}

/// Bytes of a text in JSON, where some characters take more than one. Asked for whatever the codec, since a command may
/// be kept as JSON and sent later in either.
fn json_bytes(text: &str) -> usize {
    let escaped = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 2,
        0..0x20 => 6,
        _ => 1,
    });
    escaped.sum()
}
