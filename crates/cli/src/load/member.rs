//! One connection of the generator: what it has asked, where it is in its rooms, which of its posts have no answer yet. Pure:
//! messages in, commands out. Unlike the SDK's machine it hides nothing of what the server does wrong; it hands all on to the
//! [`Checker`].

use std::collections::VecDeque;
use std::time::Duration;

use suda_protocol::v1::command::Request;
use suda_protocol::v1::reply::Result as Answer;
use suda_protocol::v1::server_message::Kind;
use suda_protocol::v1::{self, Command, Continuity, Cursor, ErrorCode, ServerMessage, push::Event};
use uuid::Uuid;

use super::book::Book;
use super::checker::{Checker, Seen};
use super::post::Post;
use super::wire::{self, Delivery};

/// The pause before a command that was refused for the moment is sent again, where the server names none.
const AGAIN_DEFAULT: Duration = Duration::from_millis(100);

/// What the server's log calls this program.
const CLIENT: &str = concat!("suda-load/", env!("CARGO_PKG_VERSION"));

/// A connection's side of the chat.
#[derive(Debug)]
pub(super) struct Member {
    /// What the checker knows it by.
    number: usize,
    token: String,
    seats: Vec<Seat>,
    /// Posts without an answer, oldest first.
    posts: VecDeque<Post>,
    online: bool,
    last_command: u64,
    asked: Vec<(u64, Asked)>,
    commands: Vec<Command>,
    /// Where its next post goes.
    next_seat: usize,
    /// Commands to be sent again, and when, as time since the run began.
    again: Vec<(Duration, Asked)>,
    /// Told by the server that it goes away: when to come back at the earliest.
    come_back_after: Option<Duration>,
    /// A command was refused for good, so that this connection does not take part.
    refused: Option<String>,
}

/// A place in a room.
#[derive(Debug)]
struct Seat {
    /// What the checker knows the room by.
    room: usize,
    name: String,
    /// Known once the user is a member.
    id: Option<String>,
    /// Known once the stream has begun.
    cursor: Option<Cursor>,
    is_open: bool,
}

/// What a command was about. Seats by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Connect,
    Join(usize),
    Open(usize),
    Log(usize),
    Post(Uuid),
}

impl Member {
    /// A connection of the token's user that takes part in these rooms: number for the checker, and name.
    pub(super) fn new(
        number: usize,
        token: String,
        rooms: impl IntoIterator<Item = (usize, String)>,
    ) -> Member {
        let seats = rooms.into_iter().map(|(room, name)| Seat {
            room,
            name,
            id: None,
            cursor: None,
            is_open: false,
        });
        Member {
            number,
            token,
            seats: seats.collect(),
            posts: VecDeque::new(),
            online: false,
            last_command: 0,
            asked: Vec::new(),
            commands: Vec::new(),
            next_seat: 0,
            again: Vec::new(),
            come_back_after: None,
            refused: None,
        }
    }

    /// Whether all its rooms' streams are open.
    pub(super) fn is_ready(&self) -> bool {
        self.online && self.seats.iter().all(|seat| seat.is_open)
    }

    pub(super) fn is_online(&self) -> bool {
        self.online
    }

    pub(super) fn can_post(&self) -> bool {
        !self.seats.is_empty() && self.refused.is_none()
    }

    /// Why it cannot take part, if so.
    pub(super) fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// Posts without an answer.
    pub(super) fn unanswered(&self) -> usize {
        self.posts.len()
    }

    /// How long the server wanted it to stay away, once.
    pub(super) fn take_come_back_after(&mut self) -> Option<Duration> {
        self.come_back_after.take()
    }

    /// When [`Self::handle_time`] has something to do.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.again.iter().map(|(at, _)| *at).min()
    }

    /// The commands to be sent now, in order.
    pub(super) fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    pub(super) fn has_commands(&self) -> bool {
        !self.commands.is_empty()
    }

    pub(super) fn handle_connected(&mut self) {
        self.last_command = 0;
        let connect = v1::Connect {
            token: self.token.clone(),
            device: String::new(),
            client: CLIENT.to_owned(),
        };
        self.ask(Asked::Connect, Request::Connect(connect));
    }

    pub(super) fn handle_disconnected(&mut self) {
        self.online = false;
        self.asked.clear();
        self.commands.clear();
        self.again.clear();
        for seat in &mut self.seats {
            seat.is_open = false;
        }
    }

    /// The time that [`Self::next_at`] gave has come.
    pub(super) fn handle_time(&mut self, now: Duration) {
        let mut again = std::mem::take(&mut self.again);
        again.retain(|(at, asked)| {
            let due = *at <= now;
            if due {
                self.ask_once_more(*asked);
            }
            !due
        });
        self.again.append(&mut again);
    }

    /// Says something in the next of its rooms. Without a session, or before it is a member, it is said once it can be.
    pub(super) fn post(&mut self, mut post: Post) {
        if !self.seats.is_empty() {
            self.next_seat = (self.next_seat + 1) % self.seats.len();
            post.seat = self.next_seat;
        }
        let client_id = post.client_id;
        self.posts.push_back(post);
        self.send_post(client_id);
    }

    pub(super) fn handle_entry(
        &mut self,
        now: Duration,
        delivery: &Delivery<'_>,
        checker: &mut Checker,
        book: &mut Book,
    ) {
        let seat = self
            .seats
            .iter_mut()
            .find(|seat| seat.id.as_deref() == Some(delivery.room));
        let Some(seat) = seat else { return };
        let post = book.post_of(delivery.text);
        let seen = Seen {
            seq: delivery.seq,
            id: delivery.id,
            tag: post.map(|(tag, _)| tag),
        };
        if let Some(cursor) = &mut seat.cursor
            && cursor.seq < delivery.seq
        {
            cursor.seq = delivery.seq;
            cursor.id = Uuid::from_u128(delivery.id).to_string();
        }
        checker.received(self.number, seat.room, seen);
        book.delivered(now, post.map(|(_, due)| due));
    }

    pub(super) fn handle_message(
        &mut self,
        now: Duration,
        message: ServerMessage,
        checker: &mut Checker,
        book: &mut Book,
    ) {
        if let Some(delivery) = wire::entry_of(&message).and_then(Delivery::of) {
            return self.handle_entry(now, &delivery, checker, book);
        }
        match message.kind {
            Some(Kind::Reply(reply)) => self.reply(now, reply, checker, book),
            Some(Kind::Push(v1::Push { event: Some(event) })) => match event {
                Event::Lag(lag) => {
                    book.lagged();
                    if let Some(seat) = self.seat_of(&lag.room) {
                        self.seats[seat].is_open = false;
                        self.open(seat);
                    }
                }
                Event::GoingAway(going) => {
                    let after = Duration::from_millis(going.come_back_after_ms.into());
                    self.come_back_after = Some(after);
                }
                Event::Removed(_) | Event::Heartbeat(_) | Event::Entry(_) => {}
            },
            Some(Kind::Push(v1::Push { event: None })) | None => {}
        }
    }

    fn reply(&mut self, now: Duration, reply: v1::Reply, checker: &mut Checker, book: &mut Book) {
        let Some(at) = self.asked.iter().position(|(id, _)| *id == reply.id) else {
            return;
        };
        let (_, asked) = self.asked.swap_remove(at);
        match (asked, reply.result) {
            (Asked::Connect, Some(Answer::Hello(_))) => self.begin(),
            (Asked::Join(seat), Some(Answer::Joined(joined))) => {
                self.seats[seat].id = joined.room.map(|room| room.id);
                self.open(seat);
            }
            (Asked::Open(seat), Some(Answer::Opened(opened))) => {
                self.opened(seat, opened, checker);
            }
            (Asked::Log(seat), Some(Answer::LogPage(page))) => {
                self.page(now, seat, page, checker, book);
            }
            (Asked::Post(client_id), Some(Answer::Posted(posted))) => {
                self.posted(now, client_id, &posted, checker, book);
            }
            (asked, Some(Answer::Error(error))) => self.error(now, asked, &error, book),
            _ => {}
        }
    }

    /// The connection is a session: all that it was about goes on.
    fn begin(&mut self) {
        self.online = true;
        for seat in 0..self.seats.len() {
            if self.seats[seat].id.is_some() {
                self.open(seat);
            } else {
                self.join(seat);
            }
        }
        for client_id in self
            .posts
            .iter()
            .map(|post| post.client_id)
            .collect::<Vec<_>>()
        {
            self.send_post(client_id);
        }
    }

    fn opened(&mut self, seat: usize, opened: v1::Opened, checker: &mut Checker) {
        let Seat { room, cursor, .. } = &mut self.seats[seat];
        match opened.continuity() {
            Continuity::Continues => {
                if cursor.is_none() {
                    let top = opened.room.and_then(|room| room.top).unwrap_or_default();
                    checker.begin(self.number, *room, top.seq);
                    *cursor = Some(top);
                }
                self.seats[seat].is_open = true;
                self.send_posts_of(seat);
            }
            Continuity::Page => self.log(seat),
            Continuity::OtherPast | Continuity::Unspecified => self.another_past(seat, checker),
        }
    }

    fn page(
        &mut self,
        now: Duration,
        seat: usize,
        page: v1::LogPage,
        checker: &mut Checker,
        book: &mut Book,
    ) {
        if !page.continues {
            return self.another_past(seat, checker);
        }
        for entry in &page.entries {
            if let Some(delivery) = Delivery::of(entry) {
                self.handle_entry(now, &delivery, checker, book);
            }
        }
        let last = self.seats[seat]
            .cursor
            .as_ref()
            .map_or(0, |cursor| cursor.seq);
        let top = page.top.map_or(0, |top| top.seq);
        // A page without entries that is not the last would be asked for without end.
        if last < top && !page.entries.is_empty() {
            self.log(seat);
        } else {
            self.open(seat);
        }
    }

    fn another_past(&mut self, seat: usize, checker: &mut Checker) {
        let Seat { room, cursor, .. } = &mut self.seats[seat];
        let seq = cursor.take().map_or(0, |cursor| cursor.seq);
        checker.other_past(self.number, *room, seq);
        self.open(seat);
    }

    fn posted(
        &mut self,
        now: Duration,
        client_id: Uuid,
        posted: &v1::Posted,
        checker: &mut Checker,
        book: &mut Book,
    ) {
        let Some(post) = self.take_post(client_id) else {
            return;
        };
        let seen = Seen {
            seq: posted.seq,
            id: wire::id(&posted.id).unwrap_or_default(),
            tag: Some(post.tag),
        };
        checker.acknowledged(self.number, self.seats[post.seat].room, seen);
        book.acknowledged(now, post.due);
    }

    fn error(&mut self, now: Duration, asked: Asked, error: &v1::Error, book: &mut Book) {
        // A room that is not there yet is about to be made by its first member.
        let room_comes = matches!(asked, Asked::Join(_)) && error.code() == ErrorCode::UnknownRoom;
        if error.retryable || room_comes {
            book.put_off();
            let wait = match error.retry_after_ms {
                0 => AGAIN_DEFAULT,
                wait_ms => Duration::from_millis(wait_ms.into()),
            };
            return self.again.push((now + wait, asked));
        }
        match asked {
            Asked::Post(client_id) => {
                self.take_post(client_id);
                book.refused(&error.message);
            }
            _ => self.refused = Some(error.message.clone()),
        }
    }

    fn take_post(&mut self, client_id: Uuid) -> Option<Post> {
        let at = self
            .posts
            .iter()
            .position(|post| post.client_id == client_id)?;
        self.posts.remove(at)
    }

    fn seat_of(&self, room: &str) -> Option<usize> {
        self.seats
            .iter()
            .position(|seat| seat.id.as_deref() == Some(room))
    }

    fn ask_once_more(&mut self, asked: Asked) {
        match asked {
            Asked::Connect => self.handle_connected(),
            Asked::Join(seat) => self.join(seat),
            Asked::Open(seat) => self.open(seat),
            Asked::Log(seat) => self.log(seat),
            Asked::Post(client_id) => self.send_post(client_id),
        }
    }

    fn join(&mut self, seat: usize) {
        let join = v1::Join {
            client_id: Uuid::now_v7().to_string(),
            room: self.seats[seat].name.clone(),
        };
        self.ask(Asked::Join(seat), Request::Join(join));
    }

    fn open(&mut self, seat: usize) {
        let Seat { id, cursor, .. } = &self.seats[seat];
        let open = v1::Open {
            room: id.clone().unwrap_or_default(),
            cursor: cursor.clone(),
        };
        self.ask(Asked::Open(seat), Request::Open(open));
    }

    fn log(&mut self, seat: usize) {
        let Seat { id, cursor, .. } = &self.seats[seat];
        let log = v1::Log {
            room: id.clone().unwrap_or_default(),
            after: cursor.clone(),
            count_max: 0,
        };
        self.ask(Asked::Log(seat), Request::Log(log));
    }

    /// Posts to a room wait until its stream is open for the first time, so that their author is owed them.
    fn send_posts_of(&mut self, seat: usize) {
        let waiting: Vec<Uuid> = self
            .posts
            .iter()
            .filter(|post| post.seat == seat)
            .map(|post| post.client_id)
            .filter(|client_id| !self.is_asked(*client_id))
            .collect();
        for client_id in waiting {
            self.send_post(client_id);
        }
    }

    fn is_asked(&self, client_id: Uuid) -> bool {
        let post = Asked::Post(client_id);
        self.asked.iter().any(|(_, asked)| *asked == post)
            || self.again.iter().any(|(_, asked)| *asked == post)
    }

    fn send_post(&mut self, client_id: Uuid) {
        let Some(post) = self.posts.iter().find(|post| post.client_id == client_id) else {
            return;
        };
        let seat = &self.seats[post.seat];
        let (Some(room), true, Some(_)) = (&seat.id, self.online, &seat.cursor) else {
            return;
        };
        let request = Request::Post(v1::Post {
            client_id: client_id.to_string(),
            room: room.clone(),
            text: post.text.clone(),
            reply_to: 0,
        });
        self.ask(Asked::Post(client_id), request);
    }

    fn ask(&mut self, asked: Asked, request: Request) {
        self.last_command += 1;
        self.asked.push((self.last_command, asked));
        self.commands.push(Command {
            id: self.last_command,
            request: Some(request),
        });
    }
}
