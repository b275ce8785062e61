//! The same messages to many connections: `broadcast`.
#![allow(clippy::unwrap_used)]

mod support;

use std::{future::Future, time::Duration};

use suda_websocket::{
    CloseCode, Compression, Config, Conn, Control, Dialer, Error, Message, Parts, PreparedMessage,
    Reader, Role, SendError, Stream, Upgrader, Writer, broadcast,
};
use support::{Counted, RawPeer, tcp_pair};
use tokio::{
    io::{BufStream, DuplexStream, duplex},
    net::TcpStream,
    time::timeout,
};

/// Long enough for any machine: a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
/// More than a task of tokio's may use at once.
const OVER_BUDGET: usize = 300;

type Halves<S> = (Reader<S>, Writer<S>, Control<S>);

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it never arrived")
}

fn member_with<S: Stream>(stream: S, config: Config) -> Halves<S> {
    Conn::from_parts(stream, Parts::new(Role::Server, config)).split()
}

fn member(buffer_bytes: usize) -> (Halves<DuplexStream>, RawPeer<DuplexStream>) {
    let (ours, theirs) = duplex(buffer_bytes);
    let peer = RawPeer::new(theirs, Role::Client);
    (member_with(ours, Config::default()), peer)
}

/// Broadcasts to all of `members`; gives the places of those that were not reached.
fn to_all<S: Stream>(
    members: &mut [Halves<S>],
    messages: &[PreparedMessage],
) -> Vec<(usize, Error)> {
    let writers = members.iter_mut().map(|(_, writer, _)| writer);
    broadcast(writers.enumerate(), messages)
}

async fn next<S: Stream>(peer: &mut RawPeer<S>) -> (u8, Vec<u8>) {
    in_time(peer.next_frame()).await.expect("the stream ended")
}

#[tokio::test]
async fn all_messages_reach_every_member_in_one_write_each() {
    let messages = ["one", "two", "three"].map(PreparedMessage::text);
    let (mut members, mut peers, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..20 {
        let (ours, theirs) = duplex(1 << 10);
        let (ours, count) = Counted::new(ours);
        members.push(member_with(ours, Config::default()));
        peers.push(RawPeer::new(theirs, Role::Client));
        counts.push(count);
    }
    assert!(to_all(&mut members, &[]).is_empty());
    assert!(counts.iter().all(|count| count.get().writes == 0));
    assert!(to_all(&mut members, &messages).is_empty());
    assert!(counts.iter().all(|count| count.get().writes == 1));
    for peer in &mut peers {
        for text in ["one", "two", "three"] {
            assert_eq!(next(peer).await, (TEXT, text.into()));
        }
    }
}

#[tokio::test]
async fn what_was_written_before_and_after_keeps_its_place() {
    let (halves, mut peer) = member(1 << 10);
    let mut members = [halves];
    members[0].1.write_message("before").await.unwrap();
    members[0].2.ping(b"ahead").unwrap();
    let messages = ["one", "two"].map(PreparedMessage::text);
    assert!(to_all(&mut members, &messages).is_empty());
    members[0].1.write_message("after").await.unwrap();
    assert!(to_all(&mut members, &messages[..1]).is_empty());
    assert_eq!(next(&mut peer).await, (0x89, b"ahead".to_vec()));
    for text in ["before", "one", "two", "after", "one"] {
        assert_eq!(next(&mut peer).await, (TEXT, text.into()));
    }
}

/// No frame is torn and none is lost where a stream takes a few bytes at a time.
#[tokio::test]
async fn a_member_that_reads_slowly_gets_all_of_it_in_order_and_holds_up_nobody() {
    // Below the mark above which a write waits.
    const ROUNDS: u8 = 20;
    let (slow, mut slow_peer) = member(7);
    let (fast, mut fast_peer) = member(1 << 20);
    let mut members = [slow, fast];
    for round in 0..ROUNDS {
        let messages = [
            PreparedMessage::binary(vec![round; 10]),
            PreparedMessage::binary(vec![round; 3000]),
        ];
        assert!(to_all(&mut members, &messages).is_empty());
        assert_eq!(members[1].1.buffered(), 0);
        members[0].1.write_message(vec![round; 20]).await.unwrap();
    }
    assert!(members[0].1.buffered() > 3000);
    for round in 0..ROUNDS {
        for len in [10, 3000] {
            assert_eq!(next(&mut fast_peer).await, (BINARY, vec![round; len]));
        }
        for len in [10, 3000, 20] {
            assert_eq!(next(&mut slow_peer).await, (BINARY, vec![round; len]));
        }
    }
    in_time(members[0].1.flush()).await.unwrap();
}

#[tokio::test]
async fn a_full_member_takes_none_of_the_messages_and_is_named() {
    let config = Config::default().outbox_bytes_max(1000);
    let (ours, theirs) = duplex(64);
    let mut full_peer = RawPeer::new(theirs, Role::Client);
    let (other, mut other_peer) = member(1 << 20);
    let mut members = [member_with(ours, config), other];

    // Together they would be too many for its queue before the last came, though it is empty.
    let many = [1, 2, 3].map(|number| PreparedMessage::binary(vec![number; 600]));
    let unreached = to_all(&mut members, &many);
    assert!(matches!(unreached[..], [(0, Error::Send(SendError::Full))]));
    assert_eq!(members[0].1.buffered(), 0);
    // One more, as long as it may be, is taken while there is room at all.
    let long = [PreparedMessage::binary(vec![4; 5000])];
    assert!(to_all(&mut members, &long).is_empty());
    let unreached = to_all(&mut members, &[PreparedMessage::text("no")]);
    assert!(matches!(unreached[..], [(0, Error::Send(SendError::Full))]));

    assert_eq!(next(&mut full_peer).await, (BINARY, vec![4; 5000]));
    in_time(members[0].1.flush()).await.unwrap();
    assert!(to_all(&mut members, &[PreparedMessage::text("yes")]).is_empty());
    assert_eq!(next(&mut full_peer).await, (TEXT, b"yes".to_vec()));

    for number in [1, 2, 3] {
        assert_eq!(next(&mut other_peer).await, (BINARY, vec![number; 600]));
    }
    assert_eq!(next(&mut other_peer).await, (BINARY, vec![4; 5000]));
    for text in ["no", "yes"] {
        assert_eq!(next(&mut other_peer).await, (TEXT, text.into()));
    }
}

#[tokio::test]
async fn members_that_are_gone_are_named_and_the_others_reached() {
    let (aborted, _aborted_peer) = member(1 << 10);
    let (closing, _closing_peer) = member(1 << 10);
    let (lost, lost_peer) = member(1 << 10);
    let (mut left, mut left_peer) = member(1 << 10);
    let (mut writing, _writing_peer) = member(1 << 10);
    let (here, mut here_peer) = member(1 << 10);
    aborted.2.abort();
    closing.2.close(CloseCode::GOING_AWAY, "").unwrap();
    drop(lost_peer);
    left_peer.send(0x88, &[]).await;
    assert!(left.0.read_message().await.is_err());
    let open = writing
        .1
        .next_writer(suda_websocket::MessageKind::Text)
        .unwrap();
    // Its message stays unfinished.
    std::mem::forget(open);
    let mut members = [aborted, closing, lost, left, writing, here];
    let mut unreached = to_all(&mut members, &[PreparedMessage::text("who is there?")]);
    unreached.sort_by_key(|(index, _)| *index);
    assert!(
        matches!(
            unreached[..],
            [
                (0, Error::Io(_)),
                (1, Error::Send(SendError::Closing)),
                (2, Error::Io(_)),
                (3, Error::Closed(_)),
                (4, Error::Send(SendError::MessageOpen)),
            ]
        ),
        "{unreached:?}"
    );
    assert_eq!(
        next(&mut here_peer).await,
        (TEXT, b"who is there?".to_vec())
    );
}

async fn open<S: Stream>(
    (ours, theirs): (S, S),
    compression: Option<Compression>,
) -> (Conn<S>, Conn<S>) {
    let (mut dialer, mut upgrader) = (Dialer::new(), Upgrader::new());
    if let Some(compression) = compression {
        dialer = dialer.compression(compression);
        upgrader = upgrader.compression(compression);
    }
    let (client, server) = tokio::join!(
        dialer.client(ours, "ws://a.example/"),
        upgrader.upgrade(theirs)
    );
    (client.unwrap().0, server.unwrap().0)
}

/// Servers and clients, with and without compression, its context kept or not, with other levels and other shortest lengths.
async fn members_that_compress_each_in_its_own_way<S: Stream>(streams: impl AsyncFn() -> (S, S)) {
    const ROUNDS: u8 = 3;
    let (mut members, mut peers) = (Vec::new(), Vec::new());
    for compression in [
        None,
        Some(Compression::default()),
        Some(Compression::default()),
        Some(Compression::default().level(1)),
        Some(Compression::default().bytes_min(1)),
        Some(Compression::default().context_takeover(true)),
    ] {
        for sender_is_server in [true, false] {
            let (client, server) = open(streams().await, compression).await;
            let (sender, peer) = if sender_is_server {
                (server, client)
            } else {
                (client, server)
            };
            members.push(sender.split());
            peers.push(peer);
        }
    }
    members[2].1.set_compression(false);
    members[4].1.set_compression_level(9);
    let texts = |round: u8| {
        let long = format!("{round}: 수다 ").repeat(30);
        [format!("{round}"), long, "x".repeat(usize::from(round))]
    };
    for round in 0..ROUNDS {
        let messages = texts(round).map(PreparedMessage::text);
        assert!(to_all(&mut members, &messages).is_empty());
    }
    for peer in &mut peers {
        for round in 0..ROUNDS {
            for text in texts(round) {
                assert_eq!(
                    in_time(peer.read_message()).await.unwrap(),
                    Message::text(text)
                );
            }
        }
    }
}

#[tokio::test]
async fn members_that_compress_each_in_its_own_way_get_the_same_messages() {
    members_that_compress_each_in_its_own_way(async || duplex(1 << 16)).await;
}

/// Some of these are sent to together, where there is an io_uring, and some are not.
#[tokio::test]
async fn members_over_tcp_that_compress_each_in_its_own_way_get_the_same_messages() {
    members_that_compress_each_in_its_own_way(tcp_pair).await;
}

/// The other side of the bound that [`a_full_member_takes_none_of_the_messages_and_is_named`] shows.
#[tokio::test]
async fn an_empty_queue_takes_messages_that_are_below_its_bound_without_the_last() {
    const FRAME_BYTES: usize = 2 + 100;
    let (ours, theirs) = duplex(1);
    let mut peer = RawPeer::new(theirs, Role::Client);
    let config = Config::default().outbox_bytes_max(2 * FRAME_BYTES + 1);
    let mut members = [member_with(ours, config)];
    let messages = [1, 2, 3, 4].map(|number| PreparedMessage::binary(vec![number; 100]));
    let unreached = to_all(&mut members, &messages);
    assert!(matches!(unreached[..], [(0, Error::Send(SendError::Full))]));
    assert!(to_all(&mut members, &messages[..3]).is_empty());
    for number in [1, 2, 3] {
        assert_eq!(next(&mut peer).await, (BINARY, vec![number; 100]));
    }
}

#[tokio::test]
async fn messages_too_long_to_be_joined_or_for_one_frame_arrive_whole() {
    let plain = PreparedMessage::binary(vec![1; 100_000]);
    let messages = [plain.clone(), PreparedMessage::text("between"), plain];
    let config = Config::default().frame_bytes_max(30_000);
    let (mut members, mut peers) = (Vec::new(), Vec::new());
    for config in [Config::default(), config] {
        let (ours, theirs) = duplex(1 << 10);
        members.push(member_with(ours, config));
        let parts = Parts::new(Role::Client, Config::default());
        peers.push(Conn::from_parts(theirs, parts));
    }
    assert!(to_all(&mut members, &messages[..1]).is_empty());
    assert!(to_all(&mut members, &messages).is_empty());
    for peer in &mut peers {
        for expected in [&messages[0], &messages[0], &messages[1], &messages[2]] {
            let message = in_time(peer.read_message()).await.unwrap();
            assert_eq!(message.as_bytes(), expected.payload());
        }
    }
}

/// As those of TLS do.
#[tokio::test]
async fn a_stream_that_buffers_passes_everything_on() {
    let (ours, theirs) = duplex(1 << 10);
    let mut members = [member_with(BufStream::new(ours), Config::default())];
    let mut peer = RawPeer::new(theirs, Role::Client);
    for text in ["one", "two"] {
        assert!(to_all(&mut members, &[PreparedMessage::text(text)]).is_empty());
        assert_eq!(next(&mut peer).await, (TEXT, text.into()));
    }
}

async fn many_over_tcp() -> (Vec<Halves<TcpStream>>, Vec<RawPeer<TcpStream>>) {
    let (mut members, mut peers) = (Vec::new(), Vec::new());
    for _ in 0..OVER_BUDGET {
        let (ours, theirs) = tcp_pair().await;
        members.push(member_with(ours, Config::default()));
        peers.push(RawPeer::new(theirs, Role::Client));
    }
    (members, peers)
}

/// Tokio lets a task use a socket 128 times, and then tells it that all are blocked until it has given way.
#[tokio::test]
async fn many_members_are_sent_to_before_their_task_gives_way() {
    let sending = tokio::spawn(async {
        let (mut members, mut peers) = many_over_tcp().await;
        // From here on nothing waits.
        tokio::task::yield_now().await;
        assert!(to_all(&mut members, &[PreparedMessage::text("all")]).is_empty());
        for (_, writer, _) in &mut members {
            assert_eq!(writer.buffered(), 0);
            writer
                .try_send_prepared(&PreparedMessage::text("each"))
                .unwrap();
            writer.try_flush().unwrap();
            assert_eq!(writer.buffered(), 0);
        }
        for peer in &mut peers {
            assert_eq!(next(peer).await, (TEXT, b"all".to_vec()));
            assert_eq!(next(peer).await, (TEXT, b"each".to_vec()));
        }
    });
    in_time(sending).await.unwrap();
}
