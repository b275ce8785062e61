//! The client as it is at one moment. Nothing here changes by itself: [`update`](super::update) changes it, [`view`](super::view)
//! shows it.

use std::collections::BTreeMap;

use suda_client::OfflineReason;
use suda_protocol::v1;

use super::areas::{self, Areas};
use super::composer::{Composer, Layout};
use super::kept::{Kept, KeptPost, KeptRoom};
use super::room::{Phase, Post, PostState, Room};
use super::search::Search;
use super::switcher::Switcher;
use super::theme::{Theme, ThemeName};
use super::timeline::block::Look;
use super::timeline::scroll::Position;
use crate::clock::Clock;
use crate::texts::Texts;

/// What lies over the room, and takes the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Overlay {
    Help,
    Switcher(Switcher),
    Search(Search),
    /// The person chooses the message to answer; this is the seq of the one they stand at.
    Reply(u64),
    /// The person wants to leave; acknowledgements are waited for.
    Leaving,
}

/// The connection, as the status line tells it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Link {
    /// The first attempt is under way.
    Connecting,
    Online,
    Offline {
        reason: OfflineReason,
        retry_at_ms: i64,
    },
}

/// One sentence in the status line, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) is_error: bool,
}

/// Everything.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) texts: Texts,
    pub(super) clock: Clock,
    pub(super) server: String,
    /// The person's name, as signed in.
    pub(super) my_name: String,
    /// The person; known from the first connection on.
    pub(super) me: Option<v1::User>,
    pub(super) theme_name: ThemeName,
    pub(super) theme: Theme,
    /// Columns and rows.
    pub(super) size: (u16, u16),
    pub(super) now_ms: i64,
    pub(super) link: Link,
    /// By id.
    pub(super) rooms: BTreeMap<String, Room>,
    /// Whether the server's list of rooms has come in.
    pub(super) rooms_known: bool,
    /// The id of the room that is shown.
    pub(super) current: Option<String>,
    /// What is written while no room is shown; the first one that is gets it.
    pub(super) homeless: Composer,
    pub(super) overlay: Option<Overlay>,
    pub(super) notice: Option<Notice>,
}

impl Model {
    pub(super) fn new(
        texts: Texts,
        clock: Clock,
        server: String,
        theme: ThemeName,
        size: (u16, u16),
        kept: Kept,
    ) -> Model {
        let rooms = kept
            .rooms
            .into_iter()
            .map(|(id, kept)| (id.clone(), restored(id, kept)))
            .collect();
        Model {
            texts,
            clock,
            server,
            my_name: kept.user,
            me: None,
            theme_name: theme,
            theme: Theme::of(theme),
            size,
            now_ms: 0,
            link: Link::Connecting,
            rooms,
            rooms_known: false,
            current: kept.room,
            homeless: Composer::with(kept.homeless),
            overlay: None,
            notice: None,
        }
    }

    /// What the next run shall know.
    pub(super) fn kept(&self) -> Kept {
        let worth =
            |room: &&Room| room.is_member || !room.composer.is_empty() || !room.posts.is_empty();
        let rooms = self.rooms.values().filter(worth);
        Kept {
            user: self.my_name.clone(),
            theme: Some(self.theme_name),
            room: self.current.clone(),
            homeless: self.homeless.text().to_owned(),
            rooms: rooms.map(|room| (room.id.clone(), kept(room))).collect(),
        }
    }

    /// The rooms that the person is a member of, in the order of their names.
    pub(super) fn my_rooms(&self) -> Vec<&Room> {
        let mut rooms: Vec<&Room> = self.rooms.values().filter(|room| room.is_member).collect();
        rooms.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        rooms
    }

    pub(super) fn current(&self) -> Option<&Room> {
        self.rooms.get(self.current.as_ref()?)
    }

    pub(super) fn current_mut(&mut self) -> Option<&mut Room> {
        self.rooms.get_mut(self.current.as_ref()?)
    }

    /// What is being written.
    pub(super) fn composer(&self) -> &Composer {
        self.current().map_or(&self.homeless, |room| &room.composer)
    }

    pub(super) fn composer_mut(&mut self) -> &mut Composer {
        let current = self.current.as_ref().and_then(|id| self.rooms.get_mut(id));
        current.map_or(&mut self.homeless, |room| &mut room.composer)
    }

    pub(super) fn my_id(&self) -> &str {
        self.me.as_ref().map_or("", |me| &me.id)
    }

    /// Posts that wait for an answer, of all rooms.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = &Post> {
        let posts = self.rooms.values().flat_map(|room| &room.posts);
        posts.filter(|post| post.is_unanswered())
    }

    /// Whether the screen depends on the time.
    pub(super) fn wants_ticks(&self) -> bool {
        matches!(self.link, Link::Offline { .. })
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.overlay == Some(Overlay::Leaving)
    }

    pub(super) fn areas(&self) -> Areas {
        let composer = self.composer();
        let is_reply = self.current().is_some_and(|room| room.reply_to > 0);
        areas::of(self.size, is_reply, |width| {
            Layout::of(composer.text(), composer.cursor(), width)
                .rows()
                .len()
        })
    }

    pub(super) fn look(&self) -> Look<'_> {
        let found = match &self.overlay {
            Some(Overlay::Search(search)) if !search.query.is_empty() => {
                Some((search.query.as_str(), search.seq()))
            }
            _ => None,
        };
        Look {
            width: self.areas().timeline.width.into(),
            theme: &self.theme,
            texts: self.texts,
            clock: &self.clock,
            me: self.my_id(),
            my_name: &self.my_name,
            found,
            chosen: match self.overlay {
                Some(Overlay::Reply(seq)) => Some(seq),
                _ => None,
            },
        }
    }

    /// Whether what comes into this room is seen at once.
    pub(super) fn is_watched(&self, room: &str) -> bool {
        self.current.as_deref() == Some(room)
            && self
                .current()
                .is_some_and(|room| room.position == Position::Bottom)
    }

    pub(super) fn say(&mut self, text: String) {
        self.notice = Some(Notice {
            text,
            is_error: false,
        });
    }

    pub(super) fn complain(&mut self, text: String) {
        self.notice = Some(Notice {
            text,
            is_error: true,
        });
    }
}

fn restored(id: String, kept: KeptRoom) -> Room {
    let posts = kept.posts.into_iter().map(|post| Post {
        client_id: post.client_id,
        text: post.text,
        reply_to: post.reply_to,
        at_ms: post.at_ms,
        state: match post.refused {
            Some(reason) => PostState::Failed { reason },
            None => PostState::Pending,
        },
        seen_as: None,
    });
    Room {
        id,
        name: kept.name,
        // Until the server tells otherwise.
        is_member: true,
        phase: Phase::Idle,
        posts: posts.collect(),
        composer: Composer::with(kept.draft),
        reply_to: kept.reply_to,
        read_seq: kept.read_seq,
        ..Room::default()
    }
}

fn kept(room: &Room) -> KeptRoom {
    let posts = room.posts.iter().filter_map(|post| {
        let refused = match &post.state {
            PostState::Acknowledged { .. } => return None,
            PostState::Failed { reason } => Some(reason.clone()),
            PostState::Pending | PostState::Delayed { .. } => None,
        };
        Some(KeptPost {
            client_id: post.client_id,
            text: post.text.clone(),
            reply_to: post.reply_to,
            at_ms: post.at_ms,
            refused,
        })
    });
    KeptRoom {
        name: room.name.clone(),
        read_seq: room.read_seq,
        draft: room.composer.text().to_owned(),
        reply_to: room.reply_to,
        posts: posts.collect(),
    }
}
