//! The workers' ends of the journal.

use crate::journal::Ticket;
use std::sync::Arc;
use suda_engine::Entry;
use suda_engine::journal::Answer;

#[derive(Debug)]
pub(crate) struct Outlets;

impl Outlets {
    pub(crate) fn committed(&self, _entries: Vec<Arc<Entry>>) {}
    pub(crate) fn answers(&self, _answers: Vec<Answer<Ticket>>) {}
}

#[derive(Debug)]
pub(crate) struct Workers;

impl Workers {
    pub(crate) fn signed_out(&self, _device: uuid::Uuid) {}
}
