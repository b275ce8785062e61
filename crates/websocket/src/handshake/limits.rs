//! Every bound of the opening handshake, with its unit.

/// Bytes of a request head, from the method to the empty line, that a server reads before it answers 431, unless set otherwise.
pub const REQUEST_HEAD_BYTES_MAX: usize = 16 * 1024;

/// Bytes of an answer's head that a client reads before it gives up, unless set otherwise. Larger than for requests, because a
/// proxy's refusal page may come with many cookies.
pub const RESPONSE_HEAD_BYTES_MAX: usize = 64 * 1024;

/// Header lines in one head, either role, unless set otherwise. A request with more is answered with 431.
pub const HEADERS_MAX: usize = 100;

/// Bytes of a refusing answer's body that a client keeps, as gorilla does.
pub const REFUSAL_BODY_BYTES_MAX: usize = 1024;

/// Informational answers (100, 103) that a client skips before the real one.
pub const INFORMATIONAL_RESPONSES_MAX: usize = 8;

/// Bounds of one head. How long it may take to come is for the driver to bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes from the first line to the empty line.
    pub bytes_max: usize,
    /// Header lines.
    pub lines_max: usize,
}

impl HeadLimits {
    /// For requests: [`REQUEST_HEAD_BYTES_MAX`] and [`HEADERS_MAX`].
    pub const REQUEST: Self = Self {
        bytes_max: REQUEST_HEAD_BYTES_MAX,
        lines_max: HEADERS_MAX,
    };
    /// For answers: [`RESPONSE_HEAD_BYTES_MAX`] and [`HEADERS_MAX`].
    pub const RESPONSE: Self = Self {
        bytes_max: RESPONSE_HEAD_BYTES_MAX,
        lines_max: HEADERS_MAX,
    };
}
