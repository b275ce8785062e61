//! What names of users and rooms may be. Pure rules, used by the server to decide and by clients to say it before
//! asking.

use unicode_normalization::UnicodeNormalization as _;

use crate::limits::{ROOM_NAME_CHARS_MAX, USER_NAME_CHARS_MAX};

/// Why a name cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left after trimming.
    #[error("The name is empty.")]
    Empty,
    /// More characters than the limit.
    #[error("The name has more than {chars_max} characters.")]
    TooLong {
        /// The limit, in Unicode scalar values.
        chars_max: usize,
    },
    /// A character that cannot be seen or that changes how its neighbours are shown.
    #[error("The name has an invisible or control character (U+{code_point:04X}).")]
    Invisible {
        /// Which.
        code_point: u32,
    },
    /// It reads as a UUID, and a room is asked for by its id or its name.
    #[error("The name looks like an id.")]
    LooksLikeId,
}

/// The form in which a user's name is kept, or why it can't be one.
pub fn user_name(name: &str) -> Result<String, NameError> {
    normalise(name, USER_NAME_CHARS_MAX)
}

/// The form in which a room's name is kept, or why it can't be one.
pub fn room_name(name: &str) -> Result<String, NameError> {
    normalise(name, ROOM_NAME_CHARS_MAX)
}

/// What two names are compared by: names with the same key look or sound too much alike to be two. Takes a normalised
/// name.
///
/// It is the compatibility form (NFKC) in lower case, so that `Suda`, `suda` and `ＳＵＤＡ` are one.
pub fn key(name: &str) -> String {
    name.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// Trimmed, composed (NFC), with single spaces inside.
fn normalise(name: &str, chars_max: usize) -> Result<String, NameError> {
    // Far more bytes than any name of that many characters is typed with: not worth composing.
    if name.len() > chars_max * 64 {
        return Err(NameError::TooLong { chars_max });
    }
    let name = name.trim();
    if let Some(c) = name.chars().find(|c| is_invisible(*c)) {
        return Err(NameError::Invisible {
            code_point: c as u32,
        });
    }
    let name: String = name
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .nfc()
        .collect();
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.chars().count() > chars_max {
        return Err(NameError::TooLong { chars_max });
    }
    if looks_like_id(&name) {
        return Err(NameError::LooksLikeId);
    }
    Ok(name)
}

/// Characters with no picture of their own: controls, format characters (zero width, text direction, tags), fillers,
/// line separators, variation selectors, private use and non-characters. With them two names could look the same, or a
/// name could disturb the line that it stands in.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{2800}' | '\u{3164}' | '\u{E000}'..='\u{F8FF}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}' | '\u{F0000}'..)
        || c as u32 & 0xFFFE == 0xFFFE
}

/// Whether a UUID reader might take it: 32 hexadecimal digits with or without hyphens, braces or the URN prefix.
fn looks_like_id(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let digits = name.strip_prefix("urn:uuid:").unwrap_or(&name);
    let digits: Vec<u8> = digits
        .bytes()
        .filter(|b| !matches!(b, b'-' | b'{' | b'}'))
        .collect();
    digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit)
}
