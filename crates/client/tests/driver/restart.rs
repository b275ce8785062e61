//! The server goes away and comes back; the program goes away and comes back.

use std::time::Duration;

use suda_client::{Client, Event, OfflineReason, Outcome, Pending};
use suda_protocol::Codec;

use crate::support::{Running, address, beginning, config, connect, read_texts, wait_for};

#[tokio::test]
async fn posts_made_while_the_server_restarts_arrive_once_and_in_order() {
    let mut running = Running::start().await;
    let account = running.set_up().await;
    let (writer, mut writer_events) = connect(running.address(), &account, Codec::Proto);
    let (reader, mut reader_events) = connect(running.address(), &account, Codec::Json);
    writer.post("lobby", "before").await.unwrap();
    assert_eq!(
        reader.open("lobby", beginning()).await.unwrap().name,
        "lobby"
    );

    running.stop().await;
    let offline = |event| {
        matches!(
            event,
            Event::Offline {
                reason: OfflineReason::GoingAway,
                ..
            }
        )
        .then_some(())
    };
    wait_for(&mut writer_events, offline).await;
    let posts: Vec<_> = (0..20)
        .map(|n| {
            let writer = writer.clone();
            let post = async move { writer.post("lobby", &format!("during {n}")).await };
            tokio::spawn(post)
        })
        .collect();
    // They wait in the outbox, or in the queue to it, while nobody is there.
    while writer.pending().await.is_empty() {
        tokio::task::yield_now().await;
    }

    running.begin().await;
    writer.connect_now().await.unwrap();
    reader.connect_now().await.unwrap();
    let mut seqs = Vec::new();
    for post in posts {
        seqs.push(post.await.unwrap().unwrap().seq);
    }
    assert!(seqs.is_sorted(), "{seqs:?}");
    assert_eq!(
        writer.post("lobby", "after").await.unwrap().seq,
        seqs[19] + 1
    );

    let texts = read_texts(&mut reader_events, 22).await;
    let during = (0..20).map(|n| format!("during {n}"));
    let expected: Vec<String> = ["before".to_owned()]
        .into_iter()
        .chain(during)
        .chain(["after".to_owned()])
        .collect();
    assert_eq!(texts, expected);
    assert!(writer.close(Duration::ZERO).await.is_empty());
    reader.close(Duration::ZERO).await;
    running.stop().await;
}

#[tokio::test]
async fn what_a_closed_client_could_not_send_the_next_one_sends_once() {
    let mut running = Running::start().await;
    let account = running.set_up().await;
    let port = running.port;
    running.stop().await;

    let (client, _events) = connect(address(port), &account, Codec::Proto);
    let posting = tokio::spawn({
        let client = client.clone();
        async move { client.post("lobby", "나중에").await }
    });
    while client.pending().await.is_empty() {
        tokio::task::yield_now().await;
    }
    let unsent = client.close(Duration::ZERO).await;
    assert_eq!(unsent.len(), 1);
    assert!(
        posting.await.unwrap().is_err(),
        "who waited is told that the client is closed"
    );
    let kept: Vec<String> = unsent.iter().map(Pending::to_json).collect();

    running.begin().await;
    // Twice, as after a crash that forgot that it was sent.
    let mut seqs = Vec::new();
    for _ in 0..2 {
        let restored = kept
            .iter()
            .map(|line| Pending::from_json(line).unwrap())
            .collect();
        let config = config(running.address(), &account, Codec::Proto).pending(restored);
        let (client, mut events) = Client::connect(config).unwrap();
        let posted = |event| match event {
            Event::Accepted {
                outcome: Outcome::Posted(posted),
                ..
            } => Some(posted),
            _ => None,
        };
        seqs.push(wait_for(&mut events, posted).await.seq);
        assert!(client.close(Duration::ZERO).await.is_empty());
    }
    assert_eq!(seqs[0], seqs[1]);
    running.stop().await;
}

#[tokio::test]
async fn closing_waits_for_the_posts_that_are_under_way() {
    let mut running = Running::start().await;
    let account = running.set_up().await;
    let (client, _events) = connect(running.address(), &account, Codec::Proto);
    let posting = tokio::spawn({
        let client = client.clone();
        async move { client.post("lobby", "마지막 말").await }
    });
    while client.pending().await.is_empty() && !posting.is_finished() {
        tokio::task::yield_now().await;
    }
    assert!(client.close(Duration::from_secs(30)).await.is_empty());
    assert!(posting.await.unwrap().is_ok());
    assert!(client.post("lobby", "zu spät").await.is_err());
    running.stop().await;
}
