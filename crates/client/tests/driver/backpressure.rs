//! Whoever takes no events holds the connection back, not memory; nothing is lost.

use suda_client::EVENTS_MAX;
use suda_protocol::Codec;
use suda_protocol::limits::COMMAND_BURST_MAX;

use crate::support::{Running, beginning, connect, read_texts};

#[tokio::test]
async fn events_that_nobody_takes_wait_and_none_is_lost() {
    let mut running = Running::start().await;
    let account = running.set_up().await;
    // More than may wait: some in the channel, the rest in the server's log until they are asked for.
    let authors = EVENTS_MAX.div_ceil(COMMAND_BURST_MAX as usize) + 1;
    let posts_each = COMMAND_BURST_MAX as usize - 1;
    let posting: Vec<_> = (0..authors)
        .map(|n| {
            let (server, account) = (running.address(), account.clone());
            tokio::spawn(async move {
                let (client, events) = connect(server, &account, Codec::Proto);
                drop(events);
                let posts = (0..posts_each).map(|m| {
                    let client = client.clone();
                    tokio::spawn(async move { client.post("lobby", &format!("{n}/{m}")).await })
                });
                for post in posts.collect::<Vec<_>>() {
                    post.await.unwrap().unwrap();
                }
            })
        })
        .collect();
    let (reader, mut events) = connect(running.address(), &account, Codec::Proto);
    reader.open("lobby", beginning()).await.unwrap();
    for author in posting {
        author.await.unwrap();
    }
    // All is said, and not one event was taken so far.
    let mut texts = read_texts(&mut events, authors * posts_each).await;
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), authors * posts_each);
    running.stop().await;
}
