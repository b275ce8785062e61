//! Fourteen screens, as they are: a change of any is seen in a review. Their widths are asserted where they are drawn.

use crossterm::event::KeyCode;
use insta::assert_snapshot;
use suda_client::{Event as ServerEvent, OfflineReason};
use suda_protocol::{ErrorCode, v1};

use super::bench::{Bench, MINUTE_MS, MORNING_MS, message, numbered};
use crate::language::Language;
use crate::tui::event::Event;
use crate::tui::kept::Kept;

const SIZE: (u16, u16) = (80, 24);

/// Two days of talk.
fn talk() -> Vec<v1::Message> {
    let yesterday = MORNING_MS - 24 * 60 * MINUTE_MS;
    let mut messages = vec![
        message(
            2,
            "jiyeong",
            "지영",
            yesterday,
            "안녕하세요, 다들 점심은 드셨어요?",
        ),
        message(
            3,
            "minsu",
            "민수",
            yesterday + MINUTE_MS,
            "네! 김치찌개 먹었어요 🍲",
        ),
        message(
            4,
            "minsu",
            "민수",
            yesterday + 2 * MINUTE_MS,
            "정말 맛있더라고요",
        ),
        message(
            5,
            "haneul",
            "하늘",
            MORNING_MS,
            "좋은 아침입니다 👩‍👩‍👧 가족 나들이 다녀왔어요 🇰🇷",
        ),
        message(
            6,
            "jiyeong",
            "지영",
            MORNING_MS + MINUTE_MS,
            "우와, 어디로 다녀오셨어요?",
        ),
    ];
    messages[4].reply_to = 5;
    messages
}

fn korean() -> Bench {
    let mut bench = Bench::in_room(SIZE, Language::Korean, talk());
    bench.now_ms = MORNING_MS + 5 * MINUTE_MS;
    bench
}

#[test]
fn screen_01_conversation_in_korean() {
    assert_snapshot!(korean().screen());
}

#[test]
fn screen_02_conversation_in_english() {
    assert_snapshot!(Bench::in_room(SIZE, Language::English, talk()).screen());
}

#[test]
fn screen_03_before_the_first_connection() {
    assert_snapshot!(Bench::start(SIZE, Language::Korean, Kept::default()).screen());
}

#[test]
fn screen_04_markdown() {
    let text = "**굵게**, *기울여*, `코드` 그리고 [수다](https://suda.example)\n\n> 인용한 글은\n> 이렇게 보입니다\n\n- 김밥 🍙\n- 떡볶이\n  1. 순한 맛\n  2. 매운맛\n\n```rust\nfn main() {\n    println!(\"안녕\");\n}\n```";
    let messages = vec![message(2, "jiyeong", "지영", MORNING_MS, text)];
    assert_snapshot!(Bench::in_room(SIZE, Language::Korean, messages).screen());
}

#[test]
fn screen_05_posts_that_are_pending_and_refused() {
    let mut bench = korean();
    let refused = bench.send("거절된 글");
    bench.posted(refused, Err(v1::Error::of(ErrorCode::Forbidden)));
    let delayed = bench.send("늦어지는 글");
    bench.server(ServerEvent::Delayed {
        client_id: delayed,
        error: v1::Error::of(ErrorCode::Busy),
        retry_at: 0,
    });
    bench.send("방금 쓴 글");
    assert_snapshot!(bench.screen());
}

#[test]
fn screen_06_offline_with_a_draft_of_several_lines() {
    let mut bench = korean();
    bench.server(ServerEvent::Offline {
        retry_at: bench.now_ms + 4_000,
        reason: OfflineReason::GoingAway,
    });
    bench.send("서버가 잠깐 내려갔나 봐요");
    bench.write("둘째 글은");
    bench.alt(KeyCode::Enter);
    bench.write("두 줄입니다 😀");
    assert_snapshot!(bench.screen());
}

#[test]
fn screen_07_scrolled_up_with_new_messages_below() {
    let mut bench = Bench::in_room(SIZE, Language::Korean, numbered(1..=40));
    bench.key(KeyCode::PageUp);
    for seq in 41..=43 {
        bench.said(seq, "haneul", "하늘", "새 소식입니다");
    }
    assert_snapshot!(bench.screen());
}

#[test]
fn screen_08_unread_and_where_one_left_off() {
    let mut bench = korean();
    bench.control('n');
    bench.said(7, "jiyeong", "지영", "부산이요!");
    bench.said(8, "haneul", "하늘", "날씨가 참 좋았어요 ☀️");
    bench.control('p');
    bench.said(9, "haneul", "하늘", "다음엔 같이 가요");
    assert_snapshot!(bench.screen());
}

#[test]
fn screen_09_room_switcher() {
    let mut bench = korean();
    bench.control('k');
    bench.write("메뉴");
    assert_snapshot!(bench.screen());
}

#[test]
fn screen_10_search() {
    let mut bench = korean();
    bench.control('f');
    bench.write("어요");
    bench.key(KeyCode::Enter);
    assert_snapshot!(bench.screen());
}

#[test]
fn screen_11_help() {
    let mut bench = korean();
    bench.key(KeyCode::F(1));
    assert_snapshot!(bench.screen());
}

#[test]
fn screen_12_narrow() {
    let mut bench = korean();
    bench.feed(Event::Resize(36, 18));
    bench.write("좁은 화면에서도 한글이 잘리지 않고 줄이 바뀝니다");
    assert_snapshot!(bench.screen());
}

#[test]
fn screen_13_choosing_the_message_to_answer() {
    let mut bench = korean();
    bench.alt(KeyCode::Char('r'));
    bench.key(KeyCode::Up);
    assert_snapshot!(bench.screen());
}

#[test]
fn screen_14_an_answer_being_written() {
    let mut bench = korean();
    bench.alt(KeyCode::Char('r'));
    bench.key(KeyCode::Enter);
    bench.write("부산 바닷가에 다녀왔어요 🌊");
    assert_snapshot!(bench.screen());
}
