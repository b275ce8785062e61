//! Connections over streams that take and give little, and are pending when it suits them: no wake may be lost, whoever reads,
//! writes, pings and closes at the same time. A lost wake shows as a test that doesn't end, which the limit turns into a failure.
#![allow(clippy::unwrap_used)]

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use suda_websocket::{CloseCode, Config, Conn, Error, Message, Parts, Role};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::task::{JoinSet, yield_now};

/// Far above what a run needs on a slow machine.
const HANG: Duration = Duration::from_secs(120);
const CONNECTIONS: u64 = 40;
const MESSAGES: u64 = 60;
/// Most bytes that a stream takes or gives at once.
const PIECE_BYTES_MAX: u64 = 300;

/// Who wakes a task that a stream has made wait for nothing.
#[derive(Clone, Copy)]
enum Balks {
    Never,
    /// A task of the same runtime.
    WokenByTask,
    /// A foreign thread, maybe while the poll is still under way.
    WokenByThread,
}

struct Flaky {
    inner: DuplexStream,
    random: u64,
    balks: Balks,
}

impl Flaky {
    fn random(&mut self, below: u64) -> u64 {
        // xorshift: any sequence does, as long as a seed gives the same one again.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    fn balks(&mut self, cx: &Context<'_>) -> bool {
        if self.random(4) != 0 {
            return false;
        }
        let waker = cx.waker().clone();
        match self.balks {
            Balks::Never => return false,
            Balks::WokenByTask => {
                tokio::spawn(async move {
                    yield_now().await;
                    waker.wake();
                });
            }
            Balks::WokenByThread => {
                tokio::task::spawn_blocking(move || waker.wake());
            }
        }
        true
    }
}

impl AsyncRead for Flaky {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.balks(cx) {
            return Poll::Pending;
        }
        let most = self.random(PIECE_BYTES_MAX) as usize + 1;
        let mut piece = vec![0; most.min(buf.remaining())];
        let mut piece = ReadBuf::new(&mut piece);
        let polled = Pin::new(&mut self.inner).poll_read(cx, &mut piece);
        buf.put_slice(piece.filled());
        polled
    }
}

impl AsyncWrite for Flaky {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.balks(cx) {
            return Poll::Pending;
        }
        let most = self.random(PIECE_BYTES_MAX) as usize + 1;
        Pin::new(&mut self.inner).poll_write(cx, &bytes[..most.min(bytes.len())])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.balks(cx) {
            return Poll::Pending;
        }
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

fn message(seed: u64, number: u64) -> Message {
    let length = (number * 7919 + seed) % 1500;
    Message::binary(vec![number as u8; length as usize])
}

/// Echoes until the peer closes.
async fn echo(mut conn: Conn<Flaky>) -> u64 {
    let mut echoed = 0;
    loop {
        match conn.read_message().await {
            Ok(message) => conn.write_message(message).await.unwrap(),
            Err(Error::Closed(close)) => {
                assert_eq!(close.code, CloseCode::NORMAL);
                return echoed;
            }
            Err(error) => panic!("{error}"),
        }
        echoed += 1;
    }
}

/// One connection: a writer that pings in between, a reader whose reads are dropped and begun again, and a close.
async fn converse(seed: u64, balks: Balks) {
    let pipe_bytes = 1 + (seed % 997) as usize;
    let high_water_bytes = [1, 100, 64 << 10][(seed % 3) as usize];
    let (near, far) = duplex(pipe_bytes);
    let conn = |inner, role, random| {
        let config = Config::default()
            .high_water_bytes(high_water_bytes)
            .frame_bytes_max(500);
        Conn::from_parts(
            Flaky {
                inner,
                random,
                balks,
            },
            Parts::new(role, config),
        )
    };
    let server = tokio::spawn(echo(conn(near, Role::Server, seed * 2 + 1)));
    let (mut reader, mut writer, control) = conn(far, Role::Client, seed * 3 + 7).split();

    let pings = control.clone();
    let writing = tokio::spawn(async move {
        for number in 0..MESSAGES {
            writer.write_message(message(seed, number)).await.unwrap();
            if number % 5 == 0 {
                // Full of pings that a slow stream has not taken yet: not what is tested here.
                let _ = pings.ping(&[number as u8]);
            }
            if number % 7 == 0 {
                yield_now().await;
            }
        }
        writer
    });
    for number in 0..MESSAGES {
        let received = loop {
            tokio::select! {
                biased;
                received = reader.read_message() => break received.unwrap(),
                () = yield_now(), if number % 3 == 0 => yield_now().await,
            }
        };
        assert_eq!(
            received,
            message(seed, number),
            "message {number} of seed {seed}"
        );
    }
    let _writer = writing.await.unwrap();
    control.close(CloseCode::NORMAL, "").unwrap();
    match reader.read_message().await {
        Err(Error::Closed(close)) => assert_eq!(close.code, CloseCode::NORMAL),
        other => panic!("{other:?} in place of a close, seed {seed}"),
    }
    assert_eq!(server.await.unwrap(), MESSAGES);
}

async fn all_converse(balks: Balks) {
    let mut all = JoinSet::new();
    for seed in 1..=CONNECTIONS {
        all.spawn(within_limit(seed, converse(seed * 31, balks)));
    }
    while let Some(ended) = all.join_next().await {
        ended.unwrap();
    }
}

async fn within_limit(seed: u64, conversation: impl Future<Output = ()>) {
    let ended = tokio::time::timeout(HANG, conversation).await;
    assert!(ended.is_ok(), "the conversation with seed {seed} hangs");
}

#[tokio::test]
async fn small_pieces_on_one_thread() {
    all_converse(Balks::Never).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn small_pieces_on_four_threads() {
    all_converse(Balks::Never).await;
}

#[tokio::test]
async fn needless_waits_on_one_thread() {
    all_converse(Balks::WokenByTask).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn needless_waits_on_four_threads() {
    all_converse(Balks::WokenByTask).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn needless_waits_that_foreign_threads_end() {
    all_converse(Balks::WokenByThread).await;
}
