//! The session through its public interface: what each command becomes, and what is refused.

use suda_engine::{
    Action, ClientId, Identity, Intent, Limits, Query, RoomRef, Session, SessionId, UserId,
};
use suda_protocol::v1::command::Request;
use suda_protocol::v1::reply::Result as Reply;
use suda_protocol::{CloseCode, ErrorCode, limits, v1};
use uuid::Uuid;

const ID: &str = "018f0000-0000-7000-8000-000000000001";

fn limits() -> Limits {
    Limits {
        command_rate_per_s: 10,
        command_burst_max: 3,
        query_rate_per_s: 10,
        query_burst_max: 3,
        ..Limits::default()
    }
}

fn fresh() -> Session {
    Session::new(SessionId(Uuid::from_u128(7)), limits())
}

fn connect(session: &mut Session) -> Action {
    let connect = v1::Connect {
        token: "token".into(),
        device: ID.into(),
        client: "test/1".into(),
    };
    session.handle(0, command(1, Request::Connect(connect)))
}

fn active() -> Session {
    let mut session = fresh();
    connect(&mut session);
    session.authenticated(
        0,
        Identity {
            id: UserId(Uuid::from_u128(9)),
            name: "수지".into(),
            administrator: false,
        },
    );
    session
}

fn command(id: u64, request: Request) -> v1::Command {
    v1::Command {
        id,
        request: Some(request),
    }
}

fn post(text: &str) -> Request {
    Request::Post(v1::Post {
        client_id: ID.into(),
        room: "lobby".into(),
        text: text.into(),
        reply_to: 0,
    })
}

fn ping() -> Request {
    Request::Ping(v1::Ping {})
}

fn refusal(action: &Action) -> Option<ErrorCode> {
    match action {
        Action::Reply(v1::Reply {
            result: Some(Reply::Error(error)),
            ..
        }) => Some(error.code()),
        _ => None,
    }
}

fn refused(session: &mut Session, request: Request) -> Option<ErrorCode> {
    refusal(&session.handle(0, command(5, request)))
}

#[test]
fn connect_comes_first_and_once() {
    let mut session = fresh();
    assert_eq!(
        refused(&mut session, post("안녕")),
        Some(ErrorCode::NotConnected)
    );
    assert!(matches!(
        connect(&mut session),
        Action::Authenticate {
            command_id: 1,
            device: Some(_),
            ..
        }
    ));
    assert_eq!(
        refusal(&connect(&mut session)),
        Some(ErrorCode::AlreadyConnected)
    );
    assert_eq!(
        refused(&mut session, post("안녕")),
        Some(ErrorCode::NotConnected)
    );
    let identity = Identity {
        id: UserId(Uuid::from_u128(9)),
        name: "수지".into(),
        administrator: true,
    };
    let reply = session.authenticated(123, identity);
    let Some(Reply::Hello(hello)) = reply.result else {
        panic!("no hello")
    };
    assert_eq!(
        (reply.id, hello.now_ms, hello.user.unwrap().administrator),
        (1, 123, true)
    );
    assert_eq!(hello.limits.unwrap(), v1::Limits::standard());
    assert_eq!(
        refusal(&connect(&mut session)),
        Some(ErrorCode::AlreadyConnected)
    );
}

#[test]
fn a_refused_connect_may_be_tried_again() {
    let mut session = fresh();
    connect(&mut session);
    let reply = session.refused(ErrorCode::Unauthenticated.into());
    assert!(matches!(
        reply,
        v1::Reply {
            id: 1,
            result: Some(Reply::Error(_))
        }
    ));
    assert_eq!(session.in_flight(), 0);
    assert!(matches!(connect(&mut session), Action::Authenticate { .. }));
}

#[test]
fn a_device_may_be_left_out_but_not_be_nonsense() {
    let nonsense = v1::Connect {
        device: "toaster".into(),
        ..v1::Connect::default()
    };
    assert_eq!(
        refused(&mut fresh(), Request::Connect(nonsense)),
        Some(ErrorCode::InvalidId)
    );
    let action = fresh().handle(0, command(1, Request::Connect(v1::Connect::default())));
    assert!(matches!(action, Action::Authenticate { device: None, .. }));
}

#[test]
fn the_client_name_is_cut_to_its_limit() {
    let connect = v1::Connect {
        client: "가".repeat(100),
        ..v1::Connect::default()
    };
    let Action::Authenticate { client, .. } =
        fresh().handle(0, command(1, Request::Connect(connect)))
    else {
        panic!()
    };
    assert!(client.len() <= limits::CLIENT_NAME_BYTES_MAX && client.starts_with('가'));
}

#[test]
fn a_mutating_command_becomes_a_draft() {
    let Action::Submit(draft) = active().handle(0, command(5, post("안녕"))) else {
        panic!("not submitted")
    };
    assert_eq!(
        (
            draft.command_id,
            draft.author_name.as_str(),
            draft.objection
        ),
        (5, "수지", None)
    );
    assert_eq!(draft.client_id, ClientId(ID.parse().unwrap()));
    let expected = Intent::Post {
        room: RoomRef::named("lobby"),
        text: "안녕".into(),
        reply_to: 0,
    };
    assert_eq!(draft.intent, expected);
}

#[test]
fn a_room_is_found_by_its_id_and_by_any_writing_of_its_name() {
    let mut session = active();
    for (room, expected) in [
        (ID, RoomRef::Id(ID.parse().unwrap())),
        (" LOBBY ", RoomRef::named("lobby")),
    ] {
        let action = session.handle(
            0,
            command(5, Request::Close(v1::Close { room: room.into() })),
        );
        assert_eq!(
            action,
            Action::Close {
                command_id: 5,
                room: expected
            }
        );
    }
}

#[test]
fn refusals_of_what_cannot_be_meant() {
    let mut session = Session::new(SessionId(Uuid::from_u128(7)), Limits::default());
    connect(&mut session);
    session.authenticated(
        0,
        Identity {
            id: UserId(Uuid::from_u128(9)),
            name: "수지".into(),
            administrator: false,
        },
    );
    let session = &mut session;
    let no_id = v1::Join {
        client_id: "1".into(),
        room: "lobby".into(),
    };
    assert_eq!(
        refused(session, Request::Join(no_id)),
        Some(ErrorCode::InvalidId)
    );
    let no_room = v1::Leave {
        client_id: ID.into(),
        room: "  ".into(),
    };
    assert_eq!(
        refused(session, Request::Leave(no_room)),
        Some(ErrorCode::UnknownRoom)
    );
    let no_name = v1::CreateRoom {
        client_id: ID.into(),
        name: "\u{7}".into(),
    };
    assert_eq!(
        refused(session, Request::CreateRoom(no_name)),
        Some(ErrorCode::InvalidName)
    );
    let id_as_name = v1::CreateRoom {
        client_id: ID.into(),
        name: ID.into(),
    };
    assert_eq!(
        refused(session, Request::CreateRoom(id_as_name)),
        Some(ErrorCode::InvalidName)
    );
    let no_cursor = v1::Open {
        room: "lobby".into(),
        cursor: Some(v1::Cursor {
            seq: 3,
            id: "x".into(),
        }),
    };
    assert_eq!(
        refused(session, Request::Open(no_cursor)),
        Some(ErrorCode::InvalidId)
    );
    let nothing = v1::Command {
        id: 5,
        request: None,
    };
    assert_eq!(
        refusal(&session.handle(0, nothing)),
        Some(ErrorCode::UnknownCommand)
    );
    assert_eq!(
        refusal(&session.handle(0, command(0, ping()))),
        Some(ErrorCode::Malformed)
    );
    assert_eq!(session.in_flight(), 0);
}

#[test]
fn objections_travel_with_the_draft() {
    let mut session = active();
    let objection =
        |session: &mut Session, text: &str| match session.handle(0, command(5, post(text))) {
            Action::Submit(draft) => draft.objection,
            other => panic!("not submitted: {other:?}"),
        };
    assert_eq!(
        objection(&mut session, " \n").map(|refusal| refusal.code),
        Some(ErrorCode::EmptyText)
    );
    let long = "가".repeat(limits::TEXT_BYTES_MAX / 3 + 1);
    assert_eq!(
        objection(&mut session, &long).map(|refusal| refusal.code),
        Some(ErrorCode::TextTooLong)
    );
    assert_eq!(objection(&mut session, "안녕"), None);
    let refusal = objection(&mut session, "너무 빨라").expect("the burst is used up");
    assert_eq!(
        (refusal.code, refusal.retry_after_ms),
        (ErrorCode::RateLimited, 100)
    );
}

#[test]
fn the_rate_recovers_with_time_and_not_with_a_clock_that_jumps_back() {
    let mut session = active();
    let mut limited = |now| match session.handle(now, command(5, post("안녕"))) {
        Action::Submit(draft) => draft.objection.is_some(),
        other => panic!("not submitted: {other:?}"),
    };
    let at_1s: Vec<bool> = (0..4).map(|_| limited(1_000)).collect();
    assert_eq!(at_1s, [false, false, false, true]);
    assert!(limited(0), "a jump back fills nothing");
    assert!(limited(99));
    assert!(!limited(100));
    assert!(limited(100));
}

#[test]
fn questions_are_refused_directly_when_too_many() {
    let mut session = active();
    for _ in 0..3 {
        let action = session.handle(0, command(5, ping()));
        assert!(matches!(
            action,
            Action::Reply(v1::Reply {
                result: Some(Reply::Pong(_)),
                ..
            })
        ));
    }
    assert_eq!(refused(&mut session, ping()), Some(ErrorCode::RateLimited));
    assert!(
        matches!(
            session.handle(0, command(6, post("안녕"))),
            Action::Submit(_)
        ),
        "posts are counted apart"
    );
}

#[test]
fn counts_are_clamped() {
    let mut count_of = {
        let mut session = active();
        move |count_max| {
            let log = v1::Log {
                room: "lobby".into(),
                after: None,
                count_max,
            };
            match session.handle(0, command(5, Request::Log(log))) {
                Action::Query {
                    query: Query::Log { count, .. },
                    ..
                } => count,
                other => panic!("no query: {other:?}"),
            }
        }
    };
    assert_eq!(
        [0, 7, u32::MAX].map(&mut count_of),
        [limits::LOG_PAGE_MAX, 7, limits::LOG_PAGE_MAX]
    );
}

#[test]
fn reading_stops_at_the_limit_and_goes_on_when_one_is_answered() {
    let mut session = active();
    let max = limits::COMMANDS_IN_FLIGHT_MAX as u64;
    for id in 1..=max {
        assert!(session.may_read());
        session.handle(0, command(id, post("안녕")));
    }
    assert_eq!(session.in_flight(), max as usize);
    assert!(!session.may_read());
    session.answered(999);
    assert!(
        !session.may_read(),
        "nothing was answered that was not in flight"
    );
    session.answered(3);
    assert!(session.may_read());
}

#[test]
fn garbage_is_answered_until_there_is_too_much_of_it() {
    let mut session = fresh();
    let closes: Vec<_> = (0..limits::MALFORMED_COMMANDS_MAX)
        .map(|_| session.malformed(0).1)
        .collect();
    assert!(
        closes[..limits::MALFORMED_COMMANDS_MAX - 1]
            .iter()
            .all(Option::is_none)
    );
    assert_eq!(closes.last(), Some(&Some(CloseCode::Malformed)));
}
