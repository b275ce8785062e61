//! Close codes: what each [`CloseCode`] means, from the one table in the schema, and the rule that a client follows
//! when its connection closes.

use crate::tables::{CLOSES, CloseRow};
use crate::v1::CloseCode;

impl CloseCode {
    /// Every code, in the order of the table. The first, `Unspecified`, is never sent.
    pub fn all() -> impl Iterator<Item = CloseCode> {
        CLOSES.iter().map(|row| row.code)
    }

    /// The number in the close frame.
    pub fn number(self) -> u16 {
        // The table holds 0 and 4000 to 4999 only; a test sees to it.
        self as i32 as u16
    }

    /// The code with that number.
    pub fn from_number(number: u16) -> Option<CloseCode> {
        CloseCode::try_from(i32::from(number))
            .ok()
            .filter(|code| *code != CloseCode::Unspecified)
    }

    /// The code's name: `"going_away"`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The sentence for a person; short enough for the reason of a close frame (123 bytes, RFC 6455 section 5.5).
    pub fn message(self) -> &'static str {
        self.row().message
    }

    /// Whether a client should connect again.
    pub fn come_back(self) -> bool {
        self.row().come_back
    }

    fn row(self) -> &'static CloseRow {
        CLOSES
            .iter()
            .find(|row| row.code == self)
            .unwrap_or(&CLOSES[0])
    }
}

/// Whether a client should connect again after a connection that ended with this close code: one of this protocol's,
/// one of RFC 6455 section 7.4.1, or a number that no table knows.
///
/// 4000 to 4499 mean come back and 4500 to 4999 mean don't, known or not. Of the codes of RFC 6455, those that tell of
/// a server, a proxy or a link that went away mean come back: 1000 (which only something between would send), 1001,
/// 1005, 1006 and 1011 to 1014. The others tell of a client that would fail in the same way again.
pub fn is_come_back(code: u16) -> bool {
    matches!(code, 4000..=4499 | 1000 | 1001 | 1005 | 1006 | 1011..=1014)
}
