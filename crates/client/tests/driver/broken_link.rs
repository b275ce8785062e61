//! A link that breaks all the time, at any byte, in either direction.

use std::time::Duration;

use suda_client::Event;
use suda_protocol::Codec;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Running, address, beginning, connect, read_texts};

/// Carries connections to a port; the n-th is cut after some hundreds of bytes in one direction, a few kilobytes in
/// all.
async fn fragile_proxy(to: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for n in 0_usize.. {
            let (near, _) = listener.accept().await.unwrap();
            let far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            tokio::spawn(async move {
                let ((mut near_in, mut near_out), (mut far_in, mut far_out)) =
                    (near.into_split(), far.into_split());
                // Primes, so that the cuts fall into all places of a frame.
                let up = carry(&mut near_in, &mut far_out, 500 + n * 37 % 2_003);
                let down = carry(&mut far_in, &mut near_out, 900 + n * 101 % 4_001);
                // The first that has had enough ends both.
                tokio::select! {
                    () = up => {}
                    () = down => {}
                }
            });
        }
    });
    port
}

async fn carry(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    bytes_max: usize,
) {
    let (mut left, mut buf) = (bytes_max, [0; 64]);
    while left > 0 {
        let Ok(read @ 1..) = from.read(&mut buf).await else {
            return;
        };
        let taken = read.min(left);
        if to.write_all(&buf[..taken]).await.is_err() {
            return;
        }
        left -= taken;
    }
}

#[tokio::test]
async fn a_link_that_breaks_all_the_time_loses_and_doubles_nothing() {
    const POSTS: usize = 60;
    let mut running = Running::start().await;
    let account = running.set_up().await;
    let proxy = fragile_proxy(running.port).await;
    let (writer, mut writer_events) = connect(address(proxy), &account, Codec::Proto);
    let (reader, mut reader_events) = connect(address(proxy), &account, Codec::Json);
    // Nobody wants to wait for the pauses between attempts, which are tested elsewhere.
    let hurry = tokio::spawn({
        let (writer, reader) = (writer.clone(), reader.clone());
        async move {
            let mut pauses = tokio::time::interval(Duration::from_millis(5));
            loop {
                pauses.tick().await;
                writer.connect_now().await.unwrap();
                reader.connect_now().await.unwrap();
            }
        }
    });
    let breaks = tokio::spawn(async move {
        let mut breaks = 0;
        while let Some(event) = writer_events.next().await {
            breaks += usize::from(matches!(event, Event::Offline { .. }));
        }
        breaks
    });
    let reading = tokio::spawn(async move {
        let texts = read_texts(&mut reader_events, POSTS).await;
        (texts, reader_events)
    });
    let opening = tokio::spawn({
        let reader = reader.clone();
        async move { reader.open("lobby", beginning()).await }
    });

    let mut seqs = Vec::new();
    for n in 0..POSTS {
        seqs.push(
            writer
                .post("lobby", &format!("message {n}"))
                .await
                .unwrap()
                .seq,
        );
    }
    let first = seqs[0];
    assert_eq!(
        seqs,
        (first..first + POSTS as u64).collect::<Vec<_>>(),
        "each once, without a hole"
    );
    let (texts, _events) = reading.await.unwrap();
    assert_eq!(
        texts,
        (0..POSTS)
            .map(|n| format!("message {n}"))
            .collect::<Vec<_>>()
    );
    opening.await.unwrap().unwrap();
    hurry.abort();
    assert!(writer.close(Duration::ZERO).await.is_empty());
    assert!(breaks.await.unwrap() > 5, "the link did break");
    running.stop().await;
}
