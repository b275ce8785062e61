//! The driver: one task that owns the machine and the connection, and the handles to it.
//!
//! The task feeds the [`Machine`](crate::Machine) and carries out what it says; every decision is the machine's.

mod client;
mod events;
mod orders;
mod socket;
mod task;

use suda_protocol::Codec;
use uuid::Uuid;

pub use client::{Client, Post};
pub use events::Events;

use crate::{Pending, Server};

/// Orders to the task that may wait.
pub(crate) const ORDERS_MAX: usize = 64;

/// Events that may wait to be taken; while that many do, nothing is read from the connection.
pub const EVENTS_MAX: usize = 1_024;

/// Who connects where.
#[derive(Clone)]
pub struct ClientConfig {
    pub(crate) server: Server,
    pub(crate) token: String,
    pub(crate) device: Uuid,
    pub(crate) client: String,
    pub(crate) codec: Codec,
    pub(crate) pending: Vec<Pending>,
}

impl std::fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientConfig")
            .field("server", &self.server)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

impl ClientConfig {
    /// With the token that signing in gave, the UUID that this device was given once, and the program's name and
    /// version (`"suda-cli/0.1.0"`).
    pub fn new(
        server: Server,
        token: impl Into<String>,
        device: Uuid,
        client: impl Into<String>,
    ) -> ClientConfig {
        ClientConfig {
            server,
            token: token.into(),
            device,
            client: client.into(),
            codec: Codec::Proto,
            pending: Vec::new(),
        }
    }

    /// With another codec than Protobuf.
    #[must_use]
    pub fn codec(mut self, codec: Codec) -> ClientConfig {
        self.codec = codec;
        self
    }

    /// With commands that an earlier client could not finish ([`Client::close`]). They are sent first, in their order;
    /// their answers come as [`Event::Accepted`](crate::Event::Accepted) or [`Event::Refused`](crate::Event::Refused).
    #[must_use]
    pub fn pending(mut self, pending: Vec<Pending>) -> ClientConfig {
        self.pending = pending;
        self
    }
}
