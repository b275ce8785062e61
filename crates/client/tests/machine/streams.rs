//! Open rooms: each entry once, in order, never past a hole; or a plain reset.

use suda_client::{CommandError, Event};
use suda_protocol::v1::command::Request;
use suda_protocol::v1::push::Event as Pushed;
use suda_protocol::v1::reply::Result as Answered;
use suda_protocol::v1::{self, Continuity};
use suda_protocol::{ErrorCode, limits};

use crate::script::{HEARTBEAT_MS, ROOM, Script, client_id, cursor, entry, room};

/// A page of the log with these entries.
fn page(script: &mut Script, id: u64, seqs: std::ops::RangeInclusive<u64>, top: u64) {
    let entries = seqs.map(entry).collect();
    script.reply(
        id,
        Answered::LogPage(v1::LogPage {
            entries,
            top: Some(cursor(top)),
            continues: true,
        }),
    );
}

/// Asserts that the machine asks for a page after that cursor.
fn pages(script: &mut Script, after: u64) -> u64 {
    let (id, request) = script.command();
    let Request::Log(log) = request else {
        panic!("{request:?}")
    };
    assert_eq!(log.after, Some(cursor(after)));
    id
}

#[test]
fn entries_come_out_in_order() {
    let mut script = Script::reading(5);
    script.entries([6, 7, 8]);
    assert_eq!(script.delivered(), [6, 7, 8]);
    assert_eq!(script.machine.cursor("lobby"), Some(&cursor(8)));
}

#[test]
fn entries_delivered_before_are_dropped() {
    let mut script = Script::reading(5);
    script.entries([4, 5, 6, 6, 5, 7]);
    assert_eq!(script.delivered(), [6, 7]);
    script.no_command();
}

#[test]
fn nothing_is_delivered_past_a_hole() {
    let mut script = Script::reading(5);
    script.entries([6, 8, 9]);
    assert_eq!(script.delivered(), [6]);
    let id = script.opens(Some(6));
    // Of the stream before, until the answer comes.
    script.entries([7, 10]);
    assert_eq!(script.delivered(), Vec::<u64>::new());
    script.opened(id, 10, Continuity::Continues);
    assert!(matches!(script.event(), Event::Opened { after, .. } if after == cursor(6)));
    script.entries([7, 8, 9, 10]);
    assert_eq!(script.delivered(), [7, 8, 9, 10]);
}

#[test]
fn a_reconnect_resumes_from_the_cursor_without_doubles() {
    let mut script = Script::reading(5);
    script.entries([6, 7]);
    assert_eq!(script.delivered(), [6, 7]);
    script.lose_connection();
    script.come_back();
    let id = script.opens(Some(7));
    script.opened(id, 9, Continuity::Continues);
    script.event();
    script.entries([8, 9, 10]);
    assert_eq!(script.delivered(), [8, 9, 10]);
}

#[test]
fn a_room_opened_from_the_beginning_starts_with_the_first_entry() {
    let mut script = Script::online();
    script
        .machine
        .open(script.now, "lobby", Some(cursor(0)))
        .unwrap();
    let id = script.opens(Some(0));
    script.opened(id, 2, Continuity::Continues);
    assert!(matches!(script.event(), Event::Opened { after, .. } if after == cursor(0)));
    script.entries([1, 2]);
    assert_eq!(script.delivered(), [1, 2]);
}

#[test]
fn an_opening_cut_off_before_its_answer_starts_where_the_next_one_says() {
    let mut script = Script::online();
    script.machine.open(script.now, "lobby", None).unwrap();
    script.opens(None);
    script.lose_connection();
    script.come_back();
    let id = script.opens(None);
    script.opened(id, 4, Continuity::Continues);
    assert!(matches!(script.event(), Event::Opened { after, .. } if after == cursor(4)));
}

#[test]
fn lag_opens_the_room_again() {
    let mut script = Script::reading(5);
    script.entries([6]);
    script.push(Pushed::Lag(v1::Lag {
        room: ROOM.into(),
        top: Some(cursor(50)),
    }));
    assert_eq!(script.delivered(), [6]);
    let id = script.opens(Some(6));
    script.opened(id, 50, Continuity::Continues);
    script.event();
    script.entries(7..=50);
    assert_eq!(script.delivered(), (7..=50).collect::<Vec<_>>());
}

#[test]
fn lag_again_and_again_without_an_entry_is_answered_ever_slower() {
    let mut script = Script::reading(5);
    let mut waited = 0;
    for _ in 0..8 {
        script.push(Pushed::Lag(v1::Lag {
            room: ROOM.into(),
            top: Some(cursor(50)),
        }));
        let before = script.now;
        let command = script.machine.poll_transmit().or_else(|| {
            script.wake();
            script.machine.poll_transmit()
        });
        waited += script.now - before;
        script.opened(command.unwrap().id, 50, Continuity::Continues);
        script.event();
    }
    assert!(waited > 0);
}

#[test]
fn a_long_gap_is_paged_then_opened_again() {
    let mut script = Script::reading(5);
    script.lose_connection();
    script.come_back();
    let id = script.opens(Some(5));
    script.opened(id, 2_000, Continuity::Page);
    let id = pages(&mut script, 5);
    page(&mut script, id, 6..=505, 2_000);
    assert_eq!(script.delivered(), (6..=505).collect::<Vec<_>>());
    // The connection may go in the middle.
    pages(&mut script, 505);
    script.lose_connection();
    script.come_back();
    let id = script.opens(Some(505));
    script.opened(id, 2_000, Continuity::Page);
    let id = pages(&mut script, 505);
    page(&mut script, id, 506..=1_600, 2_000);
    assert_eq!(script.delivered(), (506..=1_600).collect::<Vec<_>>());
    // What is left fits a resume.
    let id = script.opens(Some(1_600));
    script.opened(id, 2_001, Continuity::Continues);
    script.event();
    script.entries(1_601..=2_002);
    assert_eq!(script.delivered(), (1_601..=2_002).collect::<Vec<_>>());
}

#[test]
fn a_page_with_a_hole_is_taken_up_to_the_hole() {
    let mut script = Script::reading(5);
    script.lose_connection();
    script.come_back();
    let id = script.opens(Some(5));
    script.opened(id, 2_000, Continuity::Page);
    let id = pages(&mut script, 5);
    let entries = vec![entry(6), entry(8)];
    script.reply(
        id,
        Answered::LogPage(v1::LogPage {
            entries,
            top: Some(cursor(2_000)),
            continues: true,
        }),
    );
    assert_eq!(script.delivered(), [6]);
    script.opens(Some(6));
}

#[test]
fn another_past_is_told_and_the_stream_starts_anew() {
    for from_beginning in [false, true] {
        let mut script = Script::online();
        script
            .machine
            .open(script.now, "lobby", from_beginning.then(|| cursor(0)))
            .unwrap();
        let id = script.opens(from_beginning.then_some(0));
        script.opened(id, 3, Continuity::Continues);
        script.event();
        script.entries(1..=4);
        while script.machine.poll_event().is_some() {}
        script.lose_connection();
        script.come_back();
        let id = script.opens(Some(4));
        script.opened(id, 2, Continuity::OtherPast);
        assert_eq!(script.event(), Event::Reset { room: ROOM.into() });
        let id = script.opens(from_beginning.then_some(0));
        script.opened(id, 2, Continuity::Continues);
        let start = if from_beginning { 0 } else { 2 };
        assert!(matches!(script.event(), Event::Opened { after, .. } if after == cursor(start)));
        script.entries([1, 2, 3]);
        let expected: Vec<u64> = (start + 1..=3).collect();
        assert_eq!(script.delivered(), expected);
    }
}

#[test]
fn another_past_is_seen_even_where_the_server_does_not_say_it() {
    // The log ends before the cursor.
    let mut script = Script::reading(5);
    script.lose_connection();
    script.come_back();
    let id = script.opens(Some(5));
    script.opened(id, 4, Continuity::Continues);
    assert_eq!(script.event(), Event::Reset { room: ROOM.into() });

    // Another entry stands at the cursor.
    let mut script = Script::reading(5);
    script.push(Pushed::Entry(v1::Entry {
        id: "another".into(),
        ..entry(5)
    }));
    assert_eq!(script.delivered(), Vec::<u64>::new());
    let id = script.opens(Some(5));
    script.opened(id, 9, Continuity::OtherPast);
    assert_eq!(script.event(), Event::Reset { room: ROOM.into() });
}

#[test]
fn a_page_of_another_past_resets() {
    let mut script = Script::reading(5);
    script.lose_connection();
    script.come_back();
    let id = script.opens(Some(5));
    script.opened(id, 2_000, Continuity::Page);
    let id = pages(&mut script, 5);
    script.reply(
        id,
        Answered::LogPage(v1::LogPage {
            top: Some(cursor(2_000)),
            ..Default::default()
        }),
    );
    assert_eq!(script.event(), Event::Reset { room: ROOM.into() });
    script.opens(None);
}

#[test]
fn a_top_that_lacks_for_a_whole_heartbeat_opens_the_room_again() {
    let mut script = Script::reading(5);
    script.heartbeat(6);
    // It was on its way.
    script.entries([6]);
    assert_eq!(script.delivered(), [6]);
    script.after_ms(HEARTBEAT_MS);
    script.heartbeat(7);
    script.no_command();
    script.after_ms(HEARTBEAT_MS);
    script.heartbeat(8);
    script.opens(Some(6));
}

#[test]
fn a_room_that_heartbeats_do_not_list_is_opened_again() {
    let mut script = Script::reading(5);
    script.push(Pushed::Heartbeat(v1::Heartbeat::default()));
    script.no_command();
    script.push(Pushed::Heartbeat(v1::Heartbeat::default()));
    script.opens(Some(5));
}

#[test]
fn a_room_is_opened_only_after_it_was_joined() {
    let mut script = Script::online();
    script
        .machine
        .join(script.now, client_id(1), "lobby")
        .unwrap();
    script.machine.open(script.now, "lobby", None).unwrap();
    let (id, request) = script.command();
    assert!(matches!(request, Request::Join(_)));
    script.no_command();
    script.reply(
        id,
        Answered::Joined(v1::Joined {
            room: Some(room(3)),
            duplicate: false,
        }),
    );
    script.opens(None);
}

#[test]
fn a_room_that_cannot_be_opened_is_told_once() {
    let mut script = Script::online();
    script.machine.open(script.now, "secret", None).unwrap();
    let id = script.opens(None);
    script.refuse(id, ErrorCode::UnknownRoom);
    let event = script.event();
    assert!(matches!(&event, Event::OpenRefused { asked, error }
        if asked == "secret" && error.code() == ErrorCode::UnknownRoom));
    script.lose_connection();
    script.come_back();
    script.no_command();
}

#[test]
fn an_opening_refused_for_now_is_tried_again() {
    let mut script = Script::online();
    script.machine.open(script.now, "lobby", None).unwrap();
    let id = script.opens(None);
    script.reply(
        id,
        Answered::Error(v1::Error::of(ErrorCode::Busy).with_retry_after_ms(700)),
    );
    script.no_event();
    script.no_command();
    let asked_at = script.now;
    script.wake();
    assert!(script.now >= asked_at + 700);
    script.opens(None);
}

#[test]
fn a_removal_ends_the_stream() {
    let mut script = Script::reading(5);
    script.push(Pushed::Removed(v1::Removed { room: ROOM.into() }));
    assert_eq!(script.event(), Event::Removed { room: ROOM.into() });
    script.entries([6]);
    script.no_event();
    script.lose_connection();
    script.come_back();
    script.no_command();
}

#[test]
fn leaving_and_coming_back_before_the_removal_arrives_opens_again() {
    let mut script = Script::reading(5);
    script.machine.open(script.now, "lobby", None).unwrap();
    script.no_command();
    // It says again that it is open.
    assert!(matches!(script.event(), Event::Opened { after, .. } if after == cursor(5)));
    script.push(Pushed::Removed(v1::Removed { room: ROOM.into() }));
    script.event();
    script.opens(Some(5));
}

#[test]
fn a_closed_room_says_nothing_more() {
    let mut script = Script::reading(5);
    script.machine.close(script.now, ROOM);
    let (_, request) = script.command();
    assert_eq!(request, Request::Close(v1::Close { room: ROOM.into() }));
    script.entries([6]);
    script.no_event();
    // Opened again it is another stream.
    script
        .machine
        .open(script.now, "lobby", Some(cursor(6)))
        .unwrap();
    script.opens(Some(6));
}

#[test]
fn a_room_opened_under_both_of_its_names_is_one_stream() {
    let mut script = Script::online();
    script.machine.open(script.now, "lobby", None).unwrap();
    script.machine.open(script.now, ROOM, None).unwrap();
    let (first, second) = (script.opens(None), script.opens(None));
    script.opened(first, 5, Continuity::Continues);
    script.opened(second, 5, Continuity::Continues);
    assert!(matches!(script.event(), Event::Opened { asked, .. } if asked == "lobby"));
    assert!(matches!(script.event(), Event::Opened { asked, .. } if asked == ROOM));
    let id = script.opens(Some(5));
    script.opened(id, 5, Continuity::Continues);
    script.event();
    script.entries([6]);
    assert_eq!(script.delivered(), [6]);
}

#[test]
fn open_rooms_are_bounded() {
    let mut script = Script::online();
    for n in 0..limits::OPEN_ROOMS_MAX {
        script
            .machine
            .open(script.now, &format!("room {n}"), None)
            .unwrap();
    }
    let error = script
        .machine
        .open(script.now, "one more", None)
        .unwrap_err();
    assert_eq!(
        error,
        CommandError::TooManyOpenRooms {
            rooms_max: limits::OPEN_ROOMS_MAX
        }
    );
}

#[test]
fn opening_many_rooms_leaves_room_for_posts() {
    let mut script = Script::online();
    for n in 0..limits::OPEN_ROOMS_MAX {
        script
            .machine
            .open(script.now, &format!("room {n}"), None)
            .unwrap();
    }
    script
        .machine
        .post(script.now, "room 1", client_id(1), "안녕", 0)
        .unwrap();
    let mut posts = 0;
    while let Some(command) = script.machine.poll_transmit() {
        posts += usize::from(matches!(command.request, Some(Request::Post(_))));
    }
    assert_eq!(posts, 1);
}
