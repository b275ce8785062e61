//! The heartbeat, in simulated time.

use std::time::Duration;

use suda_websocket::{Config, Conn, Error, Message, Parts, Role, Stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    time::{advance, sleep, timeout},
};

use crate::{conn, support::RawPeer};

const EVERY: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(35);
/// Long enough for any number of beats.
const AGES: Duration = Duration::from_secs(3600);

fn beating<S: Stream>(stream: S) -> Conn<S> {
    let config = Config::default()
        .high_water_bytes(1)
        .heartbeat(EVERY, TIMEOUT);
    Conn::from_parts(stream, Parts::new(Role::Server, config))
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_pinged_and_then_given_up() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = beating(ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    for _ in 0..2 {
        let read = timeout(AGES, server.read_message()).await.unwrap();
        assert!(matches!(read, Err(Error::PeerSilent)), "{read:?}");
    }
    assert!(matches!(
        server.write_message("x").await,
        Err(Error::PeerSilent)
    ));
    drop(server);
    let mut pings = 0;
    while let Some(frame) = peer.next_frame().await {
        assert_eq!(frame, (0x89, Vec::new()));
        pings += 1;
    }
    assert_eq!(pings, 3, "after 10, 20 and 30 seconds");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_is_kept() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = beating(ours);
    let peer = tokio::spawn(async move { conn(Role::Client, theirs).read_message().await });
    assert!(timeout(AGES, server.read_message()).await.is_err());
    assert!(!peer.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_is_not_pinged() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = beating(ours);
    let peer = tokio::spawn(async move {
        let mut peer = RawPeer::new(theirs, Role::Client);
        for _ in 0..20 {
            sleep(EVERY / 2).await;
            peer.send(0x81, b"busy").await;
        }
        peer
    });
    for _ in 0..20 {
        assert_eq!(server.read_message().await.unwrap(), Message::text("busy"));
    }
    drop(server);
    let mut left = Vec::new();
    peer.await
        .unwrap()
        .stream
        .read_to_end(&mut left)
        .await
        .unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_program_that_only_writes_is_kept_alive_by_its_drain() {
    let (ours, theirs) = duplex(1 << 10);
    let (reader, mut writer, _control) = beating(ours).split();
    let drain = tokio::spawn(reader.drain());
    let mut peer = RawPeer::new(theirs, Role::Client);
    for _ in 0..20 {
        assert_eq!(peer.next_frame().await.unwrap(), (0x89, Vec::new()));
        peer.send(0x8a, b"").await;
        peer.send(0x82, b"dropped").await;
        peer.send(0x89, b"mine").await;
        assert_eq!(peer.next_frame().await.unwrap(), (0x8a, b"mine".to_vec()));
        writer.write_message("out").await.unwrap();
        assert_eq!(peer.next_frame().await.unwrap(), (0x81, b"out".to_vec()));
    }
    peer.send(0x88, &4000u16.to_be_bytes()).await;
    assert_eq!(peer.next_frame().await.unwrap().0, 0x88);
    let close = timeout(AGES, drain).await.unwrap().unwrap().unwrap();
    assert_eq!(close.code.0, 4000);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_busy_with_something_else_is_not_a_silent_peer() {
    let (ours, theirs) = duplex(1 << 20);
    let mut server = beating(ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    // More than is read ahead while nobody reads.
    for _ in 0..100 {
        peer.send(0x82, &[7; 4000]).await;
    }
    sleep(AGES).await;
    for _ in 0..100 {
        let read = timeout(AGES, server.read_message()).await.unwrap();
        assert_eq!(read.unwrap(), Message::binary(vec![7; 4000]));
    }
    let read = timeout(AGES, server.read_message()).await.unwrap();
    assert!(matches!(read, Err(Error::PeerSilent)), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn a_program_that_is_busy_with_what_it_found_at_once_is_not_a_silent_peer() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = beating(ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    tokio::join!(
        biased;
        async { assert_eq!(server.read_message().await.unwrap(), Message::text("waited for")) },
        peer.send(0x81, b"waited for"),
    );
    peer.send(0x81, b"there already").await;
    assert_eq!(
        server.read_message().await.unwrap(),
        Message::text("there already")
    );
    let peer = tokio::spawn(async move {
        while let Some((first, payload)) = peer.next_frame().await {
            match first {
                0x89 => peer.send(0x8a, &payload).await,
                _ => peer.send(0x81, &payload).await,
            }
        }
    });
    sleep(AGES).await;
    server.write_message("still there?").await.unwrap();
    assert_eq!(
        server.read_message().await.unwrap(),
        Message::text("still there?")
    );
    drop(server);
    peer.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_message_that_came_while_nobody_read_wakes_the_next_reader() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = beating(ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    // The read is given up, and what then arrives is found by the heartbeat.
    assert!(timeout(EVERY / 4, server.read_message()).await.is_err());
    peer.send(0x81, b"found").await;
    sleep(EVERY * 2).await;
    let read = timeout(AGES, server.read_message()).await.unwrap();
    assert_eq!(read.unwrap(), Message::text("found"));
}

#[tokio::test(start_paused = true)]
async fn a_write_to_a_peer_that_never_reads_ends_with_the_heartbeat() {
    let (ours, _theirs) = duplex(64);
    let (_reader, mut writer, _control) = beating(ours).split();
    writer.write_message(vec![1; 10_000]).await.unwrap();
    let written = timeout(AGES, writer.write_message("x")).await.unwrap();
    assert!(matches!(written, Err(Error::PeerSilent)), "{written:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_connection_is_freed_though_its_next_beat_is_far() {
    let (ours, mut theirs) = duplex(64);
    drop(beating(ours));
    assert_eq!(theirs.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(theirs.write_all(b"x").await.is_err());
    // The beats that are left find nobody, and others go on.
    sleep(AGES).await;
    let (ours, _theirs) = duplex(64);
    let read = timeout(AGES, beating(ours).read_message()).await.unwrap();
    assert!(matches!(read, Err(Error::PeerSilent)), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn a_quick_heart_beats_beside_a_slow_one() {
    let (ours, _theirs) = duplex(64);
    let slow = Config::default().heartbeat(AGES, 10 * AGES);
    let _slow = Conn::from_parts(ours, Parts::new(Role::Server, slow));
    sleep(EVERY).await;
    let (ours, _theirs) = duplex(64);
    let read = timeout(AGES, beating(ours).read_message()).await.unwrap();
    assert!(matches!(read, Err(Error::PeerSilent)), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn many_peers_that_answer_are_kept_though_nobody_reads() {
    let mut servers = Vec::new();
    for _ in 0..300 {
        let (ours, theirs) = duplex(1 << 10);
        servers.push(beating(ours));
        tokio::spawn(async move { conn(Role::Client, theirs).read_message().await });
    }
    sleep(AGES).await;
    for server in &mut servers {
        server.write_message("still here").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_not_given_up_unasked_because_the_program_stood_still() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = beating(ours);
    let reading = tokio::spawn(async move { server.read_message().await });
    let mut peer = RawPeer::new(theirs, Role::Client);
    tokio::task::yield_now().await;
    // Time goes by, and nothing runs meanwhile.
    advance(AGES).await;
    assert_eq!(peer.next_frame().await.unwrap(), (0x89, Vec::new()));
    peer.send(0x8a, b"").await;
    peer.send(0x81, b"still here").await;
    assert_eq!(reading.await.unwrap().unwrap(), Message::text("still here"));
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_given_up_though_the_program_stood_still() {
    let (ours, _theirs) = duplex(1 << 10);
    let mut server = beating(ours);
    advance(AGES).await;
    let read = timeout(AGES, server.read_message()).await.unwrap();
    assert!(matches!(read, Err(Error::PeerSilent)), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_of_all_time_never_beats() {
    let (ours, theirs) = duplex(1 << 10);
    let config = Config::default().heartbeat(Duration::MAX, Duration::MAX);
    let mut server = Conn::from_parts(ours, Parts::new(Role::Server, config));
    assert!(timeout(AGES, server.read_message()).await.is_err());
    RawPeer::new(theirs, Role::Client).send(0x81, b"late").await;
    assert_eq!(server.read_message().await.unwrap(), Message::text("late"));
}

#[tokio::test(start_paused = true)]
async fn limits_that_were_set_to_nothing_are_taken_as_the_least() {
    let (ours, theirs) = duplex(1 << 10);
    let mut config = Config::default().heartbeat(EVERY, TIMEOUT);
    config.high_water_bytes = 0;
    if let Some(heartbeat) = &mut config.heartbeat {
        (heartbeat.every, heartbeat.timeout) = (Duration::ZERO, Duration::ZERO);
    }
    let mut server = Conn::from_parts(ours, Parts::new(Role::Server, config));
    let peer = tokio::spawn(async move {
        let mut peer = conn(Role::Client, theirs);
        assert_eq!(peer.read_message().await.unwrap(), Message::text("x"));
        peer.read_message().await
    });
    timeout(AGES, server.write_message("x"))
        .await
        .unwrap()
        .unwrap();
    assert!(timeout(TIMEOUT, server.read_message()).await.is_err());
    assert!(!peer.is_finished());
}
