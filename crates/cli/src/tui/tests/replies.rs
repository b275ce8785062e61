//! Answering a message.

use crossterm::event::KeyCode;
use suda_protocol::{ErrorCode, v1};

use super::bench::{Bench, numbered, orders, posts};
use crate::language::Language;
use crate::tui::event::Order;

fn bench() -> Bench {
    Bench::in_room((80, 24), Language::English, numbered(1..=5))
}

/// What the posts among the effects answer.
fn answered(effects: &[crate::tui::event::Effect]) -> Vec<u64> {
    let answered = orders(effects).into_iter().filter_map(|order| match order {
        Order::Post { reply_to, .. } => Some(reply_to),
        _ => None,
    });
    answered.collect()
}

#[test]
fn a_message_is_chosen_and_answered_once() {
    let mut bench = bench();
    bench.write("그럼요");
    bench.alt(KeyCode::Char('r'));
    assert_eq!(bench.rows_with("› 글 5."), 1);
    bench.key(KeyCode::Up);
    bench.key(KeyCode::Up);
    bench.key(KeyCode::Down);
    assert_eq!(bench.rows_with("› 글 4."), 1);
    bench.key(KeyCode::Enter);
    assert_eq!(bench.rows_with("› 글"), 0);
    assert_eq!(bench.rows_with("↪ 지영: 글 4.  (Esc: no answer)"), 1);

    let effects = bench.key(KeyCode::Enter);
    assert_eq!(answered(&effects), [4]);
    // The line has gone from above the composer to above the message.
    assert_eq!(bench.rows_with("↪ 지영: 글 4."), 1);
    assert_eq!(bench.rows_with("(Esc: no answer)"), 0);
    bench.write("다음 글");
    assert_eq!(answered(&bench.key(KeyCode::Enter)), [0]);
}

#[test]
fn escape_ends_the_choice_then_the_answer_and_keeps_what_is_written() {
    let mut bench = bench();
    bench.write("쓰던 글");
    bench.alt(KeyCode::Char('r'));
    bench.key(KeyCode::Esc);
    assert_eq!(bench.model.current().unwrap().reply_to, 0);
    bench.alt(KeyCode::Char('r'));
    bench.key(KeyCode::Enter);
    assert_eq!(bench.model.current().unwrap().reply_to, 5);
    bench.key(KeyCode::Esc);
    assert_eq!(bench.rows_with("↪"), 0);
    assert_eq!(bench.model.current().unwrap().composer.text(), "쓰던 글");
}

#[test]
fn the_choice_goes_no_further_than_what_is_loaded() {
    let mut bench = bench();
    bench.alt(KeyCode::Char('r'));
    for _ in 0..10 {
        bench.alt(KeyCode::Char('r'));
    }
    assert_eq!(bench.rows_with("› 글 1."), 1);
    for _ in 0..10 {
        bench.key(KeyCode::Down);
    }
    assert_eq!(bench.rows_with("› 글 5."), 1);

    let mut empty = Bench::in_room((80, 24), Language::English, Vec::new());
    empty.alt(KeyCode::Char('r'));
    assert_eq!(empty.rows_with("There is no message here to answer."), 1);
}

#[test]
fn an_answer_belongs_to_the_draft_of_its_room_and_is_kept_between_runs() {
    let mut bench = bench();
    bench.alt(KeyCode::Char('r'));
    bench.key(KeyCode::Enter);
    bench.write("쓰다 만 답장");
    bench.show("lobby");
    assert_eq!(bench.rows_with("↪"), 0);
    let mut next = Bench::start((80, 24), Language::English, bench.model.kept());
    next.online();
    next.rooms();
    next.history("room", 0, numbered(1..=5), false);
    next.show("수다방");
    assert_eq!(next.rows_with("↪ 지영: 글 5.  (Esc: no answer)"), 1);
    assert_eq!(answered(&next.key(KeyCode::Enter)), [5]);
}

#[test]
fn an_answer_that_is_refused_is_still_one_when_sent_again_or_taken_back() {
    let mut bench = bench();
    bench.alt(KeyCode::Char('r'));
    bench.key(KeyCode::Enter);
    bench.write("답장");
    let effects = bench.key(KeyCode::Enter);
    let (id, _) = posts(&effects)[0];
    bench.posted(id, Err(v1::Error::of(ErrorCode::Forbidden)));
    // A restart in between changes nothing.
    let mut bench = Bench::start((80, 24), Language::English, bench.model.kept());
    bench.online();
    bench.rooms();
    bench.history("room", 0, numbered(1..=5), false);
    bench.show("수다방");
    assert_eq!(answered(&bench.control('r')), [5]);
    bench.posted(id, Err(v1::Error::of(ErrorCode::Forbidden)));
    bench.control('x');
    assert_eq!(bench.model.current().unwrap().reply_to, 5);
    assert_eq!(bench.model.current().unwrap().composer.text(), "답장");
}
