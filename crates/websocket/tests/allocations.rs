//! What a message of the plain echo loop costs in allocations and calls on the stream, and a long one in memory. Counts, not times: the
//! same on every machine.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use suda_websocket::{Compression, Config, Conn, MessageKind, Parts, Role, Upgrader};
use support::{Counted, Counts, RawPeer, frame, tcp_pair};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

/// Counts what this thread allocates. Each test has a thread, and its runtime no other.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LIVE_BYTES: Cell<i64> = const { Cell::new(0) };
    static PEAK_BYTES: Cell<i64> = const { Cell::new(0) };
}

fn count(allocations: u64, freed: usize, taken: usize) {
    // A thread that is ending counts no more.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + allocations));
    let _ = LIVE_BYTES.try_with(|live| {
        live.set(live.get() + taken as i64 - freed as i64);
        let _ = PEAK_BYTES.try_with(|peak| peak.set(peak.get().max(live.get())));
    });
}

// SAFETY: every call goes on to the system's allocator, as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, 0, layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, layout.size(), 0);
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        count(1, layout.size(), bytes);
        unsafe { System.realloc(memory, layout, bytes) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Rounds before anything is counted: pools and queues have grown by then.
const WARM_UP: usize = 32;
const ROUNDS: usize = 1000;

/// A server that echoes, from a peer that sends `burst` messages at a time and waits for their answers. Gives allocations and
/// calls of [`ROUNDS`] bursts, those of the peer not included.
fn echo(parts: Parts, burst: usize, payload: &[u8]) -> (u64, Counts) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (ours, theirs) = duplex(1 << 20);
        let (ours, counts) = Counted::new(ours);
        let mut conn = Conn::from_parts(ours, parts);
        let serving = tokio::spawn(async move {
            while let Ok(message) = conn.read_message().await {
                conn.write_message(message).await.unwrap();
            }
        });
        let sent = frame(Role::Client, 0x82, payload).repeat(burst);
        let header_bytes = match payload.len() {
            0..=125 => 2,
            126..=0xffff => 4,
            _ => 10,
        };
        let mut answer = vec![0; (payload.len() + header_bytes) * burst];
        let mut peer = RawPeer::new(theirs, Role::Client);
        let mut before = (0, counts.get());
        for round in 0..WARM_UP + ROUNDS {
            if round == WARM_UP {
                before = (ALLOCATIONS.get(), counts.get());
            }
            // Neither of these allocates.
            peer.send_raw(&sent).await;
            peer.stream.read_exact(&mut answer).await.unwrap();
        }
        let after = (ALLOCATIONS.get(), counts.get());
        drop(peer);
        serving.await.unwrap();
        let calls = Counts {
            reads: after.1.reads - before.1.reads,
            writes: after.1.writes - before.1.writes,
        };
        (after.0 - before.0, calls)
    })
}

fn server(config: Config) -> Parts {
    Parts::new(Role::Server, config)
}

const ONE_CALL_EACH: Counts = Counts {
    reads: ROUNDS,
    writes: ROUNDS,
};

#[test]
fn a_short_message_is_echoed_with_one_read_and_one_write() {
    for bytes in [0, 16, 125, 1024] {
        let (allocations, calls) = echo(server(Config::default()), 1, &vec![7; bytes]);
        assert_eq!(calls, ONE_CALL_EACH);
        assert_eq!(allocations, 0, "{bytes} bytes");
    }
}

#[test]
fn sixteen_messages_are_echoed_with_one_read_and_one_write() {
    let (allocations, calls) = echo(server(Config::default()), 16, &[7; 1024]);
    assert_eq!(calls, ONE_CALL_EACH);
    assert_eq!(allocations, 0);
}

/// Messages as long as the high-water mark, so that a write finds it reached by the one before it.
const LONG: usize = 64 << 10;
/// Reads of a burst of [`LONG_BURST`] of them: the first alone, and four and three together.
const LONG_BURST_READS: usize = 3;
const LONG_BURST: usize = 8;

#[test]
fn long_messages_that_wait_are_read_together_and_answered_two_with_one_call() {
    let (allocations, calls) = echo(server(Config::default()), LONG_BURST, &[7; LONG]);
    let expected = Counts {
        reads: LONG_BURST_READS * ROUNDS,
        writes: LONG_BURST / 2 * ROUNDS,
    };
    assert_eq!(calls, expected);
    assert_eq!(allocations, 0);
}

#[test]
fn a_long_message_is_echoed_with_one_read_and_one_write() {
    let (allocations, calls) = echo(server(Config::default()), 1, &[7; LONG]);
    assert_eq!(calls, ONE_CALL_EACH);
    assert_eq!(allocations, 0);
}

/// Connections that have read several long messages together.
const WIDE_READERS: usize = 24;
/// What a thread keeps for all its connections once long messages came: wide buffers, others, and room to write.
const THREAD_BYTES_MAX: i64 = 3 << 20;

/// Has [`WIDE_READERS`] connections answer a burst of long messages each, and then wait behind `rest`; gives what lives then, in bytes.
fn after_wide_reads(rest: &[u8]) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let burst = frame(Role::Client, 0x82, &[7; LONG]).repeat(LONG_BURST);
    let mut answers = vec![0; (LONG + 10) * LONG_BURST];
    let mut open = Vec::new();
    let before = LIVE_BYTES.get();
    runtime.block_on(async {
        for _ in 0..WIDE_READERS {
            let (ours, mut theirs) = tcp_pair().await;
            let mut conn = Conn::from_parts(ours, server(Config::default()));
            tokio::spawn(async move {
                while let Ok(message) = conn.read_message().await {
                    conn.write_message(message).await.unwrap();
                }
            });
            theirs.write_all(&burst).await.unwrap();
            theirs.read_exact(&mut answers).await.unwrap();
            theirs.write_all(rest).await.unwrap();
            // For it to be read.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            open.push(theirs);
        }
        LIVE_BYTES.get() - before
    })
}

#[test]
fn a_connection_that_waits_holds_no_wide_buffer() {
    let live = after_wide_reads(&[]);
    assert!(live <= THREAD_BYTES_MAX, "{live}");
    let half = &frame(Role::Client, 0x82, &[7; LONG])[..LONG / 2];
    let live = after_wide_reads(&[&frame(Role::Client, 0x82, &[7; LONG])[..], half].concat());
    assert!(
        live <= THREAD_BYTES_MAX + (WIDE_READERS * 2 * LONG) as i64,
        "{live}"
    );
}

#[test]
fn a_heartbeat_and_an_unused_compression_cost_nothing_more() {
    let (plain, _) = echo(server(Config::default()), 1, &[7; 64]);
    let hour = std::time::Duration::from_secs(3600);
    let beating = Config::default().heartbeat(hour, 2 * hour);
    let compressing = server(beating).compression(Some(Compression::default()));
    let (allocations, calls) = echo(compressing, 1, &[7; 64]);
    assert_eq!(calls, ONE_CALL_EACH);
    assert_eq!(allocations, plain);
}

/// Allocations of a handshake and the connection that it opens: the connection's own blocks, the handshake's future, the request's bytes.
/// Neither a map of its headers nor its URI, for nobody asks for them, and the answer is written into what the request was read into. The
/// pipe's room for the answer is in the count.
const OPENING_ALLOCATIONS_MAX: u64 = 5;

#[test]
fn a_handshake_allocates_what_it_hands_over_and_little_more() {
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: chat.example\r\nOrigin: http://chat.example\r\n\
        Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let upgrader = Upgrader::new();
        for round in 0..WARM_UP {
            let (ours, mut theirs) = duplex(1 << 12);
            theirs.write_all(REQUEST).await.unwrap();
            let (ours, counts) = Counted::new(ours);
            let before = ALLOCATIONS.get();
            let opened = upgrader.upgrade(ours).await.unwrap();
            let allocations = ALLOCATIONS.get() - before;
            let calls = counts.get();
            drop(opened);
            // The first round's read buffer stays with the thread. The pipe's room for the answer is in the count.
            if round > 0 {
                assert!(allocations <= OPENING_ALLOCATIONS_MAX, "{allocations}");
            }
            assert_eq!((calls.reads, calls.writes), (1, 1));
        }
    });
}

/// Streams a message from a client to a server; gives the most memory that both and the pipe between them took, in bytes.
fn stream(message_bytes: usize, compression: Option<Compression>) -> i64 {
    const PIECE: [u8; 4096] = [7; 4096];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let before = LIVE_BYTES.get();
    PEAK_BYTES.set(before);
    runtime.block_on(async {
        let (ours, theirs) = duplex(PIPE_BYTES);
        let config = Config::default().read_limit(message_bytes);
        let server = Parts::new(Role::Server, config).compression(compression);
        let mut server = Conn::from_parts(ours, server);
        let client = Parts::new(Role::Client, Config::default()).compression(compression);
        let mut client = Conn::from_parts(theirs, client);
        let writing = tokio::spawn(async move {
            let mut message = client.next_writer(MessageKind::Binary).unwrap();
            for _ in 0..message_bytes / PIECE.len() {
                message.write_all(&PIECE).await.unwrap();
            }
            message.finish().await.unwrap();
            client
        });
        let mut message = server.next_reader().await.unwrap();
        let (mut piece, mut arrived) = ([0; 4096], 0);
        loop {
            let count = message.read(&mut piece).await.unwrap();
            assert_eq!(piece[..count], PIECE[..count]);
            arrived += count;
            if count == 0 {
                break;
            }
        }
        assert_eq!(arrived, message_bytes);
        drop(writing.await.unwrap());
    });
    PEAK_BYTES.get() - before
}

/// Bytes that the pipe between the two ends holds.
const PIPE_BYTES: usize = 16 << 10;
/// The outgoing queue up to its high-water mark and one frame, the incoming buffer, their spares, and the two connections.
const STREAMING_BYTES_MAX: i64 = 512 << 10;
/// A context to compress and one to inflate, and the workspace.
const DEFLATING_BYTES_MAX: i64 = 480 << 10;

#[test]
fn a_message_of_any_length_is_streamed_in_bounded_memory() {
    for message_bytes in [8 << 20, 128 << 20] {
        let peak = stream(message_bytes, None);
        assert!(peak <= STREAMING_BYTES_MAX, "{peak}");
    }
}

#[test]
fn a_compressed_message_of_any_length_is_streamed_in_bounded_memory() {
    for compression in [
        Compression::default(),
        Compression::default().context_takeover(true),
    ] {
        let peak = stream(16 << 20, Some(compression));
        assert!(peak <= STREAMING_BYTES_MAX + DEFLATING_BYTES_MAX, "{peak}");
    }
}

/// Answers of many connections in one turn of the runtime, which the flusher sends together where there is an io_uring.
#[test]
fn many_connections_are_answered_without_an_allocation() {
    const CONNS: usize = 70;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut peers = Vec::new();
        for _ in 0..CONNS {
            let (ours, theirs) = tcp_pair().await;
            let mut conn = Conn::from_parts(ours, server(Config::default()));
            tokio::spawn(async move {
                while let Ok(message) = conn.read_message().await {
                    conn.write_message(message).await.unwrap();
                }
            });
            peers.push(RawPeer::new(theirs, Role::Client));
        }
        let sent = frame(Role::Client, 0x82, &[7; 64]).repeat(3);
        let mut answer = vec![0; (64 + 2) * 3];
        let mut before = 0;
        for round in 0..WARM_UP + ROUNDS / 10 {
            if round == WARM_UP {
                before = ALLOCATIONS.get();
            }
            for peer in &mut peers {
                peer.send_raw(&sent).await;
            }
            for peer in &mut peers {
                peer.stream.read_exact(&mut answer).await.unwrap();
            }
        }
        assert_eq!(ALLOCATIONS.get() - before, 0);
    });
}
