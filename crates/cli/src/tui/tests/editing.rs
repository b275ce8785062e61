//! Writing: what an IME commits, line breaks, pastes, and where the cursor stands.

use crossterm::event::KeyCode;

use super::bench::{Bench, numbered, posts};
use crate::language::Language;
use crate::tui::event::Event;
use crate::tui::kept::Kept;

fn bench() -> Bench {
    Bench::in_room((80, 24), Language::Korean, numbered(1..=2))
}

#[test]
fn korean_is_sent_once_and_whole() {
    let mut bench = bench();
    bench.write("안녕하세요");
    let sent = posts(&bench.key(KeyCode::Enter));
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].1, "안녕하세요");
    // A second Enter has nothing to send.
    assert!(posts(&bench.key(KeyCode::Enter)).is_empty());
}

#[test]
fn the_cursor_stands_behind_what_is_written_in_cells() {
    let mut bench = bench();
    let (start, row) = bench.cursor();
    for (text, cells) in [("안", 2), ("녕", 4), ("a", 5), ("👍", 7)] {
        bench.write(text);
        assert_eq!(bench.cursor(), (start + cells, row), "{text}");
    }
    bench.key(KeyCode::Left);
    assert_eq!(bench.cursor(), (start + 5, row));
    bench.key(KeyCode::Home);
    assert_eq!(bench.cursor(), (start, row));
}

#[test]
fn lines_break_without_sending() {
    let mut bench = bench();
    bench.write("첫 줄");
    bench.alt(KeyCode::Enter);
    bench.write("둘째");
    bench.control('j');
    bench.write("셋째");
    assert_eq!(
        bench.row_of("첫 줄").map(|row| row + 2),
        bench.row_of("셋째")
    );
    let sent = posts(&bench.key(KeyCode::Enter));
    assert_eq!(sent[0].1, "첫 줄\n둘째\n셋째");
}

#[test]
fn a_paste_with_line_breaks_sends_nothing() {
    let mut bench = bench();
    let effects = bench.feed(Event::Paste("하나\r\n/quit\n둘".into()));
    assert!(effects.is_empty());
    assert_eq!(
        bench.model.current().unwrap().composer.text(),
        "하나\n/quit\n둘"
    );
}

#[test]
fn drafts_are_per_room_and_kept() {
    let mut bench = bench();
    bench.write("수다방에 쓰다 만 글");
    bench.control('n');
    assert_eq!(bench.rows_with("쓰다 만 글"), 0);
    bench.write("lobby에 쓰던 글");
    bench.control('p');
    assert_eq!(bench.rows_with("수다방에 쓰다 만 글"), 1);
    let kept = bench.model.kept();
    assert_eq!(kept.room.as_deref(), Some("room"));
    let next = Bench::start((80, 24), Language::Korean, kept);
    assert_eq!(next.rows_with("수다방에 쓰다 만 글"), 1);
    assert_eq!(next.model.rooms["lobby"].composer.text(), "lobby에 쓰던 글");
}

#[test]
fn what_is_written_scrolls_with_its_cursor() {
    let mut bench = bench();
    for number in 1..=30 {
        bench.write(&format!("줄 {number}"));
        bench.alt(KeyCode::Enter);
    }
    assert_eq!(bench.rows_with("줄 30"), 1);
    assert_eq!(bench.rows_with("줄 15"), 0);
    for _ in 0..20 {
        bench.key(KeyCode::Up);
    }
    assert_eq!(bench.rows_with("줄 11"), 1);
    assert!(bench.cursor().1 < 23);
}

#[test]
fn what_is_written_before_there_is_a_room_goes_to_the_first_that_is_shown() {
    let mut bench = Bench::start((80, 24), Language::Korean, Kept::default());
    bench.write("성급하게 쓴 글");
    assert!(posts(&bench.key(KeyCode::Enter)).is_empty());
    assert_eq!(bench.rows_with("› 성급하게 쓴 글"), 1);
    // The next run has it as well.
    let mut bench = Bench::start((80, 24), Language::Korean, bench.model.kept());
    assert_eq!(bench.rows_with("› 성급하게 쓴 글"), 1);
    bench.online();
    bench.rooms();
    assert_eq!(bench.model.current().unwrap().name, "lobby");
    assert_eq!(bench.rows_with("› 성급하게 쓴 글"), 1);
    assert_eq!(posts(&bench.key(KeyCode::Enter)).len(), 1);
}
