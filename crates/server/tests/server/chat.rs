//! The whole road: commands in, one durable commit, entries to everybody, in both codecs.

use crate::support::{Running, beginning, post, post_as};
use suda_protocol::v1::{self, command, push, reply};
use suda_protocol::{Codec, ErrorCode};
use uuid::Uuid;

#[tokio::test]
async fn everybody_reads_the_same_entries_in_either_codec() {
    let running = Running::new().await;
    let mut haneul = running.chat(Codec::Proto, &running.set_up().await).await;
    let mut bada = running
        .chat(Codec::Json, &running.sign_up("바다").await)
        .await;

    let room = bada.join("lobby").await;
    assert_eq!((room.name.as_str(), room.member_count), ("lobby", 2));
    haneul.open("lobby", beginning()).await;
    bada.open(&room.id, beginning()).await;
    haneul.post("lobby", "안녕하세요").await;
    bada.post("lobby", "네, 반갑습니다!").await;

    for seq in 1..=4 {
        let (one, other) = (haneul.entry().await, bada.entry().await);
        assert_eq!(one, other);
        assert_eq!((one.seq, &one.room), (seq, &room.id));
    }
    let page = haneul.log("lobby", None).await;
    assert!(page.continues);
    assert_eq!(page.entries.len(), 4);
    assert_eq!(page.top.unwrap().seq, 4);
}

#[tokio::test]
async fn a_retry_gets_the_first_answer_and_makes_nothing_new() {
    let running = Running::new().await;
    let token = running.set_up().await;
    let mut chat = running.chat(Codec::Proto, &token).await;
    let client_id = Uuid::new_v4();
    let reply::Result::Posted(first) = chat.call(post_as(client_id, "lobby", "한 번만")).await
    else {
        panic!("not posted");
    };
    assert!(!first.duplicate);

    // On another connection, after a restart, and after leaving the room.
    let running = running.restart(|_| {}).await;
    let mut chat = running.chat(Codec::Json, &token).await;
    chat.leave("lobby").await;
    let reply::Result::Posted(again) = chat.call(post_as(client_id, "lobby", "한 번만")).await
    else {
        panic!("not posted");
    };
    assert_eq!(
        again,
        v1::Posted {
            duplicate: true,
            ..first
        }
    );

    let reused = chat.refusal(post_as(client_id, "lobby", "다른 말")).await;
    assert_eq!(reused, ErrorCode::ClientIdReused);
    assert_eq!(
        chat.refusal(post("lobby", "새 말")).await,
        ErrorCode::NotAMember
    );
}

#[tokio::test]
async fn the_same_command_twice_in_one_batch_takes_effect_once() {
    let running = Running::new().await;
    let mut chat = running.chat(Codec::Proto, &running.set_up().await).await;
    let client_id = Uuid::new_v4();
    let first = chat.send(post_as(client_id, "lobby", "한 번만")).await;
    let second = chat.send(post_as(client_id, "lobby", "한 번만")).await;
    let (first, second) = (chat.reply(first).await, chat.reply(second).await);
    let (reply::Result::Posted(first), reply::Result::Posted(second)) = (first, second) else {
        panic!("not posted");
    };
    assert_eq!(
        second,
        v1::Posted {
            duplicate: true,
            ..first
        }
    );
}

#[tokio::test]
async fn rooms_are_made_listed_and_found_by_name() {
    let running = Running::new().await;
    let mut chat = running.chat(Codec::Json, &running.set_up().await).await;
    let create = |name: &str| {
        command::Request::CreateRoom(v1::CreateRoom {
            client_id: Uuid::new_v4().to_string(),
            name: name.to_owned(),
        })
    };
    let reply::Result::RoomCreation(made) = chat.call(create("수다방")).await else {
        panic!("not made");
    };
    assert_eq!(made.room.as_ref().unwrap().member_count, 1);
    assert_eq!(chat.refusal(create("수다방")).await, ErrorCode::NameTaken);
    assert_eq!(chat.refusal(create("LOBBY")).await, ErrorCode::NameTaken);
    assert_eq!(chat.refusal(create(" ")).await, ErrorCode::InvalidName);

    let mut other = running
        .chat(Codec::Proto, &running.sign_up("바다").await)
        .await;
    let list = |mine: bool, after_name: &str| {
        command::Request::ListRooms(v1::ListRooms {
            mine,
            after_name: after_name.to_owned(),
        })
    };
    let names = |list: reply::Result| match list {
        reply::Result::RoomList(list) => list
            .rooms
            .into_iter()
            .map(|room| (room.name, room.member))
            .collect::<Vec<_>>(),
        other => panic!("no list but {other:?}"),
    };
    assert_eq!(
        names(other.call(list(false, "")).await),
        [("lobby".to_owned(), false), ("수다방".to_owned(), false)]
    );
    assert_eq!(names(other.call(list(true, "")).await), []);
    other.join("수다방").await;
    assert_eq!(
        names(other.call(list(true, "lobby")).await),
        [("수다방".to_owned(), true)]
    );
}

#[tokio::test]
async fn messages_are_paged_from_the_newest() {
    let running = Running::new().await;
    let mut chat = running.chat(Codec::Proto, &running.set_up().await).await;
    for number in 1..=5 {
        chat.post("lobby", &format!("{number}번째")).await;
    }
    let messages = |before_seq| {
        command::Request::Messages(v1::Messages {
            room: "lobby".into(),
            before_seq,
            count_max: 3,
        })
    };
    let reply::Result::MessagePage(newest) = chat.call(messages(0)).await else {
        panic!("no page");
    };
    let texts: Vec<_> = newest
        .messages
        .iter()
        .map(|message| message.text.as_str())
        .collect();
    assert_eq!(texts, ["5번째", "4번째", "3번째"]);
    assert!(newest.more);
    assert_eq!(newest.as_of_seq, 6);
    let reply::Result::MessagePage(older) = chat.call(messages(newest.messages[2].seq)).await
    else {
        panic!("no page");
    };
    assert_eq!(older.messages.len(), 2);
    assert!(!older.more);
}

#[tokio::test]
async fn who_has_left_reads_nothing_from_then_on() {
    let running = Running::new().await;
    let token = running.set_up().await;
    let mut stays = running
        .chat(Codec::Proto, &running.sign_up("바다").await)
        .await;
    stays.join("lobby").await;
    let mut one_device = running.chat(Codec::Proto, &token).await;
    let mut other_device = running.chat(Codec::Json, &token).await;
    let room = other_device.open("lobby", None).await.room.unwrap();

    one_device.leave("lobby").await;
    stays.post("lobby", "이제 우리끼리").await;

    let last = other_device.entry().await;
    assert!(matches!(last.what, Some(v1::entry::What::MemberLeft(_))));
    assert_eq!(
        other_device.push().await,
        push::Event::Removed(v1::Removed {
            room: room.id.clone()
        })
    );
    // Pushes would stand before this reply.
    let log = command::Request::Log(v1::Log {
        room: room.id.clone(),
        after: None,
        count_max: 0,
    });
    assert_eq!(other_device.refusal(log).await, ErrorCode::NotAMember);
    let open = command::Request::Open(v1::Open {
        room: room.id,
        cursor: None,
    });
    assert_eq!(other_device.refusal(open).await, ErrorCode::NotAMember);
    let ping = command::Request::Ping(v1::Ping {});
    assert!(matches!(
        other_device.call(ping).await,
        reply::Result::Pong(_)
    ));
    assert!(other_device.has_no_push());
}
