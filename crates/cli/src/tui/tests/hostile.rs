//! Hostile text, wherever other people's text is shown: a table of cases. Nothing of it may reach the terminal as more than letters.

use crossterm::event::KeyCode;

use super::bench::{Bench, MORNING_MS, message};
use crate::language::Language;

const CASES: [(&str, &str); 13] = [
    ("clears the screen", "\x1b[2J\x1b[H"),
    ("sets the title", "\x1b]0;title\x07"),
    ("an 8-bit control sequence", "\u{9b}2J"),
    ("moves left", "abc\x08\x08\x08\r"),
    ("turns the text around", "\u{202e}gpj.exe"),
    ("isolates", "\u{2066}a\u{2069}\u{200f}"),
    ("by character references", "&#27;[2J&#x202e;&#8238;"),
    ("in code", "`\x1b[2J`\n\n```\n\x1b[2J\u{202e}\n```"),
    ("in a link", "[\x1b[2J](https://x/\x1b[2J \"\u{202e}\")"),
    (
        "a link that runs",
        "[여기\x1b[2J](javascript:alert(1)\u{202e})",
    ),
    (
        "in HTML",
        "<b\x1b[2J onclick=x>\u{202e}</b><script>alert(1)</script>",
    ),
    (
        "other line breaks",
        "a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f",
    ),
    ("device control", "\x1bP+q\x1b\\\x1b_x\x1b\\"),
];

fn is_harmless(screen: &str) -> bool {
    !screen.chars().any(|c| {
        c != '\n' && c.is_control()
            || matches!(c, '\u{200b}' | '\u{feff}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[test]
fn hostile_text_is_harmless_in_messages_and_names() {
    for (what, text) in CASES {
        let messages = vec![
            message(1, "eve", text, MORNING_MS, text),
            message(2, "jiyeong", "지영", MORNING_MS, "그다음 글"),
        ];
        let mut bench = Bench::in_room((80, 24), Language::Korean, messages);
        bench.model.rooms.get_mut("lobby").unwrap().name = text.to_owned();
        let screen = bench.screen();
        assert!(is_harmless(&screen), "{what}: {screen:?}");
        assert_eq!(bench.rows_with("그다음 글"), 1, "{what}: {screen}");
        bench.control('k');
        assert!(is_harmless(&bench.screen()), "{what}");
        bench.key(KeyCode::Esc);
        bench.feed(crate::tui::event::Event::Paste(text.into()));
        assert!(is_harmless(&bench.screen()), "{what}");
        // Answered, it stands above what is written.
        bench.alt(KeyCode::Char('r'));
        bench.key(KeyCode::Up);
        bench.key(KeyCode::Enter);
        assert_eq!(bench.model.current().unwrap().reply_to, 1);
        assert!(is_harmless(&bench.screen()), "{what}");
    }
}

#[test]
fn floods_are_bounded() {
    let floods = [
        "\u{200b}".repeat(5_000),
        format!("a{}", "\u{301}".repeat(5_000)),
        "가".repeat(5_000),
        "👩‍👩‍👧".repeat(500),
        "\n".repeat(5_000),
        "> ".repeat(5_000),
        "- ".repeat(5_000),
        "[".repeat(5_000),
        "*a_".repeat(5_000),
        format!("{}가{}", "*".repeat(4_000), "*".repeat(4_000)),
    ];
    for flood in floods {
        let messages = vec![
            message(1, "eve", "이브", MORNING_MS, &flood),
            message(2, "jiyeong", "지영", MORNING_MS, "그다음 글"),
        ];
        let mut bench = Bench::in_room((80, 24), Language::Korean, messages);
        assert_eq!(bench.rows_with("그다음 글"), 1);
        for cell in bench.screen().split('\n') {
            assert!(cell.chars().count() < 2_000);
        }
        for _ in 0..5 {
            bench.wheel(true);
            bench.screen();
        }
    }
}
