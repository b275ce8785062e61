//! What the program wants to be told of, besides messages: pings, pongs and the peer's close frame.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use crate::CloseError;

type OnPayload = Box<dyn FnMut(&[u8]) + Send>;
type OnClose = Box<dyn FnOnce(&CloseError) + Send>;

/// The handlers that are set. The mutexes are never locked: they let a reader be shared whatever its handlers hold.
#[derive(Default)]
pub(super) struct Handlers {
    ping: Option<Mutex<OnPayload>>,
    pong: Option<Mutex<OnPayload>>,
    close: Option<Mutex<OnClose>>,
}

impl Handlers {
    pub(super) fn set_ping(&mut self, handler: OnPayload) {
        self.ping = Some(Mutex::new(handler));
    }

    pub(super) fn set_pong(&mut self, handler: OnPayload) {
        self.pong = Some(Mutex::new(handler));
    }

    pub(super) fn set_close(&mut self, handler: OnClose) {
        self.close = Some(Mutex::new(handler));
    }

    pub(super) fn handle_ping(&mut self, payload: &[u8]) {
        call(&mut self.ping, payload);
    }

    pub(super) fn handle_pong(&mut self, payload: &[u8]) {
        call(&mut self.pong, payload);
    }

    /// There is one close frame, though every later read tells of it.
    pub(super) fn handle_close(&mut self, close: &CloseError) {
        if let Some(handler) = self.close.take() {
            let handler = handler.into_inner().unwrap_or_else(PoisonError::into_inner);
            handler(close);
        }
    }
}

fn call(handler: &mut Option<Mutex<OnPayload>>, payload: &[u8]) {
    if let Some(handler) = handler {
        (handler.get_mut().unwrap_or_else(PoisonError::into_inner))(payload);
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handlers").finish_non_exhaustive()
    }
}
