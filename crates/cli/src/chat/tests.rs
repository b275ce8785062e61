//! The chat without terminal and server: lines and events in, effects out.

use suda_client::{Event, OfflineReason};
use suda_protocol::{ErrorCode, v1};

use super::plain::{Chat, Done, Effect, Order};
use crate::clock::Clock;
use crate::language::Language;
use crate::texts::Texts;
use crate::transcript::Transcript;

/// A chat whose effects are collected.
struct Run {
    chat: Chat,
}

impl Run {
    fn new() -> Run {
        let texts = Texts::new(Language::English);
        Run {
            chat: Chat::new(texts, Transcript::new(texts, Clock::utc()), 2),
        }
    }

    /// In the room, whose newest message is seq 7.
    fn in_lobby() -> Run {
        let mut run = Run::new();
        let effects = run.chat.start(Some("lobby".into()), false);
        let entering = Order::Enter {
            room: "lobby".into(),
            create: false,
        };
        assert_eq!(orders(&effects), [entering]);
        let effects = run.chat.handle_done(entered());
        let asking = Order::History {
            room: "id".into(),
            count: 2,
        };
        assert_eq!(orders(&effects), [asking]);
        let effects = run.chat.handle_done(Done::History {
            room: "id".into(),
            result: Ok(vec![message(7, "둘"), message(5, "하나")]),
        });
        assert!(
            shown(&effects).starts_with("00:00 지영: 하나\n00:00 지영: 둘\n* You are in lobby.")
        );
        let opening = Order::Open {
            room: "id".into(),
            cursor: Some(v1::Cursor {
                seq: 7,
                id: "m7".into(),
            }),
        };
        assert_eq!(orders(&effects), [opening]);
        run
    }
}

fn entered() -> Done {
    Done::Enter {
        asked: "lobby".into(),
        result: Ok(v1::Room {
            id: "id".into(),
            name: "lobby".into(),
            ..v1::Room::default()
        }),
    }
}

fn message(seq: u64, text: &str) -> v1::Message {
    v1::Message {
        seq,
        id: format!("m{seq}"),
        author_name: "지영".into(),
        text: text.into(),
        ..v1::Message::default()
    }
}

fn offline() -> Event {
    Event::Offline {
        retry_at: 0,
        reason: OfflineReason::GoingAway,
    }
}

fn online() -> Event {
    Event::Online {
        user: v1::User {
            name: "민수".into(),
            ..v1::User::default()
        },
    }
}

fn orders(effects: &[Effect]) -> Vec<Order> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Do(order) => Some(order.clone()),
            _ => None,
        })
        .collect()
}

fn shown(effects: &[Effect]) -> String {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Show(text) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn leaves(effects: &[Effect]) -> bool {
    matches!(effects.last(), Some(Effect::Leave))
}

fn fails(effects: &[Effect]) -> bool {
    matches!(effects.last(), Some(Effect::Fail(_)))
}

#[test]
fn the_stream_goes_on_behind_the_newest_message_shown() {
    let mut run = Run::in_lobby();
    let entry = v1::Entry {
        room: "id".into(),
        author_name: "지영".into(),
        what: Some(v1::entry::What::MemberJoined(v1::MemberJoined {})),
        ..v1::Entry::default()
    };
    let effects = run.chat.handle_event(Event::Entry(entry.clone()));
    assert_eq!(shown(&effects), "00:00 * 지영 joined\n");
    let elsewhere = v1::Entry {
        room: "other".into(),
        ..entry
    };
    assert!(run.chat.handle_event(Event::Entry(elsewhere)).is_empty());
}

#[test]
fn what_is_written_while_entering_is_for_that_room() {
    let mut run = Run::new();
    run.chat.start(Some("lobby".into()), false);
    let effects = run.chat.handle_line("안녕");
    let posting = Order::Post {
        room: "lobby".into(),
        text: "안녕".into(),
    };
    assert_eq!(orders(&effects), [posting]);
    // And the end of a piped input waits for it.
    assert!(!leaves(&run.chat.handle_end()));
    assert!(leaves(&run.chat.handle_done(Done::Post(Ok(())))));
}

#[test]
fn without_a_room_nothing_is_sent() {
    let mut run = Run::new();
    run.chat.start(None, false);
    let effects = run.chat.handle_line("안녕");
    assert!(orders(&effects).is_empty());
    assert!(shown(&effects).contains("/join"));
    assert!(leaves(&run.chat.handle_line("/quit")));
}

#[test]
fn the_state_of_the_link_is_told_once_per_change() {
    let mut run = Run::in_lobby();
    assert!(shown(&run.chat.handle_event(online())).contains("Connected as 민수"));
    assert!(shown(&run.chat.handle_event(offline())).contains("Not connected"));
    assert!(run.chat.handle_event(offline()).is_empty());
    assert!(shown(&run.chat.handle_event(online())).contains("Connected again"));
}

#[test]
fn a_refused_line_is_shown_with_its_reason() {
    let mut run = Run::in_lobby();
    run.chat.handle_line("하나");
    run.chat.handle_line("둘");
    assert!(run.chat.handle_done(Done::Post(Ok(()))).is_empty());
    let error = v1::Error::of(ErrorCode::TextTooLong);
    let effects = run.chat.handle_done(Done::Post(Err(error)));
    let text = shown(&effects);
    assert!(text.starts_with("! Not sent: 둘 ("), "{text}");
    assert!(fails(&run.chat.handle_end()));
}

#[test]
fn lines_are_read_no_faster_than_they_are_acknowledged() {
    let mut run = Run::in_lobby();
    let mut count = 0;
    while run.chat.takes_lines() {
        run.chat.handle_line("안녕");
        count += 1;
        assert!(count <= 100_000);
    }
    run.chat.handle_done(Done::Post(Ok(())));
    assert!(run.chat.takes_lines());
}

#[test]
fn a_delay_is_told_once_until_something_gets_through() {
    let mut run = Run::in_lobby();
    run.chat.handle_line("하나");
    let delayed = || Event::Delayed {
        client_id: uuid::Uuid::nil(),
        error: v1::Error::of(ErrorCode::StorageFull),
        retry_at: 0,
    };
    let text = shown(&run.chat.handle_event(delayed()));
    assert!(
        text.starts_with("* Not sent yet (The server's disk is full"),
        "{text}"
    );
    assert!(run.chat.handle_event(delayed()).is_empty());
    run.chat.handle_done(Done::Post(Ok(())));
    assert!(!run.chat.handle_event(delayed()).is_empty());
}

#[test]
fn leaving_waits_for_acknowledgements_and_names_what_has_none() {
    let mut run = Run::in_lobby();
    run.chat.handle_line("하나");
    run.chat.handle_line("둘");
    let effects = run.chat.handle_line("/quit");
    assert!(matches!(effects.last(), Some(Effect::StartLeaving)));
    assert!(run.chat.is_leaving());
    assert!(run.chat.handle_line("셋").is_empty());
    // Each acknowledgement gives the next one as long again.
    let effects = run.chat.handle_done(Done::Post(Ok(())));
    assert!(matches!(effects[..], [Effect::StartLeaving]));
    let effects = run.chat.give_up();
    assert_eq!(
        shown(&effects),
        "! Not acknowledged, so perhaps not sent: 둘\n"
    );
    assert!(fails(&effects));
}

#[test]
fn another_past_is_told_and_the_room_shown_anew() {
    let mut run = Run::in_lobby();
    let effects = run.chat.handle_event(Event::Reset { room: "id".into() });
    assert!(shown(&effects).contains("history is no longer"));
    let anew = [
        Order::Close { room: "id".into() },
        Order::History {
            room: "id".into(),
            count: 2,
        },
    ];
    assert_eq!(orders(&effects), anew);
    let effects = run.chat.handle_done(Done::History {
        room: "id".into(),
        result: Ok(Vec::new()),
    });
    let from_start = Order::Open {
        room: "id".into(),
        cursor: Some(v1::Cursor::default()),
    };
    assert_eq!(orders(&effects), [from_start]);
}

#[test]
fn another_room_closes_the_one_before() {
    let mut run = Run::in_lobby();
    run.chat.handle_line("/join 둘째");
    let effects = run.chat.handle_done(Done::Enter {
        asked: "둘째".into(),
        result: Ok(v1::Room {
            id: "id2".into(),
            name: "둘째".into(),
            ..v1::Room::default()
        }),
    });
    let orders = orders(&effects);
    assert_eq!(orders[0], Order::Close { room: "id".into() });
    assert!(matches!(&orders[1], Order::History { room, .. } if room == "id2"));
}

#[test]
fn a_removal_and_the_end_of_the_sign_in_are_told() {
    let mut run = Run::in_lobby();
    let effects = run.chat.handle_event(Event::Removed { room: "id".into() });
    assert!(shown(&effects).contains("no longer a member of lobby"));
    assert!(shown(&run.chat.handle_line("안녕")).contains("You are in no room"));
    let error = v1::Error::of(ErrorCode::Unauthenticated);
    assert!(fails(&run.chat.handle_event(Event::SignedOut { error })));
}

#[test]
fn a_room_whose_earlier_messages_are_not_to_be_had_is_read_from_now_on() {
    let mut run = Run::new();
    run.chat.start(Some("lobby".into()), false);
    run.chat.handle_done(entered());
    let effects = run.chat.handle_done(Done::History {
        room: "id".into(),
        result: Err(v1::Error::of(ErrorCode::Busy)),
    });
    assert!(shown(&effects).starts_with("! "), "{}", shown(&effects));
    let opening = Order::Open {
        room: "id".into(),
        cursor: None,
    };
    assert_eq!(orders(&effects), [opening]);
}

#[test]
fn a_room_whose_stream_was_refused_can_be_entered_again() {
    let mut run = Run::in_lobby();
    run.chat.handle_done(Done::Open {
        room: "id".into(),
        error: v1::Error::of(ErrorCode::NotAMember),
    });
    run.chat.handle_line("/join lobby");
    let effects = run.chat.handle_done(entered());
    assert!(matches!(&orders(&effects)[..], [Order::History { .. }]));
}
