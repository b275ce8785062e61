//! Automatic batching: what is written goes out in few calls, and never stays behind while its task waits.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    future::{Future, pending},
    sync::Arc,
    time::Duration,
};

use suda_websocket::{Config, Conn, Message, Parts, PreparedMessage, Role};
use support::{Counted, Counts, RawPeer, frame, tcp_pair};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::TcpStream,
    runtime::{Builder, Runtime},
    sync::Notify,
    time::timeout,
};

/// Long enough for any machine: a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

fn server<S: suda_websocket::Stream>(stream: S) -> Conn<S> {
    Conn::from_parts(stream, Parts::new(Role::Server, Config::default()))
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it never arrived")
}

/// Sends two messages in one piece, and notifies when the answer to the first is here.
async fn peer_that_acknowledges_receipt(stream: impl suda_websocket::Stream, receipt: Arc<Notify>) {
    let mut peer = RawPeer::new(stream, Role::Client);
    peer.send_raw(
        &[
            frame(Role::Client, 0x81, b"one"),
            frame(Role::Client, 0x81, b"two"),
        ]
        .concat(),
    )
    .await;
    assert_eq!(peer.next_frame().await.unwrap().1, b"answer");
    receipt.notify_one();
    assert_eq!(peer.next_frame().await.unwrap().1, b"done");
}

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn threads() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Runs `local` against the peer on both kinds of runtime, the peer in a task of its own.
fn on_each_runtime<F, R>(local: F)
where
    F: Fn(Conn<TcpStream>, Arc<Notify>) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    for runtime in [single(), threads()] {
        runtime.block_on(async {
            let (ours, theirs) = tcp_pair().await;
            let receipt = Arc::new(Notify::new());
            let peer = tokio::spawn(peer_that_acknowledges_receipt(theirs, receipt.clone()));
            in_time(tokio::spawn(local(server(ours), receipt)))
                .await
                .unwrap();
            in_time(peer).await.unwrap();
        });
    }
}

#[test]
fn plain_write_then_wait_for_the_peers_receipt() {
    on_each_runtime(|mut conn, receipt| async move {
        assert_eq!(conn.read_message().await.unwrap(), Message::text("one"));
        conn.write_message("answer").await.unwrap();
        // "two" is in the buffer already, so nothing here goes to the socket by itself.
        receipt.notified().await;
        assert_eq!(conn.read_message().await.unwrap(), Message::text("two"));
        conn.write_message("done").await.unwrap();
    });
}

#[test]
fn write_on_a_split_connection_then_wait_for_the_peers_receipt() {
    on_each_runtime(|conn, receipt| async move {
        let (mut reader, mut writer, _control) = conn.split();
        assert_eq!(reader.read_message().await.unwrap(), Message::text("one"));
        writer.write_message("answer").await.unwrap();
        receipt.notified().await;
        assert_eq!(reader.read_message().await.unwrap(), Message::text("two"));
        writer.write_message("done").await.unwrap();
    });
}

#[test]
fn write_in_one_task_and_read_in_another() {
    on_each_runtime(|conn, receipt| async move {
        let (mut reader, mut writer, _control) = conn.split();
        let (ask, mut asked) = tokio::sync::mpsc::channel::<&str>(1);
        let writing = tokio::spawn(async move {
            while let Some(text) = asked.recv().await {
                writer.write_message(text).await.unwrap();
            }
        });
        assert_eq!(reader.read_message().await.unwrap(), Message::text("one"));
        ask.send("answer").await.unwrap();
        receipt.notified().await;
        assert_eq!(reader.read_message().await.unwrap(), Message::text("two"));
        ask.send("done").await.unwrap();
        drop(ask);
        writing.await.unwrap();
    });
}

#[test]
fn write_inside_select_then_wait_for_the_peers_receipt() {
    on_each_runtime(|mut conn, receipt| async move {
        assert_eq!(conn.read_message().await.unwrap(), Message::text("one"));
        tokio::select! {
            biased;
            () = async {
                conn.write_message("answer").await.unwrap();
                pending().await
            } => {}
            () = receipt.notified() => {}
        }
        assert_eq!(conn.read_message().await.unwrap(), Message::text("two"));
        conn.write_message("done").await.unwrap();
    });
}

#[test]
fn write_in_a_task_of_its_own_on_a_blocking_thread() {
    on_each_runtime(|mut conn, receipt| async move {
        assert_eq!(conn.read_message().await.unwrap(), Message::text("one"));
        let runtime = tokio::runtime::Handle::current();
        let mut conn = tokio::task::spawn_blocking(move || {
            runtime.block_on(conn.write_message("answer")).unwrap();
            conn
        })
        .await
        .unwrap();
        receipt.notified().await;
        assert_eq!(conn.read_message().await.unwrap(), Message::text("two"));
        conn.write_message("done").await.unwrap();
    });
}

#[test]
fn a_runtime_that_came_before_on_the_same_thread_swallows_nothing() {
    let first = single();
    // Leaves a flusher of this thread behind, then one that is dead.
    for runtime in [&first, &single(), &first, &single()] {
        runtime.block_on(async {
            let (ours, theirs) = duplex(1024);
            let mut conn = server(ours);
            conn.write_message("answer").await.unwrap();
            let mut peer = RawPeer::new(theirs, Role::Client);
            assert_eq!(in_time(peer.next_frame()).await.unwrap().1, b"answer");
        });
    }
}

#[tokio::test]
async fn a_connection_of_one_runtime_can_be_written_to_from_another() {
    let (ours, theirs) = duplex(1024);
    let mut conn = server(ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    let conn = std::thread::spawn(move || {
        single().block_on(async {
            conn.write_message("from elsewhere").await.unwrap();
        });
        // The other runtime is gone, the connection is not.
        conn
    })
    .join()
    .unwrap();
    assert_eq!(
        in_time(peer.next_frame()).await.unwrap().1,
        b"from elsewhere"
    );
    drop(conn);
}

#[tokio::test]
async fn a_control_handle_pings_from_a_thread_without_a_runtime() {
    let (ours, theirs) = duplex(1024);
    let conn = server(ours);
    let control = conn.control();
    std::thread::spawn(move || control.ping(b"hello").unwrap())
        .join()
        .unwrap();
    let mut peer = RawPeer::new(theirs, Role::Client);
    assert_eq!(
        in_time(peer.next_frame()).await.unwrap(),
        (0x89, b"hello".to_vec())
    );
    drop(conn);
}

/// Answers 16 messages that came in one piece; gives how many calls that took.
async fn echo_sixteen<S: suda_websocket::Stream>(
    ours: S,
    theirs: impl suda_websocket::Stream,
) -> Counts {
    let (ours, counts) = Counted::new(ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    let burst: Vec<u8> = (0..16u8)
        .flat_map(|number| frame(Role::Client, 0x82, &[number; 1024]))
        .collect();
    peer.send_raw(&burst).await;
    let serving = tokio::spawn(async move {
        let mut conn = server(ours);
        while let Ok(message) = conn.read_message().await {
            conn.write_message(message).await.unwrap();
        }
    });
    for number in 0..16 {
        assert_eq!(
            in_time(peer.next_frame()).await.unwrap(),
            (0x82, vec![number; 1024])
        );
    }
    let calls = counts.get();
    drop(peer);
    in_time(serving).await.unwrap();
    calls
}

#[tokio::test]
async fn sixteen_pipelined_messages_cost_one_read_and_one_write() {
    let (ours, theirs) = duplex(1 << 20);
    assert_eq!(
        echo_sixteen(ours, theirs).await,
        Counts {
            reads: 1,
            writes: 1
        }
    );
}

#[tokio::test]
async fn sixteen_pipelined_messages_cost_one_read_and_one_write_over_tcp() {
    let (ours, theirs) = tcp_pair().await;
    theirs.set_nodelay(true).unwrap();
    assert_eq!(
        echo_sixteen(ours, theirs).await,
        Counts {
            reads: 1,
            writes: 1
        }
    );
}

#[tokio::test]
async fn messages_of_one_poll_go_out_together_without_a_read() {
    let (ours, theirs) = duplex(1 << 20);
    let (ours, counts) = Counted::new(ours);
    let mut conn = server(ours);
    for _ in 0..100 {
        conn.write_message("tick").await.unwrap();
    }
    let mut peer = RawPeer::new(theirs, Role::Client);
    for _ in 0..100 {
        assert_eq!(in_time(peer.next_frame()).await.unwrap().1, b"tick");
    }
    assert_eq!(counts.get().writes, 1);
}

#[tokio::test]
async fn a_blocked_stream_goes_on_by_itself() {
    let (ours, theirs) = duplex(64);
    let mut conn = server(ours);
    conn.write_message(vec![7; 50_000]).await.unwrap();
    let mut peer = RawPeer::new(theirs, Role::Client);
    // Nobody touches the connection any more.
    assert_eq!(in_time(peer.next_frame()).await.unwrap().1, vec![7; 50_000]);
    drop(conn);
}

#[tokio::test]
async fn a_writer_waits_above_the_high_water_mark_only() {
    let (ours, theirs) = duplex(64);
    let config = Config::default().high_water_bytes(10_000);
    let mut conn = Conn::from_parts(ours, Parts::new(Role::Server, config));
    for _ in 0..10 {
        let written = poll_once(conn.write_message(vec![1; 1100]));
        assert!(written.is_some(), "below the mark nothing waits");
    }
    assert!(
        poll_once(conn.write_message(vec![2; 1])).is_none(),
        "above it, a write waits"
    );
    let reading = tokio::spawn(async move {
        let mut peer = RawPeer::new(theirs, Role::Client);
        for _ in 0..10 {
            peer.next_frame().await.unwrap();
        }
        peer.next_frame().await.unwrap().1
    });
    in_time(conn.write_message("last")).await.unwrap();
    // The write that was given up left nothing behind.
    assert_eq!(in_time(reading).await.unwrap(), b"last");
}

/// Polls once.
fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    match future
        .as_mut()
        .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn prepared_messages_go_out_in_one_call_of_try_flush() {
    let message = PreparedMessage::text("to everybody");
    let (ours, theirs) = duplex(1 << 20);
    let (ours, counts) = Counted::new(ours);
    let (_reader, mut writer, _control) = server(ours).split();
    for _ in 0..16 {
        writer.try_send_prepared(&message).unwrap();
    }
    assert_eq!(writer.buffered(), 16 * 14);
    assert_eq!(counts.get().writes, 0);
    writer.try_flush().unwrap();
    assert_eq!((writer.buffered(), counts.get().writes), (0, 1));
    let mut peer = RawPeer::new(theirs, Role::Client);
    for _ in 0..16 {
        assert_eq!(in_time(peer.next_frame()).await.unwrap().1, b"to everybody");
    }
}

#[tokio::test]
async fn a_blocked_fan_out_drains_by_itself_and_tells_when() {
    let (ours, theirs) = duplex(64);
    let (_reader, mut writer, _control) = server(ours).split();
    let message = PreparedMessage::binary(vec![9; 1000]);
    for _ in 0..20 {
        writer.try_send_prepared(&message).unwrap();
    }
    writer.try_flush().unwrap();
    assert!(writer.buffered() > 19_000);
    let reading = tokio::spawn(async move {
        let mut peer = RawPeer::new(theirs, Role::Client);
        for _ in 0..20 {
            assert_eq!(peer.next_frame().await.unwrap().1, vec![9; 1000]);
        }
    });
    in_time(writer.drained(1000)).await.unwrap();
    assert!(writer.buffered() <= 1000);
    in_time(std::future::poll_fn(|cx| writer.poll_flush(cx)))
        .await
        .unwrap();
    assert_eq!(writer.buffered(), 0);
    in_time(reading).await.unwrap();
}

#[tokio::test]
async fn what_was_written_before_the_last_handle_is_dropped_still_goes_out() {
    let (ours, theirs) = duplex(64);
    let mut conn = server(ours);
    conn.write_message(vec![5; 3000]).await.unwrap();
    drop(conn);
    let mut peer = RawPeer::new(theirs, Role::Client);
    assert_eq!(in_time(peer.next_frame()).await.unwrap().1, vec![5; 3000]);
    assert!(
        in_time(peer.next_frame()).await.is_none(),
        "then the stream ends"
    );
}

/// What has a short way of its own and what has not keep their places: a ping between two messages is answered, and not before what was
/// written first.
#[tokio::test]
async fn a_ping_between_two_messages_is_answered_in_its_place() {
    let (ours, theirs) = duplex(1 << 16);
    let mut conn = server(ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    let pieces = [
        frame(Role::Client, 0x81, b"one"),
        frame(Role::Client, 0x89, b"there?"),
        frame(Role::Client, 0x81, b"two"),
    ];
    peer.send_raw(&pieces.concat()).await;
    let echoing = tokio::spawn(async move {
        for expected in ["one", "two"] {
            let message = conn.read_message().await.unwrap();
            assert_eq!(message, Message::text(expected));
            conn.flush().await.unwrap();
            conn.write_message(message).await.unwrap();
            conn.flush().await.unwrap();
        }
        conn
    });
    for expected in [(0x81, "one"), (0x8a, "there?"), (0x81, "two")] {
        let (first, payload) = in_time(peer.next_frame()).await.unwrap();
        assert_eq!((first, &payload[..]), (expected.0, expected.1.as_bytes()));
    }
    in_time(echoing).await.unwrap();
}

#[tokio::test]
async fn messages_that_had_arrived_before_an_abort_are_still_given_out() {
    let (ours, theirs) = duplex(1 << 16);
    let (mut reader, writer, control) = server(ours).split();
    let mut peer = RawPeer::new(theirs, Role::Client);
    let pieces = [b"one", b"two"].map(|text| frame(Role::Client, 0x81, text));
    peer.send_raw(&pieces.concat()).await;
    assert_eq!(reader.read_message().await.unwrap(), Message::text("one"));
    control.abort();
    assert_eq!(reader.read_message().await.unwrap(), Message::text("two"));
    for _ in 0..2 {
        let ended = in_time(reader.read_message()).await;
        assert!(matches!(ended, Err(suda_websocket::Error::Io(_))));
    }
    drop((reader, writer, control));
    assert!(in_time(peer.next_frame()).await.is_none());
}

#[tokio::test]
async fn short_and_long_messages_and_the_close_keep_their_order() {
    const LONG_BYTES: usize = 60_000;
    let (ours, theirs) = duplex(1 << 20);
    let mut conn = server(ours);
    let mut peer = RawPeer::new(theirs, Role::Client);
    let reading = tokio::spawn(async move {
        let mut frames = Vec::new();
        while let Some((first, payload)) = peer.next_frame().await {
            frames.push((first, payload.len()));
            if first == 0x88 {
                peer.send(0x88, &payload).await;
            }
        }
        frames
    });
    for length in [1, LONG_BYTES, 2] {
        conn.write_message(vec![7; length]).await.unwrap();
    }
    in_time(conn.close(suda_websocket::CloseCode::NORMAL, ""))
        .await
        .unwrap();
    drop(conn);
    assert_eq!(
        in_time(reading).await.unwrap(),
        [(0x82, 1), (0x82, LONG_BYTES), (0x82, 2), (0x88, 2)]
    );
}

#[tokio::test]
async fn an_aborted_connection_is_closed_at_once() {
    let (ours, mut theirs) = duplex(64);
    let conn = server(ours);
    let (mut reader, mut writer, control) = conn.split();
    writer.write_message(vec![5; 3000]).await.unwrap();
    control.abort();
    assert!(reader.read_message().await.is_err());
    assert!(writer.write_message("x").await.is_err());
    drop((reader, writer, control));
    let mut left = Vec::new();
    in_time(theirs.read_to_end(&mut left)).await.unwrap();
    assert!(left.len() <= 64);
}

#[tokio::test]
async fn a_dropped_connection_is_freed_though_its_stream_kept_a_waker() {
    let (ours, mut theirs): (DuplexStream, DuplexStream) = duplex(64);
    let mut conn = server(ours);
    assert!(poll_once(conn.read_message()).is_none());
    drop(conn);
    assert_eq!(in_time(theirs.read(&mut [0; 1])).await.unwrap(), 0);
    assert!(theirs.write_all(b"x").await.is_err());
}

/// A burst from each of two tasks: nothing is lost, doubled or torn, and the counts match.
#[test]
fn two_threads_writing_and_reading_lose_nothing() {
    const MESSAGES: u32 = 20_000;
    threads().block_on(async {
        let (ours, theirs) = tcp_pair().await;
        let (mut reader, mut writer, _control) = server(ours).split();
        let client = Conn::from_parts(theirs, Parts::new(Role::Client, Config::default()));
        let (mut client_reader, mut client_writer, _client_control) = client.split();
        let number =
            |message: Message| u32::from_be_bytes(message.as_bytes()[..4].try_into().unwrap());
        let bytes = |number: u32| number.to_be_bytes().repeat(1 + number as usize % 50);
        let tasks = [
            tokio::spawn(async move {
                for sent in 0..MESSAGES {
                    writer.write_message(bytes(sent)).await.unwrap();
                    if sent % 100 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
                pending::<()>().await;
            }),
            tokio::spawn(async move {
                for sent in 0..MESSAGES {
                    client_writer.write_message(bytes(sent)).await.unwrap();
                }
                pending::<()>().await;
            }),
        ];
        let there = tokio::spawn(async move {
            for expected in 0..MESSAGES {
                assert_eq!(number(reader.read_message().await.unwrap()), expected);
            }
        });
        let here = tokio::spawn(async move {
            for expected in 0..MESSAGES {
                assert_eq!(
                    number(client_reader.read_message().await.unwrap()),
                    expected
                );
            }
        });
        in_time(there).await.unwrap();
        in_time(here).await.unwrap();
        for task in tasks {
            task.abort();
        }
    });
}
