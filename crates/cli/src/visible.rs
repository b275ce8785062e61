//! Other people's text, made harmless for a terminal: what would move the cursor, change the terminal's state,
//! or make text look like other text, is shown as a visible sign instead.
//!
//! Letters, emoji with joiners and right-to-left scripts stay as they are.

use std::fmt::Write;

/// Text of one line: a line break in it becomes visible too. For names.
pub(crate) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        push(&mut shown, c);
    }
    shown
}

/// Text of several lines, split at every kind of line break. For messages. At least one line.
pub(crate) fn lines(text: &str) -> Vec<String> {
    text.replace("\r\n", "\n")
        .split(['\n', '\u{85}', '\u{2028}', '\u{2029}'])
        .map(line)
        .collect()
}

/// JSON in which characters that a terminal would act on are written as `\u` escapes: the same JSON to a parser.
///
/// JSON itself escapes only what is below U+0020. What is escaped here can occur nowhere but inside strings.
pub(crate) fn json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hostile(c) {
            // All of them have four hexadecimal digits.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

fn push(shown: &mut String, c: char) {
    match c {
        '\t' => shown.push_str("    "),
        // Unicode has a picture for each of the old control characters: ␛ for escape.
        '\0'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + u32::from(c))),
        '\u{7f}' => shown.push('\u{2421}'),
        c if is_hostile(c) => {
            let _ = write!(shown, "<U+{:04X}>", u32::from(c));
        }
        c => shown.push(c),
    }
}

/// Controls, and what reorders text on the screen or takes part in that (Unicode's Bidi_Control), and line separators.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}'
            | '\u{200e}' | '\u{200f}'
            | '\u{2028}' | '\u{2029}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korean_emoji_and_other_scripts_stay() {
        for text in ["안녕하세요", "👩‍👩‍👧 가족", "שלום", "e\u{301}"] {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn escape_sequences_become_visible() {
        assert_eq!(line("\x1b[2J\x1b]0;x\x07"), "␛[2J␛]0;x␇");
        assert_eq!(line("\u{9b}2J"), "<U+009B>2J");
        assert_eq!(line("a\rb\x08\x7f"), "a␍b␈␡");
    }

    #[test]
    fn direction_overrides_become_visible() {
        assert_eq!(line("\u{202e}gpj.exe"), "<U+202E>gpj.exe");
        assert_eq!(line("a\u{2066}b\u{2069}"), "a<U+2066>b<U+2069>");
    }

    #[test]
    fn every_line_break_breaks_a_message_and_none_breaks_a_name() {
        assert_eq!(
            lines("a\r\nb\nc\u{2028}d\u{85}e"),
            ["a", "b", "c", "d", "e"]
        );
        assert_eq!(line("a\nb\u{2029}c\u{85}d"), "a␊b<U+2029>c<U+0085>d");
        assert_eq!(lines(""), [""]);
    }

    #[test]
    fn json_keeps_its_meaning_without_hostile_characters() {
        let value =
            serde_json::json!({ "text": "수다 \x1b[2J \u{9b}2J \u{202e}x \u{2028} \u{7f}" });
        let shown = json(&value.to_string());
        assert!(!shown.chars().any(is_hostile));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
    }
}
