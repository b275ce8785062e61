//! The timeline stays where one reads.

use crossterm::event::KeyCode;

use super::bench::{Bench, numbered, orders};
use crate::language::Language;
use crate::tui::event::{Effect, Event, Order};
use crate::tui::timeline::scroll::Position;

/// In a room of 300 messages, of which the last 50 are loaded.
fn bench() -> Bench {
    let mut bench = Bench::connected((80, 24), Language::English);
    bench.history("lobby", 0, Vec::new(), false);
    bench.history("room", 0, numbered(251..=300), true);
    bench.show("수다방");
    bench
}

fn older(effects: &[Effect]) -> Option<u64> {
    orders(effects).into_iter().find_map(|order| match order {
        Order::History { before_seq, .. } => Some(before_seq),
        _ => None,
    })
}

#[test]
fn at_the_end_one_stays_at_the_end() {
    let mut bench = bench();
    for seq in 301..=340 {
        bench.said(seq, "jiyeong", "지영", &format!("글 {seq}."));
        assert_eq!(bench.rows_with(&format!("글 {seq}.")), 1);
    }
    assert_eq!(bench.model.current().unwrap().unread, 0);
}

#[test]
fn what_is_read_further_up_does_not_move_and_new_ones_are_counted() {
    let mut bench = bench();
    bench.wheel(true);
    bench.wheel(true);
    let before = bench.screen();
    bench.said(301, "jiyeong", "지영", "새 글 하나");
    bench.said(302, "jiyeong", "지영", "새 글 둘");
    let after = bench.screen();
    assert_eq!(bench.rows_with("▼ 2 new messages"), 1);
    assert_eq!(bench.rows_with("새 글"), 0);
    let timeline = |screen: &str| {
        screen
            .lines()
            .take(21)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    // The list of rooms counts too, so the first row differs there.
    let moved = timeline(&before)
        .iter()
        .zip(timeline(&after))
        .filter(|(a, b)| a.chars().skip(22).ne(b.chars().skip(22)))
        .count();
    assert!(moved <= 1, "{before}\n\n{after}");
    bench.key(KeyCode::Esc);
    assert_eq!(bench.rows_with("새 글"), 2);
    assert_eq!(bench.rows_with("new messages (Esc)"), 0);
    assert_eq!(bench.model.current().unwrap().unread, 0);
}

#[test]
fn older_messages_load_above_without_a_jump() {
    let mut bench = bench();
    let mut asked = None;
    for _ in 0..100 {
        asked = older(&bench.key(KeyCode::PageUp));
        if asked.is_some() {
            break;
        }
    }
    assert_eq!(asked, Some(251));
    // Only once, however often one scrolls meanwhile.
    assert_eq!(older(&bench.wheel(true)), None);
    bench.wheel(false);
    let text_rows = |bench: &Bench| -> Vec<(usize, String)> {
        let screen = bench.screen();
        let rows = screen.lines().map(str::to_owned).enumerate();
        rows.filter(|(_, row)| row.contains("글 ")).collect()
    };
    let before = text_rows(&bench);
    bench.history("room", 251, numbered(201..=250), true);
    let after = text_rows(&bench);
    // Every message that was seen is in the same row.
    for row in &before {
        assert!(after.contains(row), "{before:?}\n{after:?}");
    }
}

#[test]
fn one_can_scroll_to_the_very_first_message() {
    let mut bench = bench();
    let mut first = 251;
    for _ in 0..1_000 {
        if let Some(before) = older(&bench.key(KeyCode::PageUp)) {
            assert_eq!(before, first);
            first -= 50;
            bench.history("room", before, numbered(first..=before - 1), first > 1);
        }
    }
    assert_eq!(first, 1);
    assert_eq!(bench.rows_with("글 1."), 1);
    // And down again, seeing every message on the way.
    let mut seen = std::collections::BTreeSet::new();
    loop {
        for row in bench.screen().lines() {
            if let Some((_, rest)) = row.split_once("글 ") {
                seen.insert(rest.trim_end_matches('.').parse::<u64>().unwrap());
            }
        }
        if bench.model.current().unwrap().position == Position::Bottom {
            break;
        }
        bench.key(KeyCode::PageDown);
    }
    assert!(seen.into_iter().eq(1..=300));
}

#[test]
fn resizing_keeps_the_lowest_message() {
    let mut bench = bench();
    for _ in 0..5 {
        bench.wheel(true);
    }
    let lowest = |bench: &Bench| {
        let screen = bench.screen();
        let row = screen.lines().rfind(|row| row.contains("글 ")).unwrap();
        row.split_once("글 ").unwrap().1.to_owned()
    };
    let before = lowest(&bench);
    for size in [(120, 40), (30, 10), (80, 24)] {
        bench.feed(Event::Resize(size.0, size.1));
        assert_eq!(lowest(&bench), before, "{size:?}");
    }
}

#[test]
fn any_size_can_be_drawn() {
    let mut bench = bench();
    bench.write("쓰다 만 글");
    for columns in [0, 1, 2, 3, 10, 21, 22, 23, 63, 64, 300] {
        for rows in [0, 1, 2, 3, 5, 50] {
            bench.feed(Event::Resize(columns, rows));
            for key in ['k', 'f'] {
                bench.control(key);
                bench.screen();
                bench.key(KeyCode::Esc);
            }
            bench.key(KeyCode::F(1));
            bench.screen();
            bench.key(KeyCode::Esc);
            bench.wheel(true);
        }
    }
}

#[test]
fn a_terminal_that_is_smaller_than_known_is_no_harm() {
    let mut bench = bench();
    for overlay in [KeyCode::Null, KeyCode::F(1)] {
        bench.key(overlay);
        bench.draw_in(30, 10);
        bench.draw_in(1, 1);
        bench.draw_in(200, 60);
    }
    bench.key(KeyCode::Esc);
    bench.control('k');
    bench.draw_in(30, 10);
}

#[test]
fn a_search_goes_from_match_to_match() {
    let mut bench = bench();
    bench.control('f');
    bench.write("글 26");
    assert_eq!(bench.rows_with("10/10"), 1);
    assert_eq!(bench.rows_with("글 269."), 1);
    bench.key(KeyCode::Enter);
    assert_eq!(bench.rows_with("9/10"), 1);
    bench.key(KeyCode::Down);
    bench.key(KeyCode::Down);
    assert_eq!(bench.rows_with("1/10"), 1);
    assert_eq!(bench.rows_with("글 260."), 1);
    bench.write("x");
    assert_eq!(bench.rows_with("nothing found"), 1);
    bench.key(KeyCode::Esc);
    assert_eq!(bench.rows_with("Search:"), 0);
}

#[test]
fn loaded_messages_are_bounded_at_the_end() {
    let mut bench = bench();
    for seq in 301..=5_000 {
        bench.said(seq, "jiyeong", "지영", "글");
    }
    let count = bench.model.current().unwrap().timeline.items().len();
    assert!(count <= crate::tui::timeline::KEPT_MAX);
    // What was forgotten is loaded again when one goes there.
    bench.feed(Event::Key(crossterm::event::KeyEvent::new(
        KeyCode::Home,
        crossterm::event::KeyModifiers::CONTROL,
    )));
    let first = bench.model.current().unwrap().timeline.first_seq().unwrap();
    assert!(bench.model.current().unwrap().timeline.loading_above);
    assert!(first > 2_000);
}
