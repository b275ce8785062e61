//! One entry to many: the same order on every worker, and nobody waits for the slow.

use crate::support::{Chat, Running, beginning, post};
use std::time::Duration;
use suda_protocol::Codec;
use suda_protocol::v1::{self, Continuity, Cursor, command, push, reply};

/// That many writers, each of whom says its next as soon as it has the answer.
async fn write_at_once(running: &Running, token: &str, writers: usize, posts: usize) {
    let mut writing = Vec::new();
    for writer in 0..writers {
        let mut chat = running.chat(Codec::Proto, token).await;
        writing.push(tokio::spawn(async move {
            for number in 0..posts {
                chat.post("lobby", &format!("{writer}:{number}")).await;
            }
        }));
    }
    for writing in writing {
        writing.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_on_different_workers_see_one_order() {
    const WRITERS: usize = 4;
    const POSTS: usize = 50;
    let running = Running::new().await;
    let token = running.set_up().await;
    let mut readers = Vec::new();
    for number in 0..4 {
        let codec = Codec::ALL[number % 2];
        let mut reader = running.chat(codec, &token).await;
        reader.open("lobby", beginning()).await;
        readers.push(reader);
    }
    write_at_once(&running, &token, WRITERS, POSTS).await;
    let mut orders = Vec::new();
    for reader in &mut readers {
        let mut order = Vec::new();
        for seq in 1..=(WRITERS * POSTS + 1) as u64 {
            let entry = reader.entry().await;
            assert_eq!(entry.seq, seq);
            order.push(entry.id);
        }
        orders.push(order);
    }
    assert!(orders.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_of_more_members_than_one_turn_writes_to_gets_all_in_order() {
    // A worker writes to 32 sockets and then looks at what else there is: each of these turns is several.
    const READERS: usize = 200;
    const WRITERS: usize = 8;
    const POSTS: usize = 25;
    const LAST: u64 = (WRITERS * POSTS + 1) as u64;
    let running = Running::with(|config| config.workers = 1).await;
    let token = running.set_up().await;
    let mut reading = Vec::new();
    for number in 0..READERS {
        let mut reader = running.chat(Codec::ALL[number % 2], &token).await;
        reader.open("lobby", beginning()).await;
        reading.push(tokio::spawn(async move {
            let mut seqs = Vec::new();
            while seqs.last() != Some(&LAST) {
                seqs.push(reader.entry().await.seq);
            }
            seqs
        }));
    }
    // So that entries are committed while others are being written out.
    write_at_once(&running, &token, WRITERS, POSTS).await;
    for reading in reading {
        assert_eq!(reading.await.unwrap(), (1..=LAST).collect::<Vec<_>>());
    }
}

/// Texts of the longest kind, until more was said than the system's socket buffers take.
async fn say_a_lot(running: &Running, token: &str) -> u64 {
    const WRITERS: usize = 4;
    const POSTS: usize = 190;
    let text = "가".repeat(5_000);
    let mut last = 0;
    for _ in 0..WRITERS {
        let mut writer = running.chat(Codec::Proto, token).await;
        for _ in 0..POSTS {
            last = writer.post("lobby", &text).await.seq;
        }
    }
    last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_lags_and_delays_nobody_and_misses_nothing() {
    let running = Running::with(|config| {
        config.limits.outbox_bytes_max = 64 * 1024;
        config.limits.stall_timeout = Duration::from_secs(600);
        config.limits.heartbeat = Duration::from_secs(300);
    })
    .await;
    let token = running.set_up().await;
    let mut quick = running.chat(Codec::Proto, &token).await;
    quick.open("lobby", beginning()).await;
    let mut slow = Chat::dial_with(running.server.local_addr(), Codec::Proto, |socket| {
        socket.set_recv_buffer_size(8 * 1024).unwrap();
    })
    .await;
    slow.hello(&token).await;
    slow.open("lobby", beginning()).await;

    // The quick one reads while it is said, the slow one does not read at all.
    let reading = tokio::spawn(async move {
        let mut seqs = Vec::new();
        while seqs.last() != Some(&761) {
            seqs.push(quick.entry().await.seq);
        }
        seqs
    });
    let last = say_a_lot(&running, &token).await;
    assert_eq!(last, 761);
    assert_eq!(reading.await.unwrap(), (1..=last).collect::<Vec<_>>());

    // Now the slow one reads: its stream ends with a word about it, and goes on where it asks.
    let mut cursor = beginning();
    let mut seqs = Vec::new();
    let mut lags = 0;
    while seqs.last() != Some(&last) {
        match slow.push().await {
            push::Event::Entry(entry) => {
                seqs.push(entry.seq);
                cursor = Some(Cursor {
                    seq: entry.seq,
                    id: entry.id,
                });
            }
            push::Event::Lag(_) => {
                lags += 1;
                // A gap that is too long for the stream is paged first.
                while slow.open("lobby", cursor.clone()).await.continuity() == Continuity::Page {
                    for entry in slow.log("lobby", cursor.clone()).await.entries {
                        seqs.push(entry.seq);
                        cursor = Some(Cursor {
                            seq: entry.seq,
                            id: entry.id,
                        });
                    }
                }
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!(lags >= 1, "it was never slow");
    assert_eq!(seqs, (1..=last).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_takes_nothing_is_closed_and_the_others_go_on() {
    let running = Running::with(|config| {
        config.limits.outbox_bytes_max = 64 * 1024;
        config.limits.stall_timeout = Duration::from_millis(200);
    })
    .await;
    let token = running.set_up().await;
    let mut stuck = Chat::dial_with(running.server.local_addr(), Codec::Proto, |socket| {
        socket.set_recv_buffer_size(8 * 1024).unwrap();
    })
    .await;
    stuck.hello(&token).await;
    stuck.open("lobby", beginning()).await;
    say_a_lot(&running, &token).await;
    let mut other = running.chat(Codec::Proto, &token).await;
    // The connection is forgotten while its client sleeps; what follows is answered as ever.
    let ended = tokio::time::timeout(Duration::from_secs(60), stuck.ended_unread());
    ended.await.expect("the server ends it");
    assert!(matches!(
        other.call(post("lobby", "여기는 괜찮아요")).await,
        reply::Result::Posted(_)
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_loses_batches_reads_them_from_the_store() {
    const ROUNDS: usize = 12;
    const POSTS: u64 = 5;
    let running = Running::with(|config| {
        // One entry in each commit, and room for one commit: most are lost while a worker does anything else.
        config.limits.journal_batch_max = 1;
        config.limits.worker_queue_max = 1;
        // Heartbeats would have a client ask again; here the server has to do it by itself.
        config.limits.heartbeat = Duration::from_secs(300);
    })
    .await;
    let token = running.set_up().await;
    // Connections go to the two workers in turn.
    let mut busy = running.chat(Codec::Json, &token).await;
    let mut writer = running.chat(Codec::Proto, &token).await;
    let mut reader = running.chat(Codec::Proto, &token).await;
    let mut last = 1;
    let long = "많이 ".repeat(500);
    for _ in 0..60 {
        last = writer.post("lobby", &long).await.seq;
    }
    reader.open("lobby", None).await;
    for _ in 0..ROUNDS {
        // Pages in JSON keep the reader's worker busy while commits come in.
        const PAGES: usize = 16;
        for _ in 0..PAGES {
            let log = v1::Log {
                room: "lobby".into(),
                after: None,
                count_max: 0,
            };
            busy.send(command::Request::Log(log)).await;
        }
        let mut posts = Vec::new();
        for _ in 0..POSTS {
            posts.push(writer.send(post("lobby", "더")).await);
        }
        for id in posts {
            let answer = writer.reply(id).await;
            assert!(matches!(answer, reply::Result::Posted(_)), "{answer:?}");
        }
        for seq in last + 1..=last + POSTS {
            assert_eq!(reader.entry().await.seq, seq);
        }
        last += POSTS;
        for _ in 0..PAGES {
            busy.any_reply().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_its_answers_delays_nobody_and_gets_all_of_them() {
    const QUESTIONS: usize = 500;
    let running = Running::with(|config| {
        config.workers = 1;
        config.limits.outbox_bytes_max = 64 * 1024;
        config.limits.stall_timeout = Duration::from_secs(600);
    })
    .await;
    let token = running.set_up().await;
    let mut other = running.chat(Codec::Proto, &token).await;
    let text = "가".repeat(5_000);
    other.post("lobby", &text).await;
    let mut asking = Chat::dial_with(running.server.local_addr(), Codec::Proto, |socket| {
        socket.set_recv_buffer_size(8 * 1024).unwrap();
    })
    .await;
    asking.hello(&token).await;
    for _ in 0..QUESTIONS {
        let log = v1::Log {
            room: "lobby".into(),
            after: None,
            count_max: 0,
        };
        asking.send(command::Request::Log(log)).await;
    }
    // Answers of some megabytes wait for a socket that takes none; the worker has time for others.
    for _ in 0..20 {
        other.post("lobby", "저는 읽고 있어요").await;
    }
    for _ in 0..QUESTIONS {
        let answer = asking.any_reply().await.result;
        assert!(matches!(answer, Some(reply::Result::LogPage(page)) if page.continues));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_away_with_answers_unread_gives_its_place_back() {
    let running = Running::with(|config| {
        config.limits.connections_max = 2;
        config.limits.outbox_bytes_max = 64 * 1024;
        config.limits.stall_timeout = Duration::from_secs(600);
        config.limits.heartbeat = Duration::from_secs(300);
    })
    .await;
    let token = running.set_up().await;
    let mut other = running.chat(Codec::Proto, &token).await;
    other.post("lobby", &"가".repeat(5_000)).await;
    let mut asking = Chat::dial_with(running.server.local_addr(), Codec::Proto, |socket| {
        socket.set_recv_buffer_size(8 * 1024).unwrap();
    })
    .await;
    asking.hello(&token).await;
    for _ in 0..500 {
        let log = v1::Log {
            room: "lobby".into(),
            after: None,
            count_max: 0,
        };
        asking.send(command::Request::Log(log)).await;
    }
    drop(asking);
    let place = async {
        while !Chat::finds_a_place(running.server.local_addr()).await {
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(60), place).await;
    found.expect("the place is free again");
    other.post("lobby", "저는 그대로예요").await;
}
