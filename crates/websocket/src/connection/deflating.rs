//! The outgoing half of permessage-deflate: which messages are compressed, and with which context.

#[cfg(feature = "tokio")]
use crate::batch::Terms;
use crate::{
    Compression, Role,
    deflate::{
        COMPRESSION_LEVEL_DEFAULT, COMPRESSION_LEVEL_MAX, Compressor, Settings,
        TAKEOVER_LEVEL_DEFAULT, WINDOW_BITS_MAX, WINDOW_BITS_MIN, Workspace,
    },
};

#[derive(Debug)]
pub(crate) struct Deflating {
    /// As agreed on in the handshake.
    agreed: Compression,
    settings: Settings,
    takes_over: bool,
    enabled: bool,
    compressor: Option<Compressor>,
}

impl Deflating {
    pub(super) fn new(role: Role, agreed: Compression) -> Self {
        let (window_bits, forgets) = match role {
            Role::Client => (
                agreed.client_max_window_bits,
                agreed.client_no_context_takeover,
            ),
            Role::Server => (
                agreed.server_max_window_bits,
                agreed.server_no_context_takeover,
            ),
        };
        let bounded = agreed.bounded();
        let (history_bits, level) = if forgets {
            (WINDOW_BITS_MAX, COMPRESSION_LEVEL_DEFAULT)
        } else {
            (bounded.history_bits, TAKEOVER_LEVEL_DEFAULT)
        };
        Self {
            agreed,
            settings: Settings {
                window_bits: window_bits.min(history_bits),
                memory_level: bounded.memory_level,
                level: bounded.level.unwrap_or(level),
            },
            takes_over: !forgets,
            enabled: true,
            compressor: None,
        }
    }

    pub(super) fn agreed(&self) -> &Compression {
        &self.agreed
    }

    pub(super) fn set_enabled(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    /// From the next message on.
    pub(super) fn set_level(&mut self, level: u8) {
        self.settings.level = level.min(COMPRESSION_LEVEL_MAX);
    }

    /// Whether a message is to be compressed; its length, if that is known.
    pub(super) fn wants(&self, bytes: Option<usize>) -> bool {
        self.enabled
            && self.settings.window_bits >= WINDOW_BITS_MIN
            && bytes.is_none_or(|bytes| bytes >= self.agreed.bytes_min)
    }

    /// What the bytes of a message depend on, if on nothing that was sent before.
    pub(super) fn shared_settings(&self) -> Option<Settings> {
        (!self.takes_over).then_some(self.settings)
    }

    /// What is compressed and how, if [`shared_settings`](Self::shared_settings) are all that it depends on.
    #[cfg(feature = "tokio")]
    pub(super) fn shared_terms(&self) -> Option<Terms> {
        self.shared_settings().map(|settings| Terms {
            settings,
            bytes_min: self.agreed.bytes_min,
        })
    }

    /// Gets the context ready for a message.
    pub(super) fn begin(&mut self) {
        let settings = self.settings;
        self.compressor
            .get_or_insert_with(|| Compressor::lend(settings))
            .set_level(settings.level);
    }

    /// Compresses the next piece of the message that was begun; `fin` ends it.
    pub(crate) fn compress<'w>(
        &mut self,
        piece: &[u8],
        fin: bool,
        work: &'w mut Workspace,
    ) -> &'w [u8] {
        let settings = self.settings;
        let compressor = self
            .compressor
            .get_or_insert_with(|| Compressor::lend(settings));
        let made = compressor.compress(piece, fin, work);
        if fin {
            self.end();
        }
        made
    }

    /// The message ends, or is given up with its connection.
    pub(super) fn end(&mut self) {
        if !self.takes_over
            && let Some(compressor) = self.compressor.take()
        {
            compressor.give_back();
        }
    }
}
