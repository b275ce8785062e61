//! Signs of life: heartbeats with tops, and connections that give none.

use crate::support::{Chat, Running};
use std::time::Duration;
use suda_protocol::v1::push;
use suda_protocol::{CloseCode, Codec};

#[tokio::test]
async fn a_heartbeat_tells_the_tops_of_the_open_rooms() {
    let running = Running::with(|config| config.limits.heartbeat = Duration::from_secs(1)).await;
    for codec in Codec::ALL {
        let token = if codec == Codec::ALL[0] {
            running.set_up().await
        } else {
            running.sign_in("하늘").await
        };
        let mut chat = Chat::dial(running.server.local_addr(), codec).await;
        assert_eq!(chat.hello(&token).await.heartbeat_ms, 1_000);
        let posted = chat.post("lobby", "여기까지").await;
        let room = chat.open("lobby", None).await.room.unwrap();
        let tops = loop {
            if let push::Event::Heartbeat(heartbeat) = chat.any_push().await
                && !heartbeat.tops.is_empty()
            {
                break heartbeat.tops;
            }
        };
        assert_eq!(tops.len(), 1);
        assert_eq!(tops[0].room, room.id);
        let top = tops[0].top.as_ref().unwrap();
        assert_eq!((top.seq, &top.id), (posted.seq, &posted.id));
    }
}

#[tokio::test]
async fn a_connection_that_never_connects_is_closed() {
    let running =
        Running::with(|config| config.limits.connect_timeout = Duration::from_millis(100)).await;
    let mut chat = Chat::dial(running.server.local_addr(), Codec::Json).await;
    assert_eq!(chat.closed().await, CloseCode::ConnectTimeout.number());
}

#[tokio::test]
async fn a_silent_peer_is_closed_and_one_that_answers_pings_is_not() {
    let running = Running::with(|config| config.limits.heartbeat = Duration::from_secs(1)).await;
    let token = running.set_up().await;
    let mut alive = running.chat(Codec::Proto, &token).await;
    let mut silent = running.chat(Codec::Proto, &token).await;
    // Reading is what answers pings. The silent one does not read until the other has had five heartbeats.
    for _ in 0..5 {
        while !matches!(alive.any_push().await, push::Event::Heartbeat(_)) {}
    }
    assert_eq!(silent.closed().await, CloseCode::HeartbeatMissed.number());
    alive.post("lobby", "살아 있어요").await;
}

#[tokio::test]
async fn signing_out_closes_the_connections_of_that_device_alone() {
    let running = Running::new().await;
    let first = running.set_up().await;
    let second = running.sign_in("하늘").await;
    let mut stays = running.chat(Codec::Proto, &first).await;
    let mut tabs = Vec::new();
    for _ in 0..3 {
        tabs.push(running.chat(Codec::Json, &second).await);
    }
    assert_eq!(running.sign_out(&second).await.status, 204);
    for tab in &mut tabs {
        assert_eq!(tab.closed().await, CloseCode::SignedOut.number());
    }
    stays.post("lobby", "저는 남습니다").await;
}
