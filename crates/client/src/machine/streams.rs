//! The rooms that are open: opening, resuming and paging them, and what the server says of them. Knows nothing of
//! connections but that one can be lost.

use std::collections::{BTreeMap, VecDeque};

use suda_protocol::v1::command::Request;
use suda_protocol::v1::{self, Continuity, Cursor, Entry};

use super::backoff::{Jitter, retry_after_ms};
use super::event::Event;
use super::stream::{Phase, Step, Stream};
use crate::{CommandError, Timestamp, mutant};

/// A stream's key: new for each `open`, so that an answer to one that was closed since finds nothing.
pub(crate) type StreamKey = u64;

#[derive(Debug, Default)]
pub(crate) struct Streams {
    last_key: StreamKey,
    streams: BTreeMap<StreamKey, Stream>,
    by_id: BTreeMap<String, StreamKey>,
    /// Rooms whose streams are to be ended on the present connection.
    closing: VecDeque<String>,
}

impl Streams {
    pub(crate) fn open(
        &mut self,
        asked: &str,
        id: &str,
        cursor: Option<Cursor>,
        rooms_max: usize,
        events: &mut VecDeque<Event>,
    ) -> Result<(), CommandError> {
        if let Some(stream) = self
            .streams
            .values_mut()
            .find(|stream| stream.asked == asked || stream.room() == id)
        {
            stream.wanted_again = true;
            if let (Some(room), Some(after)) = (stream.opened.clone(), stream.cursor.clone()) {
                events.push_back(Event::Opened {
                    asked: asked.to_owned(),
                    room,
                    after,
                });
            }
            return Ok(());
        }
        if self.streams.len() >= rooms_max {
            return Err(CommandError::TooManyOpenRooms { rooms_max });
        }
        self.last_key += 1;
        let stream = Stream {
            asked: asked.to_owned(),
            opened: None,
            from_beginning: cursor.as_ref().is_some_and(|cursor| cursor.seq == 0),
            cursor,
            wanted_again: false,
            phase: Phase::Closed {
                not_before: Timestamp::MIN,
            },
            fruitless: 0,
            lacked: None,
            unlisted: false,
        };
        self.streams.insert(self.last_key, stream);
        Ok(())
    }

    pub(crate) fn close(&mut self, asked: &str, id: &str) {
        let found = self
            .streams
            .iter()
            .find(|(_, stream)| stream.asked == asked || stream.room() == id);
        if let Some(key) = found.map(|(key, _)| *key)
            && let Some(stream) = self.remove(key)
            && !matches!(stream.phase, Phase::Closed { .. })
        {
            self.closing.push_back(stream.room().to_owned());
        }
    }

    /// The cursor of an open room.
    pub(crate) fn cursor(&self, asked: &str, id: &str) -> Option<&Cursor> {
        let mut streams = self.streams.values();
        streams
            .find(|stream| stream.asked == asked || stream.room() == id)?
            .cursor
            .as_ref()
    }

    /// The next stream to end.
    pub(crate) fn next_close(&mut self) -> Option<Request> {
        self.closing
            .pop_front()
            .map(|room| Request::Close(v1::Close { room }))
    }

    /// The next stream to open or page, but for those in rooms that are yet to be joined. It counts as asked then.
    pub(crate) fn next(
        &mut self,
        now: Timestamp,
        unjoined: impl Fn(&str) -> bool,
    ) -> Option<(StreamKey, Request)> {
        for (key, stream) in &mut self.streams {
            let room = stream.room().to_owned();
            match stream.phase {
                Phase::Closed { not_before } if not_before <= now && !unjoined(&room) => {
                    stream.phase = Phase::Opening;
                    return Some((
                        *key,
                        Request::Open(v1::Open {
                            room,
                            cursor: stream.cursor.clone(),
                        }),
                    ));
                }
                Phase::Page => {
                    stream.phase = Phase::Paging;
                    return Some((
                        *key,
                        Request::Log(v1::Log {
                            room,
                            after: stream.cursor.clone(),
                            count_max: 0,
                        }),
                    ));
                }
                _ => {}
            }
        }
        None
    }

    /// When the next stream's wait ends.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        let waits = self
            .streams
            .values()
            .filter_map(|stream| match stream.phase {
                Phase::Closed { not_before } if not_before > Timestamp::MIN => Some(not_before),
                _ => None,
            });
        waits.min()
    }

    pub(crate) fn opened(
        &mut self,
        now: Timestamp,
        key: StreamKey,
        opened: v1::Opened,
        jitter: &mut Jitter,
        events: &mut VecDeque<Event>,
    ) {
        let continuity = opened.continuity();
        let Some(stream) = self
            .streams
            .get_mut(&key)
            .filter(|stream| stream.phase == Phase::Opening)
        else {
            return;
        };
        let Some(room) = opened.room else {
            return stream.reopen(now, jitter);
        };
        if let Some(other) = self
            .by_id
            .get(&room.id)
            .copied()
            .filter(|other| *other != key)
        {
            return self.merge(now, key, other, room, jitter, events);
        }
        stream.opened = Some(room.clone());
        self.by_id.insert(room.id.clone(), key);
        let top = room.top.clone().unwrap_or_default();
        let past_top = stream.cursor.as_ref().is_some_and(|cursor| {
            cursor.seq > top.seq || (cursor.seq == top.seq && cursor.id != top.id)
        });
        match continuity {
            Continuity::Continues if !past_top => {
                stream.phase = Phase::Live;
                let top_seq = top.seq;
                let after = stream.cursor.get_or_insert(top).clone();
                if after.seq == top_seq {
                    stream.fruitless = 0;
                }
                events.push_back(Event::Opened {
                    asked: stream.asked.clone(),
                    room,
                    after,
                });
            }
            // The log doesn't hold what was delivered, whether the server noticed or not.
            Continuity::Continues | Continuity::OtherPast => stream.reset(now, jitter, events),
            Continuity::Page if stream.cursor.is_some() => stream.phase = Phase::Page,
            Continuity::Page | Continuity::Unspecified => stream.reopen(now, jitter),
        }
    }

    pub(crate) fn log_page(
        &mut self,
        now: Timestamp,
        key: StreamKey,
        page: v1::LogPage,
        resume_max: u64,
        jitter: &mut Jitter,
        events: &mut VecDeque<Event>,
    ) {
        let Some(stream) = self
            .streams
            .get_mut(&key)
            .filter(|stream| stream.phase == Phase::Paging)
        else {
            return;
        };
        if !page.continues {
            return stream.reset(now, jitter, events);
        }
        let mut delivered = false;
        for entry in page.entries {
            match stream.deliver(entry, events) {
                Step::Delivered => delivered = true,
                Step::Old => {}
                Step::Broken => return stream.reopen(now, jitter),
            }
        }
        let top_seq = page.top.map_or(0, |top| top.seq);
        let missing = top_seq.saturating_sub(stream.cursor.as_ref().map_or(0, |cursor| cursor.seq));
        if delivered && missing > resume_max {
            stream.phase = Phase::Page;
        } else {
            stream.reopen(now, jitter);
        }
    }

    /// `Open` or `Log` was refused.
    pub(crate) fn refused(
        &mut self,
        now: Timestamp,
        key: StreamKey,
        error: v1::Error,
        jitter: &mut Jitter,
        events: &mut VecDeque<Event>,
    ) {
        let Some(stream) = self.streams.get_mut(&key) else {
            return;
        };
        if !matches!(stream.phase, Phase::Opening | Phase::Paging) {
            return;
        }
        if error.retryable {
            stream.fruitless = stream.fruitless.max(1);
            stream.reopen(now, jitter);
            if let Phase::Closed { not_before } = &mut stream.phase {
                *not_before = (*not_before).max(now.saturating_add(retry_after_ms(&error)));
            }
        } else if let Some(stream) = self.remove(key) {
            events.push_back(Event::OpenRefused {
                asked: stream.asked,
                error,
            });
        }
    }

    pub(crate) fn entry(
        &mut self,
        now: Timestamp,
        entry: Entry,
        jitter: &mut Jitter,
        events: &mut VecDeque<Event>,
    ) {
        let Some(stream) = self.live(&entry.room) else {
            return;
        };
        if stream.deliver(entry, events) == Step::Broken {
            stream.reopen(now, jitter);
        }
    }

    pub(crate) fn lag(&mut self, now: Timestamp, room: &str, jitter: &mut Jitter) {
        if let Some(stream) = self.live(room) {
            stream.reopen(now, jitter);
        }
    }

    pub(crate) fn removed(&mut self, now: Timestamp, room: String, events: &mut VecDeque<Event>) {
        let Some(key) = self.by_id.get(&room).copied() else {
            return;
        };
        let again = self
            .streams
            .get_mut(&key)
            .filter(|stream| stream.wanted_again);
        match again {
            Some(stream) => {
                stream.wanted_again = false;
                stream.phase = Phase::Closed { not_before: now };
            }
            None => {
                self.remove(key);
            }
        }
        events.push_back(Event::Removed { room });
    }

    /// Compares the tops that a heartbeat tells with what was delivered: an entry may be on its way, but not for a
    /// whole heartbeat.
    pub(crate) fn heartbeat(&mut self, now: Timestamp, tops: &[v1::RoomTop], jitter: &mut Jitter) {
        let tops: BTreeMap<&str, &Cursor> = tops
            .iter()
            .filter_map(|top| Some((top.room.as_str(), top.top.as_ref()?)))
            .collect();
        for stream in self
            .streams
            .values_mut()
            .filter(|stream| stream.phase == Phase::Live)
        {
            let (Some(id), Some(cursor)) = (stream.id(), &stream.cursor) else {
                continue;
            };
            let stalled = match tops.get(id) {
                None => std::mem::replace(&mut stream.unlisted, true),
                Some(top) if top.seq > cursor.seq => {
                    stream.unlisted = false;
                    stream
                        .lacked
                        .replace(top.seq)
                        .is_some_and(|lacked| lacked > cursor.seq)
                }
                Some(top) => {
                    stream.unlisted = false;
                    stream.lacked = None;
                    top.seq == cursor.seq && top.id != cursor.id
                }
            };
            if stalled {
                stream.reopen(now, jitter);
            }
        }
    }

    /// The connection is gone: every room is to be opened again.
    pub(crate) fn disconnected(&mut self) {
        self.closing.clear();
        for stream in self.streams.values_mut() {
            stream.phase = Phase::Closed {
                not_before: Timestamp::MIN,
            };
            stream.fruitless = 0;
            stream.lacked = None;
            stream.unlisted = false;
            if mutant!("forget-cursors-when-disconnected") {
                stream.cursor = None;
            }
        }
    }

    fn live(&mut self, room: &str) -> Option<&mut Stream> {
        let key = self.by_id.get(room)?;
        self.streams
            .get_mut(key)
            .filter(|stream| stream.phase == Phase::Live)
    }

    fn remove(&mut self, key: StreamKey) -> Option<Stream> {
        let stream = self.streams.remove(&key)?;
        if let Some(id) = stream.id()
            && self.by_id.get(id) == Some(&key)
        {
            self.by_id.remove(id);
        }
        Some(stream)
    }

    /// The room turns out to be open already, under another name: one stream remains, and since the server begins the
    /// room's stream anew for each `Open`, it asks again from its own cursor.
    fn merge(
        &mut self,
        now: Timestamp,
        key: StreamKey,
        other: StreamKey,
        room: v1::Room,
        jitter: &mut Jitter,
        events: &mut VecDeque<Event>,
    ) {
        let newer = self.streams.remove(&key);
        if let (Some(newer), Some(stream)) = (newer, self.streams.get_mut(&other)) {
            let after = stream.cursor.clone().unwrap_or_default();
            events.push_back(Event::Opened {
                asked: newer.asked,
                room,
                after,
            });
            if stream.phase == Phase::Live {
                stream.reopen(now, jitter);
            }
        }
    }
}
