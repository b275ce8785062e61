//! Messages to DEFLATE blocks (RFC 7692, section 7.2.1).

use std::fmt;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush};

use super::{TAIL, Workspace};

/// What decides how the same bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) window_bits: u8,
    pub(crate) memory_level: u8,
    pub(crate) level: u8,
}

/// One direction's context of compression.
pub(crate) struct Compressor {
    deflate: Deflate,
    settings: Settings,
}

impl Compressor {
    pub(crate) fn new(settings: Settings) -> Self {
        let config = DeflateConfig {
            level: i32::from(settings.level),
            // Negative: DEFLATE as such, without a header around it.
            window_bits: -i32::from(settings.window_bits),
            mem_level: i32::from(settings.memory_level),
            ..DeflateConfig::default()
        };
        Self {
            deflate: Deflate::new_with_config(config),
            settings,
        }
    }

    /// Whether it can be used for `settings`. The level can be changed, the memory cannot.
    pub(super) fn fits(&self, settings: Settings) -> bool {
        Settings {
            level: settings.level,
            ..self.settings
        } == settings
    }

    pub(super) fn reset(&mut self) {
        self.deflate.reset();
    }

    /// To be called between two messages. Forgets the context if the new level works in another way: the peer's copy of
    /// it is then simply not referred to.
    pub(crate) fn set_level(&mut self, level: u8) {
        if level == self.settings.level {
            return;
        }
        if self.deflate.set_level(i32::from(level)).is_err() {
            self.deflate.reset();
            if self.deflate.set_level(i32::from(level)).is_err() {
                unreachable!("a context that was just reset takes every level from 0 to 9");
            }
        }
        self.settings.level = level;
    }

    /// Compresses the next piece of a message into `work`, flushed so that the peer can read all of it. Gives what to send,
    /// which may be nothing if the piece is empty and the message goes on.
    pub(crate) fn compress<'w>(
        &mut self,
        mut piece: &[u8],
        fin: bool,
        work: &'w mut Workspace,
    ) -> &'w [u8] {
        let mut made = 0;
        loop {
            let (taken_before, made_before) = (self.deflate.total_in(), self.deflate.total_out());
            let room = &mut work.bytes()[made..];
            let room_bytes = room.len();
            let result = self.deflate.compress(piece, room, DeflateFlush::SyncFlush);
            if let Err(error) = result {
                unreachable!("the encoder is never ended, and fed as it wants: {error:?}");
            }
            piece = &piece[(self.deflate.total_in() - taken_before) as usize..];
            let fresh = (self.deflate.total_out() - made_before) as usize;
            made += fresh;
            // Room that is left means that all is flushed.
            if fresh < room_bytes {
                break;
            }
            work.grow();
        }
        if fin {
            if made == 0 {
                // Nothing to flush since the last time: the header of an empty block, as section 7.2.3.6 has it.
                work.bytes()[0] = 0;
                made = 1;
            } else if work.bytes()[..made].ends_with(&TAIL) {
                made -= TAIL.len();
            }
        }
        &work.bytes()[..made]
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
