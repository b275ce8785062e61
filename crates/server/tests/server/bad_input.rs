//! Bad input on the socket: one clear error each, and everybody else carries on.

use crate::support::{Chat, Running, beginning, post, post_as};
use suda_protocol::limits::{
    COMMAND_BYTES_MAX, COMMANDS_IN_FLIGHT_MAX, MALFORMED_COMMANDS_MAX, TEXT_BYTES_MAX,
};
use suda_protocol::v1::{self, command, reply, server_message};
use suda_protocol::{CloseCode, Codec, ErrorCode};
use uuid::Uuid;

#[tokio::test]
async fn a_bad_token_is_refused_and_the_connection_ends_for_good() {
    let running = Running::new().await;
    for codec in Codec::ALL {
        let mut chat = Chat::dial(running.server.local_addr(), codec).await;
        let connect = v1::Connect {
            token: "not a token".into(),
            device: Uuid::new_v4().to_string(),
            client: "test".into(),
        };
        assert_eq!(
            chat.refusal(command::Request::Connect(connect)).await,
            ErrorCode::Unauthenticated
        );
        assert_eq!(chat.closed().await, CloseCode::Unauthenticated.number());
    }
}

#[tokio::test]
async fn nothing_goes_before_connect() {
    let running = Running::new().await;
    let mut chat = Chat::dial(running.server.local_addr(), Codec::Json).await;
    assert_eq!(
        chat.refusal(post("lobby", "안녕")).await,
        ErrorCode::NotConnected
    );
    chat.hello(&running.set_up().await).await;
    chat.post("lobby", "안녕").await;
}

#[tokio::test]
async fn commands_that_cannot_be_carried_out_say_why() {
    let running = Running::new().await;
    let mut chat = running.chat(Codec::Json, &running.set_up().await).await;
    assert_eq!(
        chat.refusal(post("없는 방", "안녕")).await,
        ErrorCode::UnknownRoom
    );
    assert_eq!(
        chat.refusal(post(&Uuid::new_v4().to_string(), "안녕"))
            .await,
        ErrorCode::UnknownRoom
    );
    assert_eq!(
        chat.refusal(post("lobby", " \n")).await,
        ErrorCode::EmptyText
    );
    let long = "가".repeat(TEXT_BYTES_MAX / 3 + 1);
    assert_eq!(
        chat.refusal(post("lobby", &long)).await,
        ErrorCode::TextTooLong
    );
    let no_uuid = command::Request::Post(v1::Post {
        client_id: "1".into(),
        room: "lobby".into(),
        text: "안녕".into(),
        reply_to: 0,
    });
    assert_eq!(chat.refusal(no_uuid).await, ErrorCode::InvalidId);
    let no_message = command::Request::Post(v1::Post {
        client_id: Uuid::new_v4().to_string(),
        room: "lobby".into(),
        text: "안녕".into(),
        reply_to: u64::MAX,
    });
    assert_eq!(chat.refusal(no_message).await, ErrorCode::UnknownMessage);
    let open = command::Request::Open(v1::Open {
        room: "없는 방".into(),
        cursor: beginning(),
    });
    assert_eq!(chat.refusal(open).await, ErrorCode::UnknownRoom);
    chat.post("lobby", "그래도 계속됩니다").await;
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_and_the_connection_goes_on() {
    let running = Running::new().await;
    let mut chat = running.chat(Codec::Json, &running.set_up().await).await;
    chat.send_raw(b"{".to_vec()).await;
    let Ok(server_message::Kind::Reply(answer)) = chat.message().await else {
        panic!("no reply");
    };
    let Some(reply::Result::Error(error)) = answer.result else {
        panic!("no error");
    };
    assert_eq!((answer.id, error.code()), (0, ErrorCode::Malformed));
    assert!(error.message.contains("JSON"), "{}", error.message);

    chat.send_raw(br#"{"id": 9, "danceTogether": {}}"#.to_vec())
        .await;
    let Ok(server_message::Kind::Reply(answer)) = chat.message().await else {
        panic!("no reply");
    };
    let Some(reply::Result::Error(error)) = answer.result else {
        panic!("no error");
    };
    assert_eq!((answer.id, error.code()), (9, ErrorCode::UnknownCommand));
    chat.post("lobby", "그래도 계속됩니다").await;
}

#[tokio::test]
async fn too_much_that_cannot_be_read_ends_the_connection() {
    let running = Running::new().await;
    let token = running.set_up().await;
    let mut other = running.chat(Codec::Proto, &token).await;
    let mut chat = running.chat(Codec::Proto, &token).await;
    for _ in 0..MALFORMED_COMMANDS_MAX {
        chat.send_raw(vec![0xff; 8]).await;
    }
    assert_eq!(chat.closed().await, CloseCode::Malformed.number());
    other.post("lobby", "여기는 괜찮아요").await;
}

#[tokio::test]
async fn a_command_over_the_limit_ends_the_connection_before_it_is_read() {
    let running = Running::new().await;
    let token = running.set_up().await;
    let mut other = running.chat(Codec::Proto, &token).await;
    let mut chat = running.chat(Codec::Proto, &token).await;
    chat.send_raw(vec![0; COMMAND_BYTES_MAX + 1]).await;
    assert_eq!(chat.closed().await, 1009);
    other.post("lobby", "여기는 괜찮아요").await;
}

#[tokio::test]
async fn who_posts_too_fast_is_told_when_to_go_on_and_a_retry_of_what_was_taken_is_answered() {
    let running = Running::new().await;
    let mut chat = running.chat(Codec::Proto, &running.set_up().await).await;
    let client_id = Uuid::new_v4();
    let first = chat.call(post_as(client_id, "lobby", "처음")).await;
    assert!(matches!(first, reply::Result::Posted(_)));
    let wait_ms = loop {
        if let reply::Result::Error(error) = chat.call(post("lobby", "빨리")).await {
            assert_eq!(error.code(), ErrorCode::RateLimited);
            assert!(error.retryable);
            break error.retry_after_ms;
        }
    };
    assert!(wait_ms > 0);
    let again = chat.call(post_as(client_id, "lobby", "처음")).await;
    assert!(matches!(again, reply::Result::Posted(posted) if posted.duplicate));
}

#[tokio::test]
async fn commands_under_one_id_are_bounded_like_any_others() {
    let running = Running::new().await;
    let mut chat = running.chat(Codec::Proto, &running.set_up().await).await;
    // While somebody else holds the database's write lock no post is answered, but pings are.
    let database = rusqlite::Connection::open(running.data.path().join("data/suda.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..2 * COMMANDS_IN_FLIGHT_MAX {
        chat.send_as(7, post("lobby", "안녕")).await;
        chat.send_as(7, command::Request::Ping(v1::Ping {})).await;
    }
    // The last of the posts that may be in flight stops the reading, so that the ping behind it is not read.
    for _ in 1..COMMANDS_IN_FLIGHT_MAX {
        let pong = chat.any_reply().await.result;
        assert!(matches!(pong, Some(reply::Result::Pong(_))), "{pong:?}");
    }
    drop(database);
    let next = chat.any_reply().await.result;
    assert!(!matches!(next, Some(reply::Result::Pong(_))), "{next:?}");
}

#[tokio::test]
async fn a_message_of_the_wrong_kind_is_answered_with_the_right_one() {
    let running = Running::new().await;
    let token = running.set_up().await;
    for (codec, kind) in [(Codec::Json, "text"), (Codec::Proto, "binary")] {
        let mut chat = running.chat(codec, &token).await;
        chat.send_in_the_wrong_kind(b"{}").await;
        let Some(reply::Result::Error(error)) = chat.any_reply().await.result else {
            panic!("no error");
        };
        assert_eq!(error.code(), ErrorCode::Malformed);
        let says_both = error.message.contains(codec.subprotocol()) && error.message.contains(kind);
        assert!(says_both, "{}", error.message);
        chat.post("lobby", "그래도 계속됩니다").await;
    }
}
