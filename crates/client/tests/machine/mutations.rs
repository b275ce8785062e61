//! Mutating commands: sent with one client id until answered, answered once, in order within a room.

use suda_client::{CommandError, Event, Outcome, PENDING_BYTES_MAX, PENDING_COMMANDS_MAX, Pending};
use suda_protocol::v1::command::Request;
use suda_protocol::v1::reply::Result as Answered;
use suda_protocol::{ErrorCode, limits, v1};

use crate::script::{ROOM, Script, client_id, posted, room};

fn post(script: &mut Script, room: &str, n: u128) {
    script
        .machine
        .post(script.now, room, client_id(n), &format!("message {n}"), 0)
        .unwrap();
}

/// Asserts that the machine sends that post.
fn sends(script: &mut Script, n: u128) -> u64 {
    let (id, request) = script.command();
    let Request::Post(post) = request else {
        panic!("{request:?}")
    };
    assert_eq!(
        (post.client_id, post.text),
        (client_id(n).to_string(), format!("message {n}"))
    );
    id
}

fn accepted(script: &mut Script, n: u128, seq: u64) {
    let event = script.event();
    let Event::Accepted {
        client_id: id,
        outcome: Outcome::Posted(posted),
    } = &event
    else {
        panic!("{event:?}")
    };
    assert_eq!((*id, posted.seq), (client_id(n), seq));
}

#[test]
fn one_post_per_room_is_under_way() {
    let mut script = Script::online();
    post(&mut script, "lobby", 1);
    post(&mut script, "lobby", 2);
    post(&mut script, "other", 3);
    let first = sends(&mut script, 1);
    sends(&mut script, 3);
    script.no_command();
    script.reply(first, posted(7));
    accepted(&mut script, 1, 7);
    sends(&mut script, 2);
}

#[test]
fn a_room_known_by_name_and_by_id_is_one_room() {
    let mut script = Script::reading(5);
    post(&mut script, "lobby", 1);
    post(&mut script, ROOM, 2);
    let first = sends(&mut script, 1);
    script.no_command();
    script.reply(first, posted(6));
    accepted(&mut script, 1, 6);
    sends(&mut script, 2);
}

#[test]
fn a_lost_answer_is_asked_for_with_the_same_client_id_and_given_once() {
    let mut script = Script::online();
    post(&mut script, "lobby", 1);
    post(&mut script, "lobby", 2);
    for _ in 0..3 {
        sends(&mut script, 1);
        script.lose_connection();
        script.come_back();
    }
    let id = sends(&mut script, 1);
    script.reply(id, posted(1));
    // An answer that comes twice is none.
    script.reply(id, posted(1));
    accepted(&mut script, 1, 1);
    script.no_event();
    sends(&mut script, 2);
}

#[test]
fn an_answer_from_an_earlier_connection_is_not_taken_for_another() {
    let mut script = Script::online();
    post(&mut script, "lobby", 1);
    let stale = sends(&mut script, 1);
    script.lose_connection();
    script.come_back();
    let fresh = sends(&mut script, 1);
    assert_ne!(stale, fresh);
    script.reply(stale, posted(1));
    script.no_event();
}

#[test]
fn what_is_posted_without_a_connection_is_sent_when_there_is_one() {
    let mut script = Script::new();
    post(&mut script, "lobby", 1);
    script.no_command();
    script.go_online();
    sends(&mut script, 1);
}

#[test]
fn a_refusal_for_now_waits_and_is_sent_again_in_its_place() {
    let mut script = Script::online();
    post(&mut script, "lobby", 1);
    post(&mut script, "lobby", 2);
    let id = sends(&mut script, 1);
    let error = v1::Error::of(ErrorCode::RateLimited).with_retry_after_ms(800);
    script.reply(id, Answered::Error(error));
    let Event::Delayed {
        client_id: id,
        retry_at,
        ..
    } = script.event()
    else {
        panic!()
    };
    assert_eq!(id, client_id(1));
    assert!(retry_at >= script.now + 800);
    script.no_command();
    script.at(retry_at - 1);
    script.no_command();
    assert_eq!(script.machine.poll_timeout(), Some(retry_at));
    script.wake();
    let id = sends(&mut script, 1);
    script.no_command();
    script.reply(id, posted(1));
    accepted(&mut script, 1, 1);
    sends(&mut script, 2);
}

#[test]
fn a_refusal_for_good_is_told_once_and_the_next_goes_on() {
    let mut script = Script::online();
    post(&mut script, "lobby", 1);
    post(&mut script, "lobby", 2);
    let id = sends(&mut script, 1);
    script.refuse(id, ErrorCode::NotAMember);
    assert!(
        matches!(script.event(), Event::Refused { client_id: id, error }
        if id == client_id(1) && error.code() == ErrorCode::NotAMember)
    );
    script.no_event();
    sends(&mut script, 2);
    assert_eq!(script.machine.pending().count(), 1);
}

#[test]
fn a_newer_servers_error_counts_by_what_it_says_of_itself() {
    let mut script = Script::online();
    post(&mut script, "lobby", 1);
    let id = sends(&mut script, 1);
    script.reply(
        id,
        Answered::Error(v1::Error {
            code: 9_999,
            retryable: true,
            ..Default::default()
        }),
    );
    assert!(matches!(script.event(), Event::Delayed { .. }));
    assert_eq!(script.machine.pending().count(), 1);
}

#[test]
fn create_join_post_go_out_in_order_though_only_the_name_is_known() {
    let mut script = Script::online();
    let now = script.now;
    script
        .machine
        .create_room(now, client_id(1), "lobby")
        .unwrap();
    post(&mut script, "lobby", 2);
    script.machine.leave(now, client_id(3), "lobby").unwrap();
    let (id, request) = script.command();
    assert!(matches!(request, Request::CreateRoom(_)));
    script.no_command();
    script.reply(
        id,
        Answered::RoomCreation(v1::RoomCreation {
            room: Some(room(1)),
            duplicate: false,
        }),
    );
    assert!(matches!(
        script.event(),
        Event::Accepted {
            outcome: Outcome::RoomCreated(_),
            ..
        }
    ));
    let id = sends(&mut script, 2);
    script.reply(id, posted(2));
    accepted(&mut script, 2, 2);
    assert!(matches!(script.command().1, Request::Leave(_)));
}

#[test]
fn the_servers_limit_of_commands_under_way_is_kept() {
    let mut script = Script::online();
    for n in 0..100 {
        post(&mut script, &format!("room {n}"), n);
    }
    let mut ids = Vec::new();
    while let Some(command) = script.machine.poll_transmit() {
        ids.push(command.id);
    }
    assert_eq!(ids.len(), limits::COMMANDS_IN_FLIGHT_MAX);
    script.reply(ids[0], posted(1));
    script.command();
    script.no_command();
}

#[test]
fn the_outbox_is_bounded_in_commands_and_in_bytes() {
    let mut script = Script::new();
    for n in 0..PENDING_COMMANDS_MAX as u128 {
        post(&mut script, "lobby", n);
    }
    let error = script
        .machine
        .post(script.now, "lobby", client_id(9_999), "x", 0)
        .unwrap_err();
    assert!(
        matches!(
            error,
            CommandError::OutboxFull {
                commands: PENDING_COMMANDS_MAX,
                ..
            }
        ),
        "{error}"
    );

    let mut script = Script::new();
    let text = "x".repeat(limits::TEXT_BYTES_MAX);
    let mut taken = 0;
    while script
        .machine
        .post(script.now, "lobby", client_id(taken), &text, 0)
        .is_ok()
    {
        taken += 1;
    }
    assert!(
        taken as usize <= PENDING_BYTES_MAX / limits::TEXT_BYTES_MAX && taken > 100,
        "{taken}"
    );
}

#[test]
fn what_the_server_would_refuse_is_said_before_asking() {
    let mut script = Script::online();
    let now = script.now;
    let long = "가".repeat(limits::TEXT_BYTES_MAX / 3 + 1);
    let mut post = |room: &str, text: &str| script.machine.post(now, room, client_id(1), text, 0);
    assert!(matches!(
        post("lobby", &long),
        Err(CommandError::TextTooLong { .. })
    ));
    assert_eq!(post("lobby", ""), Err(CommandError::EmptyText));
    assert_eq!(post("", "x"), Err(CommandError::InvalidRoom));
    assert_eq!(
        post(&"x".repeat(1_000), "x"),
        Err(CommandError::InvalidRoom)
    );
    assert_eq!(post("lobby", "x"), Ok(()));
    assert_eq!(
        post("lobby", "x"),
        Err(CommandError::AlreadyPending {
            client_id: client_id(1)
        })
    );
    assert_eq!(script.machine.pending().count(), 1);
}

#[test]
fn every_post_that_is_taken_fits_a_command_in_json_too() {
    let mut script = Script::online();
    for (n, c) in ["\u{1}", "\"", "\n", "\u{7f}", "가", "👋"]
        .into_iter()
        .enumerate()
    {
        let mut count = limits::TEXT_BYTES_MAX / c.len();
        let taken = loop {
            let text = c.repeat(count);
            match script.machine.post(
                script.now,
                &"방".repeat(64),
                client_id(n as u128),
                &text,
                u64::MAX,
            ) {
                Ok(()) => break script.machine.pending().last().unwrap().to_json(),
                Err(CommandError::CommandTooLarge { .. }) => count -= 1,
                Err(other) => panic!("{other}"),
            }
        };
        assert!(
            taken.len() + 20 <= limits::COMMAND_BYTES_MAX,
            "{c:?}: {}",
            taken.len()
        );
        assert!(Pending::from_json(&taken).is_ok());
        assert!(count > 10_000 || c.len() > 1, "{c:?}: {count}");
    }
}

#[test]
fn pending_commands_outlive_the_machine() {
    let mut script = Script::online();
    post(&mut script, "lobby", 1);
    post(&mut script, "lobby", 2);
    sends(&mut script, 1);
    let kept: Vec<String> = script.machine.pending().map(Pending::to_json).collect();

    let mut script = Script::new();
    let restored = kept.iter().map(|line| Pending::from_json(line).unwrap());
    script.machine.restore(restored).unwrap();
    post(&mut script, "lobby", 3);
    script.go_online();
    let id = sends(&mut script, 1);
    script.reply(id, posted(1));
    accepted(&mut script, 1, 1);
    sends(&mut script, 2);
}

#[test]
fn a_kept_line_that_is_no_mutating_command_is_refused() {
    for line in [
        "",
        "{}",
        r#"{"id":"1","ping":{}}"#,
        r#"{"id":"1","post":{"clientId":"no uuid","room":"r","text":"x"}}"#,
    ] {
        assert!(Pending::from_json(line).is_err(), "{line}");
    }
}

#[test]
fn questions_are_asked_again_after_a_lost_connection_and_answered_once() {
    let mut script = Script::online();
    let request = script.machine.list_rooms(script.now, true, "").unwrap();
    script.command();
    script.lose_connection();
    script.come_back();
    let (id, asked) = script.command();
    assert!(matches!(
        asked,
        Request::ListRooms(v1::ListRooms { mine: true, .. })
    ));
    let list = v1::RoomList {
        rooms: vec![room(1)],
        more: false,
    };
    script.reply(id, Answered::RoomList(list.clone()));
    let answer = Event::Answer {
        request,
        result: Ok(suda_client::Answer::Rooms(list)),
    };
    assert_eq!(script.event(), answer);
    script.no_event();
}
