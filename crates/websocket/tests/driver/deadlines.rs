//! Deadlines of reads and writes: nothing is lost, nothing is queued, and the call may be repeated.

use std::{io, time::Duration};

use suda_websocket::{Config, Conn, Error, Message, Parts, Role};
use tokio::{
    io::{AsyncReadExt, duplex},
    time::Instant,
};

use crate::{conn, in_time, support::RawPeer, support::frame};

fn in_a_second() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(1))
}

#[tokio::test(start_paused = true)]
async fn a_read_that_times_out_loses_nothing_and_may_be_repeated() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = conn(Role::Server, ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    let bytes = frame(Role::Client, 0x81, "수다".as_bytes());
    for (before, after) in [(0, 1), (1, 7), (7, 9), (9, bytes.len() - 1)] {
        peer.send_raw(&bytes[before..after]).await;
        server.set_read_deadline(in_a_second());
        assert!(matches!(
            in_time(server.read_message()).await,
            Err(Error::TimedOut)
        ));
    }
    peer.send_raw(&bytes[bytes.len() - 1..]).await;
    assert!(
        matches!(server.read_message().await, Err(Error::TimedOut)),
        "past the deadline every read fails, whatever has arrived"
    );
    server.set_read_deadline(None);
    assert_eq!(
        in_time(server.read_message()).await.unwrap(),
        Message::text("수다")
    );
}

#[tokio::test(start_paused = true)]
async fn a_reader_of_parts_keeps_the_deadline_too() {
    let (ours, theirs) = duplex(1 << 10);
    let mut server = conn(Role::Server, ours);
    server.set_read_deadline(in_a_second());
    assert!(matches!(server.next_reader().await, Err(Error::TimedOut)));

    let mut peer = RawPeer::new(theirs, Role::Client);
    let bytes = frame(Role::Client, 0x82, b"two halves");
    peer.send_raw(&bytes[..10]).await;
    server.set_read_deadline(in_a_second());
    let mut message = in_time(server.next_reader()).await.unwrap();
    let mut read = Vec::new();
    let error = in_time(message.read_to_end(&mut read)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(!read.is_empty() && read.len() < 10);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_times_out_was_not_queued_and_may_be_repeated() {
    let (ours, theirs) = duplex(64);
    let config = Config::default().high_water_bytes(1);
    let mut server = Conn::from_parts(ours, Parts::new(Role::Server, config));
    server.write_message(vec![1; 1000]).await.unwrap();
    for _ in 0..2 {
        server.set_write_deadline(in_a_second());
        assert!(matches!(
            in_time(server.write_message("late")).await,
            Err(Error::TimedOut)
        ));
        assert!(matches!(server.flush().await, Err(Error::TimedOut)));
    }
    server.set_write_deadline(None);
    let reading = tokio::spawn(async move {
        let mut peer = RawPeer::new(theirs, Role::Client);
        assert_eq!(peer.next_frame().await.unwrap().1, vec![1; 1000]);
        peer.next_frame().await.unwrap().1
    });
    in_time(server.write_message("in time")).await.unwrap();
    assert_eq!(in_time(reading).await.unwrap(), b"in time");
}

#[tokio::test(start_paused = true)]
async fn deadlines_may_be_set_on_a_thread_without_a_runtime() {
    let (ours, _theirs) = duplex(64);
    let mut server = conn(Role::Server, ours);
    let deadline = in_a_second();
    let mut server = std::thread::spawn(move || {
        server.set_read_deadline(deadline);
        server.set_write_deadline(deadline);
        server
    })
    .join()
    .unwrap();
    assert!(matches!(
        in_time(server.read_message()).await,
        Err(Error::TimedOut)
    ));
}
