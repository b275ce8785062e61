//! Questions that change nothing: asked, asked again after a lost connection, answered once.

use std::collections::BTreeMap;

use suda_protocol::v1::command::Request;

use super::config::QUESTIONS_MAX;
use super::event::RequestId;
use crate::CommandError;

#[derive(Debug)]
struct Question {
    request: Request,
    sent: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Questions {
    last_id: u64,
    open: BTreeMap<RequestId, Question>,
}

impl Questions {
    pub(crate) fn push(&mut self, request: Request) -> Result<RequestId, CommandError> {
        if self.open.len() >= QUESTIONS_MAX {
            return Err(CommandError::TooManyQuestions);
        }
        self.last_id += 1;
        let id = RequestId(self.last_id);
        self.open.insert(
            id,
            Question {
                request,
                sent: false,
            },
        );
        Ok(id)
    }

    /// The next to send; it counts as sent then.
    pub(crate) fn next(&mut self) -> Option<(RequestId, Request)> {
        let (id, question) = self.open.iter_mut().find(|(_, question)| !question.sent)?;
        question.sent = true;
        Some((*id, question.request.clone()))
    }

    /// Whether it was still open.
    pub(crate) fn settle(&mut self, id: RequestId) -> bool {
        self.open.remove(&id).is_some()
    }

    pub(crate) fn disconnected(&mut self) {
        for question in self.open.values_mut() {
            question.sent = false;
        }
    }
}
