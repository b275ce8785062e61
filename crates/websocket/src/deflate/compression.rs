//! What a side wants of compression, and after the handshake what both have agreed on.

/// Level of compression unless set otherwise: zlib's own choice.
pub const COMPRESSION_LEVEL_DEFAULT: u8 = 6;
/// Level of compression where the context is taken over, unless set otherwise. With a history of [`HISTORY_BITS_DEFAULT`] it takes
/// two thirds of the time of level 6 with all of a window of 15 bits, and makes JSON of 2 KiB shorter by 3 % (`docs/performance.md`).
pub const TAKEOVER_LEVEL_DEFAULT: u8 = 7;
/// The level that compresses best and slowest. 0 only wraps the bytes.
pub const COMPRESSION_LEVEL_MAX: u8 = 9;
/// Memory level unless set otherwise: zlib's own choice, 370 KiB per sending context with a window of 15 bits.
pub const MEMORY_LEVEL_DEFAULT: u8 = 8;
/// The memory level that is fastest and takes most. The least is 1.
pub const MEMORY_LEVEL_MAX: u8 = 9;
/// Shorter messages are sent as they are unless set otherwise, in bytes: without context they hardly get shorter.
pub const COMPRESSED_BYTES_MIN_DEFAULT: usize = 128;
/// The smallest window that can be compressed with, as a power of two: 512 bytes. RFC 7692 knows 8, too, which no encoder of
/// the zlib family can do; it is declined, or nothing is compressed.
pub const WINDOW_BITS_MIN: u8 = 9;
/// The largest window, as a power of two: 32 KiB.
pub const WINDOW_BITS_MAX: u8 = 15;
/// How far back a context that is taken over reaches unless set otherwise, as a power of two: 16 KiB.
pub const HISTORY_BITS_DEFAULT: u8 = 14;

/// How permessage-deflate (RFC 7692) is offered, accepted and used. Off unless given to
/// [`Upgrader::compression`](crate::Upgrader::compression) or [`Dialer::compression`](crate::Dialer::compression).
///
/// Before the handshake the four parameters say what this side asks for; [`Connection::compression`](crate::Connection::compression)
/// gives them as they were agreed on. The default lets neither side take its context over from message to message: contexts are then
/// shared by all connections of a thread, and a [`PreparedMessage`](crate::PreparedMessage) is compressed once for all of
/// them. With takeover small similar messages get much shorter, and each connection keeps about 350 KiB once it has
/// sent and received; a shorter history and a smaller memory level make that 180 KiB.
///
/// ```
/// use suda_websocket::Compression;
/// let small = Compression::default().level(3).memory_level(5).server_max_window_bits(12);
/// let close = Compression::default().context_takeover(true);
/// assert!(small.server_no_context_takeover && !close.server_no_context_takeover);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Compression {
    /// How hard to compress what is sent, 0 to [`COMPRESSION_LEVEL_MAX`]. Unless set, what was agreed on decides:
    /// [`TAKEOVER_LEVEL_DEFAULT`] where this side takes its context over, [`COMPRESSION_LEVEL_DEFAULT`] where it forgets it.
    pub level: Option<u8>,
    /// How much memory a sending context takes, 1 to [`MEMORY_LEVEL_MAX`]. Default [`MEMORY_LEVEL_DEFAULT`].
    pub memory_level: u8,
    /// How far back a sender looks that takes its context over, [`WINDOW_BITS_MIN`] to [`WINDOW_BITS_MAX`], and no further than the
    /// window that was agreed on. A sender may do with less than that (RFC 7692, section 7.2.1): the search through a long history is
    /// most of the work. More pays where messages of more than 16 KiB resemble each other. Default [`HISTORY_BITS_DEFAULT`].
    pub history_bits: u8,
    /// Messages below this many bytes are sent as they are. Default [`COMPRESSED_BYTES_MIN_DEFAULT`].
    pub bytes_min: usize,
    /// The server forgets its context after each message (section 7.1.1.1).
    pub server_no_context_takeover: bool,
    /// The client forgets its context after each message (section 7.1.1.2). As a server: asked of every client.
    pub client_no_context_takeover: bool,
    /// The server's window, [`WINDOW_BITS_MIN`] to [`WINDOW_BITS_MAX`] (section 7.1.2.1).
    pub server_max_window_bits: u8,
    /// The client's window (section 7.1.2.2). As a server: asked of the clients that can obey, the others may take 15. What was
    /// agreed on may be 8: this client then compresses nothing, and its messages go as they are.
    pub client_max_window_bits: u8,
}

impl Default for Compression {
    fn default() -> Self {
        Self {
            level: None,
            memory_level: MEMORY_LEVEL_DEFAULT,
            history_bits: HISTORY_BITS_DEFAULT,
            bytes_min: COMPRESSED_BYTES_MIN_DEFAULT,
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            server_max_window_bits: WINDOW_BITS_MAX,
            client_max_window_bits: WINDOW_BITS_MAX,
        }
    }
}

impl Compression {
    /// Lets both sides keep their context from message to message, or neither. A [`level`](Self::level) that was set stays.
    #[must_use]
    pub fn context_takeover(mut self, keep: bool) -> Self {
        self.server_no_context_takeover = !keep;
        self.client_no_context_takeover = !keep;
        self
    }

    /// Sets [`Compression::server_no_context_takeover`].
    #[must_use]
    pub fn server_no_context_takeover(mut self, forget: bool) -> Self {
        self.server_no_context_takeover = forget;
        self
    }

    /// Sets [`Compression::client_no_context_takeover`].
    #[must_use]
    pub fn client_no_context_takeover(mut self, forget: bool) -> Self {
        self.client_no_context_takeover = forget;
        self
    }

    /// Sets [`Compression::server_max_window_bits`]; taken as the nearest that is possible.
    #[must_use]
    pub fn server_max_window_bits(mut self, bits: u8) -> Self {
        self.server_max_window_bits = bits.clamp(WINDOW_BITS_MIN, WINDOW_BITS_MAX);
        self
    }

    /// Sets [`Compression::client_max_window_bits`]; taken as the nearest that is possible.
    #[must_use]
    pub fn client_max_window_bits(mut self, bits: u8) -> Self {
        self.client_max_window_bits = bits.clamp(WINDOW_BITS_MIN, WINDOW_BITS_MAX);
        self
    }

    /// Sets [`Compression::level`]; more than the most is taken as the most.
    #[must_use]
    pub fn level(mut self, level: u8) -> Self {
        self.level = Some(level.min(COMPRESSION_LEVEL_MAX));
        self
    }

    /// Sets [`Compression::memory_level`]; taken as the nearest that is possible.
    #[must_use]
    pub fn memory_level(mut self, level: u8) -> Self {
        self.memory_level = level.clamp(1, MEMORY_LEVEL_MAX);
        self
    }

    /// Sets [`Compression::history_bits`]; taken as the nearest that is possible.
    #[must_use]
    pub fn history_bits(mut self, bits: u8) -> Self {
        self.history_bits = bits.clamp(WINDOW_BITS_MIN, WINDOW_BITS_MAX);
        self
    }

    /// Sets [`Compression::bytes_min`].
    #[must_use]
    pub fn bytes_min(mut self, bytes: usize) -> Self {
        self.bytes_min = bytes;
        self
    }

    /// The same with every number that was set past its bounds brought back into them.
    pub(crate) fn bounded(self) -> Self {
        let level = self.level.map(|level| level.min(COMPRESSION_LEVEL_MAX));
        Self { level, ..self }
            .memory_level(self.memory_level)
            .history_bits(self.history_bits)
            .server_max_window_bits(self.server_max_window_bits)
            .client_max_window_bits(self.client_max_window_bits)
    }
}
