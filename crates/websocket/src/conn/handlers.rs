//! What the program wants to be told of, besides messages: pings, pongs and the peer's close frame.

use crate::CloseError;

type OnPayload = Box<dyn FnMut(&[u8]) + Send>;
type OnClose = Box<dyn FnOnce(&CloseError) + Send>;

/// The handlers that are set.
#[derive(Default)]
pub(super) struct Handlers {
    pub(super) ping: Option<OnPayload>,
    pub(super) pong: Option<OnPayload>,
    /// Called once: there is one close frame, though every later read tells of it.
    pub(super) close: Option<OnClose>,
}

impl Handlers {
    pub(super) fn handle_ping(&mut self, payload: &[u8]) {
        if let Some(handler) = &mut self.ping {
            handler(payload);
        }
    }

    pub(super) fn handle_pong(&mut self, payload: &[u8]) {
        if let Some(handler) = &mut self.pong {
            handler(payload);
        }
    }

    pub(super) fn handle_close(&mut self, close: &CloseError) {
        if let Some(handler) = self.close.take() {
            handler(close);
        }
    }
}
