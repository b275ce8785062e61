//! Messages on their way: pending, acknowledged, seen, refused.

use crossterm::event::KeyCode;
use suda_client::{Event as ServerEvent, OfflineReason};
use suda_protocol::{ErrorCode, v1};

use super::bench::{Bench, MORNING_MS, message, numbered, orders, posts};
use crate::language::Language;
use crate::tui::composer::COMPOSER_BYTES_MAX;
use crate::tui::event::{Event, Order};
use crate::tui::kept::Kept;

fn bench() -> Bench {
    Bench::in_room((80, 24), Language::English, numbered(1..=2))
}

#[test]
fn what_is_sent_is_seen_once_whatever_comes_first() {
    for entry_first in [true, false] {
        let mut bench = bench();
        let id = bench.send("안녕하세요");
        assert_eq!(bench.rows_with("안녕하세요"), 1);
        assert_eq!(bench.rows_with("sending"), 1);
        if entry_first {
            bench.said(3, "minsu", "민수", "안녕하세요");
            assert_eq!(bench.rows_with("안녕하세요"), 1);
            bench.posted(id, Ok(3));
        } else {
            bench.posted(id, Ok(3));
            assert_eq!(bench.rows_with("안녕하세요"), 1);
            assert_eq!(bench.rows_with("✓ sent"), 1);
            bench.said(3, "minsu", "민수", "안녕하세요");
        }
        assert_eq!(bench.rows_with("안녕하세요"), 1);
        assert_eq!(bench.rows_with("… sending"), 0);
        assert_eq!(bench.rows_with("✓ sent"), 0);
        assert!(bench.model.current().unwrap().posts.is_empty());
    }
}

#[test]
fn the_same_text_from_another_device_is_another_message() {
    let mut bench = bench();
    let id = bench.send("네");
    bench.said(3, "minsu", "민수", "네");
    bench.posted(id, Ok(4));
    assert_eq!(bench.rows_with("  네"), 2);
    bench.said(4, "minsu", "민수", "네");
    assert_eq!(bench.rows_with("  네"), 2);
}

#[test]
fn an_entry_that_comes_twice_is_shown_once() {
    let mut bench = bench();
    bench.said(3, "jiyeong", "지영", "한 번만");
    bench.said(3, "jiyeong", "지영", "한 번만");
    bench.said(2, "jiyeong", "지영", "한 번만");
    assert_eq!(bench.rows_with("한 번만"), 1);
}

#[test]
fn what_is_refused_stays_and_can_be_sent_again_or_taken_back() {
    let mut bench = bench();
    let id = bench.send("거절될 글");
    bench.posted(id, Err(v1::Error::of(ErrorCode::Forbidden)));
    assert_eq!(bench.rows_with("✗ not sent"), 1);
    let again = bench.control('r');
    assert_eq!(posts(&again), [(id, "거절될 글".to_owned())]);
    bench.posted(id, Err(v1::Error::of(ErrorCode::Forbidden)));
    bench.control('x');
    assert_eq!(bench.rows_with("✗ not sent"), 0);
    assert_eq!(bench.model.current().unwrap().composer.text(), "거절될 글");
}

#[test]
fn what_is_taken_back_joins_what_is_being_written() {
    let mut bench = bench();
    for text in ["거절될 글", "또 거절될 글"] {
        let id = bench.send(text);
        bench.posted(id, Err(v1::Error::of(ErrorCode::Forbidden)));
    }
    bench.write("쓰던 글");
    bench.control('x');
    assert_eq!(bench.rows_with("✗ not sent"), 0);
    assert_eq!(
        bench.model.composer().text(),
        "쓰던 글\n거절될 글\n또 거절될 글"
    );
}

#[test]
fn what_does_not_fit_is_not_taken_back() {
    let mut bench = bench();
    let id = bench.send("거절될 글");
    bench.posted(id, Err(v1::Error::of(ErrorCode::Forbidden)));
    let long = "x".repeat(COMPOSER_BYTES_MAX);
    bench.feed(Event::Paste(long.clone()));
    bench.control('x');
    assert_eq!(bench.model.composer().text(), long);
    assert_eq!(bench.model.kept().rooms["room"].posts[0].text, "거절될 글");
    assert!(bench.model.notice.as_ref().is_some_and(|it| it.is_error));
}

#[test]
fn a_delay_is_told() {
    let mut bench = bench();
    let id = bench.send("천천히");
    bench.server(ServerEvent::Delayed {
        client_id: id,
        error: v1::Error::of(ErrorCode::StorageFull),
        retry_at: 0,
    });
    assert_eq!(bench.rows_with("↻ not sent yet"), 1);
    bench.posted(id, Ok(3));
    assert_eq!(bench.rows_with("↻"), 0);
}

#[test]
fn what_an_earlier_run_could_not_send_goes_out_under_its_client_id() {
    let mut bench = bench();
    let id = bench.send("서버가 없을 때 쓴 글");
    let kept: Kept = bench.model.kept();
    let mut next = Bench::start((80, 24), Language::English, kept);
    let effects = crate::tui::update::start(&mut next.model, None, false);
    assert_eq!(posts(&effects), [(id, "서버가 없을 때 쓴 글".to_owned())]);
    // It can be read even before there is a connection.
    assert_eq!(next.rows_with("서버가 없을 때 쓴 글"), 1);
    next.online();
    next.rooms();
    // It had arrived in the end, only the answer was lost.
    next.posted(id, Ok(3));
    let mut messages = numbered(1..=2);
    messages.push(message(
        3,
        "minsu",
        "민수",
        MORNING_MS,
        "서버가 없을 때 쓴 글",
    ));
    next.history("room", 0, messages, false);
    assert_eq!(next.rows_with("서버가 없을 때 쓴 글"), 1);
    assert!(next.model.kept().rooms["room"].posts.is_empty());
}

#[test]
fn the_status_line_tells_the_truth() {
    let mut bench = bench();
    assert_eq!(bench.rows_with("● connected · 민수"), 1);
    bench.server(ServerEvent::Offline {
        retry_at: bench.now_ms + 2_500,
        reason: OfflineReason::Silent,
    });
    assert!(bench.model.wants_ticks());
    assert_eq!(bench.rows_with("● connected"), 0);
    assert_eq!(bench.rows_with("next attempt in 3 s"), 1);
    bench.now_ms += 2_000;
    bench.feed(crate::tui::event::Event::Tick);
    assert_eq!(bench.rows_with("next attempt in 1 s"), 1);
    bench.send("끊긴 동안");
    assert_eq!(bench.rows_with("1 unsent"), 1);
    let effects = bench.online();
    assert_eq!(orders(&effects), [Order::Rooms]);
    assert_eq!(bench.rows_with("● connected"), 1);
}

#[test]
fn a_history_of_another_past_is_loaded_anew() {
    let mut bench = bench();
    let effects = bench.server(ServerEvent::Reset {
        room: "room".into(),
    });
    let room = || "room".to_owned();
    let history = Order::History {
        room: room(),
        before_seq: 0,
    };
    assert_eq!(orders(&effects), [Order::Close { room: room() }, history]);
    assert_eq!(bench.rows_with("글 1."), 0);
    // What still comes of the old stream is not shown.
    bench.said(3, "jiyeong", "지영", "옛 글");
    bench.history("room", 0, numbered(1..=1), false);
    assert_eq!(bench.rows_with("옛 글"), 0);
    assert_eq!(bench.rows_with("글 1."), 1);
}

#[test]
fn too_long_a_text_is_not_lost() {
    let mut bench = bench();
    let text = "가".repeat(6_000);
    bench.feed(crate::tui::event::Event::Paste(text.clone()));
    assert!(bench.key(KeyCode::Enter).is_empty());
    assert_eq!(bench.model.current().unwrap().composer.text(), text);
    assert_eq!(bench.rows_with("Too long: 18000 of 16384 bytes."), 1);
}
