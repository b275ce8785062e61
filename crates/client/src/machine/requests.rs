//! Which command of the present connection is what, until it is answered.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::config::ANSWER_TIMEOUT_MS;
use super::event::RequestId;
use super::streams::StreamKey;
use crate::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Connect,
    Open(StreamKey),
    Log(StreamKey),
    Close,
    Mutation(Uuid),
    Question(RequestId),
}

#[derive(Debug, Default)]
pub(crate) struct Requests {
    last_id: u64,
    in_flight: BTreeMap<u64, (Timestamp, Asked)>,
}

impl Requests {
    /// A new command id.
    pub(crate) fn add(&mut self, now: Timestamp, asked: Asked) -> u64 {
        self.last_id += 1;
        self.in_flight.insert(self.last_id, (now, asked));
        self.last_id
    }

    pub(crate) fn answered(&mut self, id: u64) -> Option<Asked> {
        self.in_flight.remove(&id).map(|(_, asked)| asked)
    }

    pub(crate) fn count(&self) -> usize {
        self.in_flight.len()
    }

    pub(crate) fn count_streams(&self) -> usize {
        self.in_flight
            .values()
            .filter(|(_, asked)| matches!(asked, Asked::Open(_) | Asked::Log(_)))
            .count()
    }

    /// When the oldest command has waited too long.
    pub(crate) fn overdue_at(&self) -> Option<Timestamp> {
        self.in_flight
            .values()
            .map(|(at, _)| at.saturating_add(ANSWER_TIMEOUT_MS))
            .min()
    }

    pub(crate) fn disconnected(&mut self) {
        self.in_flight.clear();
    }
}
