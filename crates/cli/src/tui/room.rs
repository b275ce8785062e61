//! One room as this person has it: what is loaded, what waits to be sent, where one reads, what is being written.

use suda_protocol::v1;
use uuid::Uuid;

use super::composer::Composer;
use super::timeline::scroll::Position;
use super::timeline::{Item, Key, Timeline};

/// Whether entries come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    /// Nothing is asked for.
    #[default]
    Idle,
    /// The newest messages are asked for.
    Loading,
    /// They are there, and the stream behind them is open, over every lost link.
    Open,
    /// They could not be had. Asked for again when the person looks, or the server next tells its rooms.
    Failed,
}

/// A message of one's own without an entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Post {
    pub(super) client_id: Uuid,
    pub(super) text: String,
    /// The seq of the message that it answers, 0 for none.
    pub(super) reply_to: u64,
    pub(super) at_ms: i64,
    pub(super) state: PostState,
    /// The seq of an entry that looks like this one. Until the server's answer tells, one of the two is shown.
    pub(super) seen_as: Option<u64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum PostState {
    /// Without an answer.
    Pending,
    /// The server did not take it yet; it is sent again by itself.
    Delayed { reason: String },
    /// It is on the server's disk as this seq; its entry has not come in yet.
    Acknowledged { seq: u64 },
    /// Refused for good: the person decides.
    Failed { reason: String },
}

impl Post {
    /// Whether an answer of the server is waited for.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self.state, PostState::Pending | PostState::Delayed { .. })
    }
}

/// A room.
#[derive(Debug, Clone, Default)]
pub(super) struct Room {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_member: bool,
    pub(super) member_count: u32,
    /// The seq as of which the members were counted: entries behind it change the count.
    pub(super) counted_seq: u64,
    pub(super) phase: Phase,
    pub(super) timeline: Timeline,
    pub(super) posts: Vec<Post>,
    pub(super) composer: Composer,
    /// The seq of the message that what is written answers, 0 for none.
    pub(super) reply_to: u64,
    pub(super) position: Position,
    /// Messages of others behind `read_seq`.
    pub(super) unread: usize,
    /// Whether there are more of them than were loaded.
    pub(super) unread_more: bool,
    /// How far the person has read; 0 before the first visit.
    pub(super) read_seq: u64,
    /// Where the person left off before this visit: what is behind it is marked as new.
    pub(super) new_after: Option<u64>,
}

/// A thing in the sequence of a room's timeline.
#[derive(Debug, Clone, Copy)]
pub(super) enum Thing<'a> {
    Item(&'a Item),
    Post(&'a Post),
}

impl Room {
    /// Whether no stream tells of this room: then lists do.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.phase, Phase::Idle | Phase::Failed)
    }

    pub(super) fn of(room: v1::Room) -> Room {
        Room {
            id: room.id,
            name: room.name,
            is_member: room.member,
            member_count: room.member_count,
            counted_seq: room.top.map_or(0, |top| top.seq),
            ..Room::default()
        }
    }

    /// What the server says of the room now.
    pub(super) fn describe(&mut self, room: v1::Room) {
        self.name = room.name;
        let top_seq = room.top.map_or(0, |top| top.seq);
        // An answer can be older than what the stream has brought since.
        if top_seq >= self.timeline.last_seq {
            self.member_count = room.member_count;
            self.counted_seq = top_seq;
        }
    }

    /// The thing at this place: entries first, then what waits.
    pub(super) fn thing(&self, index: usize) -> Option<Thing<'_>> {
        match self.timeline.items().get(index) {
            Some(item) => Some(Thing::Item(item)),
            None => self
                .waiting()
                .nth(index - self.timeline.items().len())
                .map(Thing::Post),
        }
    }

    pub(super) fn thing_count(&self) -> usize {
        self.timeline.items().len() + self.waiting().count()
    }

    pub(super) fn key(&self, index: usize) -> Option<Key> {
        self.thing(index).map(|thing| match thing {
            Thing::Item(item) => Key::Entry(item.seq),
            Thing::Post(post) => Key::Post(post.client_id),
        })
    }

    pub(super) fn find(&self, key: Key) -> Option<usize> {
        match key {
            Key::Entry(seq) => self.timeline.find(seq),
            Key::Post(id) => {
                let at = self.waiting().position(|post| post.client_id == id)?;
                Some(self.timeline.items().len() + at)
            }
        }
    }

    /// What is shown of the posts: those that no entry stands for.
    fn waiting(&self) -> impl Iterator<Item = &Post> {
        self.posts.iter().filter(|post| post.seen_as.is_none())
    }

    /// Everything that came in counts as read.
    pub(super) fn mark_read(&mut self) {
        self.read_seq = self.read_seq.max(self.timeline.last_seq);
        self.unread = 0;
        self.unread_more = false;
    }

    /// Counts what is behind `read_seq`. On the first visit nothing is new.
    pub(super) fn count_unread(&mut self, me: &str) {
        if self.read_seq == 0 {
            self.mark_read();
            return;
        }
        let items = self.timeline.items();
        self.unread = items
            .iter()
            .filter(|item| item.seq > self.read_seq && item.text().is_some() && item.author != me)
            .count();
        self.unread_more = self.timeline.more_above
            && self
                .timeline
                .first_seq()
                .is_some_and(|first| first > self.read_seq + 1);
    }

    /// Removes the posts whose entries are loaded.
    pub(super) fn settle_posts(&mut self) {
        let timeline = &self.timeline;
        self.posts.retain(|post| match post.state {
            PostState::Acknowledged { seq } => seq > timeline.last_seq,
            _ => true,
        });
    }

    /// An entry of one's own with that text has come in: the first post that could be it is not shown any more.
    pub(super) fn recognise(&mut self, seq: u64, text: &str) {
        let post = self
            .posts
            .iter_mut()
            .find(|post| post.seen_as.is_none() && post.is_unanswered());
        // Posts of a room take effect in their order, so it is the first or it is from another device.
        if let Some(post) = post.filter(|post| post.text == text) {
            post.seen_as = Some(seq);
        }
    }
}
