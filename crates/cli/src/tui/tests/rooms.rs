//! Rooms: entering, leaving, what is unread.

use crossterm::event::KeyCode;
use suda_client::Event as ServerEvent;
use suda_protocol::v1;

use super::bench::{Bench, MINUTE_MS, MORNING_MS, message, numbered, orders};
use crate::language::Language;
use crate::tui::event::{Done, Event, Order};
use crate::tui::kept::{Kept, KeptRoom};

fn bench() -> Bench {
    Bench::in_room((80, 24), Language::English, numbered(1..=2))
}

#[test]
fn every_room_of_mine_is_loaded_and_then_opened_behind_its_newest_message() {
    let mut bench = Bench::start((80, 24), Language::English, Kept::default());
    assert_eq!(orders(&bench.online()), [Order::Rooms]);
    let asked = orders(&bench.rooms());
    let history = |room: &str| Order::History {
        room: room.into(),
        before_seq: 0,
    };
    assert_eq!(asked, [history("lobby"), history("room")]);
    let opened = orders(&bench.history("room", 0, numbered(1..=7), false));
    let cursor = v1::Cursor {
        seq: 7,
        id: "entry-7".into(),
    };
    assert_eq!(
        opened,
        [Order::Open {
            room: "room".into(),
            cursor
        }]
    );
}

#[test]
fn messages_in_other_rooms_are_counted_until_one_looks() {
    let mut bench = bench();
    bench.control('n');
    assert_eq!(bench.model.current().unwrap().name, "lobby");
    bench.said(3, "jiyeong", "지영", "새 글");
    bench.said(4, "minsu", "민수", "다른 기기에서 쓴 글");
    bench.said(5, "jiyeong", "지영", "또 새 글");
    assert_eq!(
        bench.rows_with(" 수다방            2 "),
        1,
        "{}",
        bench.screen()
    );
    bench.control('u');
    assert_eq!(bench.model.current().unwrap().name, "수다방");
    assert_eq!(bench.model.current().unwrap().unread, 0);
    // The mark shows where one left off.
    let (mark, new) = (bench.row_of("── new messages"), bench.row_of("  새 글"));
    assert!(mark.is_some() && mark < new, "{}", bench.screen());
    assert!(bench.row_of("글 2.") < mark);
    bench.control('n');
    bench.control('p');
    assert_eq!(bench.rows_with("── new messages"), 0);
}

#[test]
fn what_came_in_between_two_runs_is_unread() {
    let room = KeptRoom {
        name: "수다방".into(),
        read_seq: 2,
        ..KeptRoom::default()
    };
    let kept = Kept {
        room: Some("room".into()),
        rooms: [("room".to_owned(), room)].into(),
        ..Kept::default()
    };
    let mut bench = Bench::start((80, 24), Language::English, kept);
    bench.online();
    bench.rooms();
    bench.history("room", 0, numbered(1..=4), false);
    assert!(bench.row_of("글 2.") < bench.row_of("── new messages"));
    assert!(bench.row_of("── new messages") < bench.row_of("글 3."));
}

#[test]
fn a_click_shows_a_room() {
    let mut bench = bench();
    bench.click(3, 0);
    assert_eq!(bench.model.current().unwrap().name, "lobby");
    bench.click(3, 1);
    assert_eq!(bench.model.current().unwrap().name, "수다방");
    bench.click(3, 9);
    assert_eq!(bench.model.current().unwrap().name, "수다방");
}

#[test]
fn rooms_are_joined_made_and_left() {
    let mut bench = bench();
    bench.control('k');
    bench.write("ㅈㅅㅁㄴ");
    let enter = |room: &str, create| Order::Enter {
        room: room.into(),
        create,
    };
    assert_eq!(orders(&bench.key(KeyCode::Enter)), [enter("lunch", false)]);
    let room = v1::Room {
        id: "lunch".into(),
        name: "점심 메뉴".into(),
        top: None,
        member_count: 5,
        member: true,
    };
    bench.feed(Event::Done(Done::Enter { result: Ok(room) }));
    assert_eq!(bench.model.current().unwrap().name, "점심 메뉴");
    bench.control('k');
    bench.write("새 방");
    assert_eq!(orders(&bench.key(KeyCode::Enter)), [enter("새 방", true)]);
    bench.write("/create 둘째 방");
    assert_eq!(orders(&bench.key(KeyCode::Enter)), [enter("둘째 방", true)]);
    bench.write("/leave");
    let leave = Order::Leave {
        room: "lunch".into(),
    };
    assert_eq!(orders(&bench.key(KeyCode::Enter)), [leave]);
    bench.server(ServerEvent::Removed {
        room: "lunch".into(),
    });
    assert_eq!(bench.model.current().unwrap().name, "lobby");
    assert_eq!(
        bench.rows_with("You are no longer a member of 점심 메뉴."),
        1
    );
    assert_eq!(bench.model.my_rooms().len(), 2);
}

#[test]
fn joins_are_told_and_counted() {
    let mut bench = bench();
    assert_eq!(bench.rows_with("3 members"), 1);
    bench.entry(v1::Entry {
        room: "room".into(),
        seq: 3,
        id: "entry-3".into(),
        author: "haneul".into(),
        author_name: "하늘".into(),
        at_ms: MORNING_MS,
        what: Some(v1::entry::What::MemberJoined(v1::MemberJoined {})),
    });
    assert_eq!(bench.rows_with("하늘 joined"), 1);
    assert_eq!(bench.rows_with("4 members"), 1);
}

#[test]
fn one_author_in_a_row_is_named_once() {
    let messages = vec![
        message(1, "jiyeong", "지영", MORNING_MS, "하나"),
        message(2, "jiyeong", "지영", MORNING_MS + MINUTE_MS, "둘"),
        message(3, "jiyeong", "지영", MORNING_MS + 30 * MINUTE_MS, "셋"),
        message(4, "haneul", "하늘", MORNING_MS + 30 * MINUTE_MS, "넷"),
    ];
    let bench = Bench::in_room((80, 24), Language::English, messages);
    assert_eq!(bench.rows_with("지영  "), 2);
    assert_eq!(bench.rows_with("하늘  "), 1);
}

#[test]
fn hundreds_of_rooms_are_loaded_a_few_at_a_time() {
    let mut bench = Bench::start((80, 24), Language::English, Kept::default());
    bench.online();
    let rooms = (0..300).map(|number| v1::Room {
        id: format!("room-{number:03}"),
        name: format!("room {number:03}"),
        top: None,
        member_count: 1,
        member: true,
    });
    let effects = bench.feed(Event::Done(Done::Rooms(Ok(rooms.collect()))));
    let mut asked: Vec<String> = histories(&orders(&effects));
    assert!(asked.len() <= 10, "{}", asked.len());
    let mut loaded = 0;
    while let Some(room) = asked.pop() {
        loaded += 1;
        // One of them cannot be had; it holds up none of the others and is not asked for on and on.
        let effects = match room.as_str() {
            "room-150" => bench.feed(Event::Done(Done::History {
                room,
                before_seq: 0,
                result: Err(v1::Error::of(suda_protocol::ErrorCode::Busy)),
            })),
            _ => bench.history(&room, 0, numbered(1..=2), false),
        };
        asked.extend(histories(&orders(&effects)));
    }
    assert_eq!(loaded, 300);
}

fn histories(orders: &[Order]) -> Vec<String> {
    let rooms = orders.iter().filter_map(|order| match order {
        Order::History { room, .. } => Some(room.clone()),
        _ => None,
    });
    rooms.collect()
}
