//! Peers that mean harm once the handshake is over, in one table for both roles: how each ends, how much of what it sends is taken, and
//! how much memory it costs. Time is simulated, so whatever would wait for ever shows.
#![allow(clippy::unwrap_used)]

#[path = "support/mod.rs"]
mod support;
#[path = "support/zlib.rs"]
#[allow(dead_code)]
mod zlib;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    time::Duration,
};

use suda_websocket::{Compression, Config, Conn, Error, Parts, Role, Violation};
use support::{frame, header};
use tokio::{
    io::{AsyncWriteExt as _, DuplexStream, duplex},
    time::Instant,
};

/// Tells how much memory this thread has at once. The test has one thread, and its runtime no other.
struct Counting;

thread_local! {
    static LIVE_BYTES: Cell<i64> = const { Cell::new(0) };
    static PEAK_BYTES: Cell<i64> = const { Cell::new(0) };
}

fn count(freed: usize, taken: usize) {
    // A thread that is ending counts no more.
    let _ = LIVE_BYTES.try_with(|live| {
        live.set(live.get() + taken as i64 - freed as i64);
        let _ = PEAK_BYTES.try_with(|peak| peak.set(peak.get().max(live.get())));
    });
}

// SAFETY: every call goes on to the system's allocator, as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(layout.size(), 0);
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        count(layout.size(), bytes);
        unsafe { System.realloc(memory, layout, bytes) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const READ_LIMIT_BYTES: usize = 64 << 10;
const FRAGMENTS_MAX: u32 = 1000;
const HIGH_WATER_BYTES: usize = 64 << 10;
/// Bytes that a pipe holds without anybody reading them.
const PIPE_BYTES: usize = 4 << 10;
/// What a peer may cost, however much it sends: the message that is read and its echo up to their limits, buffers and their spares.
const MEMORY_BYTES_MAX: i64 = 1 << 20;
/// A flooding peer stops here.
const FLOOD_BYTES_MAX: usize = 4 << 20;
/// What is written has to be with the peer, up to the high-water mark, after so long.
const WRITE_TIME_MAX: Duration = Duration::from_secs(20);
/// Longer than all deadlines together.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// How a row is to end.
#[derive(Debug, PartialEq)]
enum End {
    Broken(Violation),
    /// The stream ended, or the peer closed, with this code.
    Closed(u16),
    /// The heartbeat gave the peer up.
    Silent,
    /// A write missed its deadline.
    NotTaken,
}

/// What a peer does.
struct Peer {
    first: Vec<u8>,
    /// Sent again and again behind that, until nobody takes it any more.
    again: Vec<u8>,
    reads: bool,
    /// Ends its side after all this; else it stays and says nothing.
    leaves: bool,
}

impl Peer {
    fn sends(first: Vec<u8>) -> Self {
        Self {
            first,
            again: Vec::new(),
            reads: true,
            leaves: false,
        }
    }

    fn again(mut self, again: Vec<u8>) -> Self {
        self.again = again;
        self
    }

    fn never_reads(mut self) -> Self {
        self.reads = false;
        self
    }

    fn leaves(mut self) -> Self {
        self.leaves = true;
        self
    }

    /// Gives how many bytes were taken from it, and its end of the stream.
    async fn play(self, stream: DuplexStream) -> (usize, impl Sized) {
        let (mut read, mut write) = tokio::io::split(stream);
        let reads = self.reads;
        let reading = async move {
            if reads {
                let _ = tokio::io::copy(&mut read, &mut tokio::io::sink()).await;
            }
            read
        };
        let writing = async {
            let mut sent = 0;
            if write.write_all(&self.first).await.is_ok() {
                sent += self.first.len();
            }
            while !self.again.is_empty()
                && sent < FLOOD_BYTES_MAX
                && write.write_all(&self.again).await.is_ok()
            {
                sent += self.again.len();
            }
            if self.leaves {
                let _ = write.shutdown().await;
            }
            (sent, write)
        };
        let ((sent, write), read) = tokio::join!(writing, reading);
        (sent, (read, write))
    }
}

/// A program that echoes; gives why it stopped.
async fn echo(stream: DuplexStream, role: Role, compression: Option<Compression>) -> Error {
    let config = Config::default()
        .read_limit(READ_LIMIT_BYTES)
        .fragments_max(FRAGMENTS_MAX)
        .high_water_bytes(HIGH_WATER_BYTES)
        .heartbeat(Duration::from_secs(10), Duration::from_secs(30));
    let mut conn = Conn::from_parts(stream, Parts::new(role, config).compression(compression));
    loop {
        let message = match conn.read_message().await {
            Ok(message) => message,
            Err(error) => return error,
        };
        conn.set_write_deadline(Some(Instant::now() + WRITE_TIME_MAX));
        if let Err(error) = conn.write_message(message).await {
            return error;
        }
    }
}

fn rows(from: Role) -> Vec<(&'static str, Option<Compression>, Peer, End)> {
    use End::{Broken, Closed, NotTaken, Silent};
    let other = match from {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    };
    let frame = |first: u8, payload: &[u8]| frame(from, first, payload);
    let header = |first: u8, len: usize| header(from, first, len);
    let plain = |what, first: Vec<u8>, end| (what, None, Peer::sends(first), end);
    let flood = vec![0xaa; 4096];
    let masked = if from == Role::Client { 0x80 } else { 0 };
    let wrong_side = match from {
        Role::Client => Violation::Unmasked,
        Role::Server => Violation::Masked,
    };
    let deflate = Some(Compression::default());
    let bomb = zlib::Encoder::new(15).message(&vec![0; 16 << 20]);
    vec![
        plain("nothing", vec![], Silent),
        plain(
            "RSV1 without a meaning",
            frame(0xc2, b"x"),
            Broken(Violation::ReservedBits),
        ),
        plain("RSV2", frame(0xa2, b"x"), Broken(Violation::ReservedBits)),
        plain("RSV3", frame(0x92, b"x"), Broken(Violation::ReservedBits)),
        (
            "RSV1 on a ping",
            deflate,
            Peer::sends(frame(0xc9, b"x")),
            Broken(Violation::ReservedBits),
        ),
        plain(
            "a reserved opcode",
            frame(0x83, b"x"),
            Broken(Violation::UnknownOpCode(3)),
        ),
        plain(
            "a reserved control opcode",
            frame(0x8f, b""),
            Broken(Violation::UnknownOpCode(15)),
        ),
        plain(
            "a fragmented ping",
            frame(0x09, b""),
            Broken(Violation::FragmentedControl),
        ),
        plain(
            "a fragmented close",
            frame(0x08, b""),
            Broken(Violation::FragmentedControl),
        ),
        plain(
            "a long ping",
            header(0x89, 126),
            Broken(Violation::LongControl),
        ),
        plain(
            "a ping of 2^62 bytes",
            header(0x89, 1 << 62),
            Broken(Violation::LongControl),
        ),
        plain(
            "the other side's masking",
            support::frame(other, 0x82, b"x"),
            Broken(wrong_side),
        ),
        plain(
            "2^62 bytes",
            header(0x82, 1 << 62),
            Broken(Violation::TooLong),
        ),
        plain(
            "2^63 bytes",
            [
                &[0x82, masked | 127][..],
                &(1u64 << 63).to_be_bytes(),
                &[0; 4],
            ]
            .concat(),
            Broken(Violation::BadLength),
        ),
        plain(
            "a length in more bytes than it needs",
            [0x82, masked | 126, 0, 5, 0, 0, 0, 0].into(),
            Broken(Violation::BadLength),
        ),
        plain(
            "a continuation of nothing",
            frame(0x80, b"x"),
            Broken(Violation::UnexpectedContinuation),
        ),
        plain(
            "a message inside a message",
            [frame(0x02, b"x"), frame(0x82, b"y")].concat(),
            Broken(Violation::ExpectedContinuation),
        ),
        plain(
            "no UTF-8",
            frame(0x81, b"\xff"),
            Broken(Violation::InvalidUtf8),
        ),
        plain(
            "a close of one byte",
            frame(0x88, b"x"),
            Broken(Violation::BadClose),
        ),
        plain(
            "a close with 1005",
            frame(0x88, &1005u16.to_be_bytes()),
            Broken(Violation::BadClose),
        ),
        (
            "no deflate",
            deflate,
            Peer::sends(frame(0xc2, b"\xff\xff")),
            Broken(Violation::BadCompression),
        ),
        (
            "a bomb",
            deflate,
            Peer::sends(frame(0xc2, &bomb)),
            Broken(Violation::TooLong),
        ),
        (
            "a bomb in many pieces",
            deflate,
            Peer::sends(frame(0x42, &bomb[..64])).again(frame(0x00, &bomb[64..128])),
            Broken(Violation::TooLong),
        ),
        (
            "2^62 bytes, and many of them",
            None,
            Peer::sends(header(0x82, 1 << 62)).again(flood.clone()),
            Broken(Violation::TooLong),
        ),
        (
            "a message without end",
            None,
            Peer::sends(frame(0x02, b"")).again(frame(0x00, &[7; 1024])),
            Broken(Violation::TooLong),
        ),
        (
            "continuations of nothing, without end",
            None,
            Peer::sends(frame(0x02, b"")).again(frame(0x00, b"")),
            Broken(Violation::TooManyFragments),
        ),
        (
            "continuations of a byte, without end",
            None,
            Peer::sends(frame(0x02, b"")).again(frame(0x00, b"x")),
            Broken(Violation::TooManyFragments),
        ),
        (
            "a compressed message of empty frames, without end",
            deflate,
            Peer::sends(frame(0x42, b"")).again(frame(0x00, b"")),
            Broken(Violation::TooManyFragments),
        ),
        (
            "pings without end",
            None,
            Peer::sends(vec![]).again(frame(0x89, &[7; 125])),
            Silent,
        ),
        (
            "pings without end, and never reads",
            None,
            Peer::sends(vec![])
                .again(frame(0x89, &[7; 125]))
                .never_reads(),
            Silent,
        ),
        (
            "pongs without end",
            None,
            Peer::sends(vec![]).again(frame(0x8a, &[7; 125])),
            Silent,
        ),
        (
            "messages without end, and never reads",
            None,
            Peer::sends(vec![])
                .again(frame(0x82, &[7; 1000]))
                .never_reads(),
            NotTaken,
        ),
        (
            "empty messages without end, and never reads",
            None,
            Peer::sends(vec![]).again(frame(0x82, b"")).never_reads(),
            NotTaken,
        ),
        (
            "compressed messages that are long, and never reads",
            deflate,
            Peer::sends(vec![])
                .again(frame(0xc2, &zlib::Encoder::new(15).message(&[0; 60_000])))
                .never_reads(),
            NotTaken,
        ),
        (
            "half a frame, and nothing more",
            None,
            Peer::sends(header(0x82, 1000)),
            Silent,
        ),
        (
            "half-close inside a frame",
            None,
            Peer::sends(header(0x82, 1000)).leaves(),
            Closed(1006),
        ),
        (
            "half-close inside a message",
            None,
            Peer::sends(frame(0x02, b"x")).leaves(),
            Closed(1006),
        ),
        (
            "half-close after a message",
            None,
            Peer::sends(frame(0x82, b"x")).leaves(),
            Closed(1006),
        ),
        (
            "half-close after a message, and never reads",
            None,
            Peer::sends(frame(0x82, &[7; 60_000]))
                .never_reads()
                .leaves(),
            Closed(1006),
        ),
        (
            "a close, and much behind it",
            None,
            Peer::sends(frame(0x88, &1000u16.to_be_bytes())).again(flood),
            Closed(1000),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn no_hostile_peer_hangs_or_grows_memory() {
    for from in [Role::Client, Role::Server] {
        let role = match from {
            Role::Client => Role::Server,
            Role::Server => Role::Client,
        };
        for (what, compression, peer, end) in rows(from) {
            let (ours, theirs) = duplex(PIPE_BYTES);
            let before = LIVE_BYTES.get();
            PEAK_BYTES.set(before);
            let both = async { tokio::join!(echo(ours, role, compression), peer.play(theirs)) };
            let Ok((error, (sent, _peer))) = tokio::time::timeout(FOR_EVER, both).await else {
                panic!("{what} to a {role:?}: still going on")
            };
            let grown = PEAK_BYTES.get() - before;
            let found = match error {
                Error::Protocol(violation) => End::Broken(violation),
                Error::Closed(close) => End::Closed(close.code.0),
                Error::PeerSilent => End::Silent,
                Error::TimedOut => End::NotTaken,
                other => panic!("{what} to a {role:?}: {other}"),
            };
            assert_eq!(found, end, "{what} to a {role:?}");
            assert!(
                grown <= MEMORY_BYTES_MAX,
                "{what} to a {role:?}: {grown} bytes, of {sent} sent"
            );
        }
    }
}
