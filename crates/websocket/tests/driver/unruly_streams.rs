//! Streams that take little, wait at odd moments, and need to read in order to write, as TLS may: no wake is ever lost.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use suda_websocket::{Config, Conn, Message, Parts, Role};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};

use crate::{in_time, support::frame};

/// Takes and gives little at once, and now and then nothing until another thread or task wakes it.
struct Unruly {
    stream: DuplexStream,
    seed: u64,
}

impl Unruly {
    fn roll(&mut self) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.seed >> 33
    }

    fn balks(&mut self, waker: &Waker) -> bool {
        let waker = waker.clone();
        match self.roll() % 12 {
            0 => waker.wake(),
            1 => drop(std::thread::spawn(move || waker.wake())),
            2 => drop(tokio::spawn(async move {
                tokio::task::yield_now().await;
                waker.wake();
            })),
            _ => return false,
        }
        true
    }
}

impl AsyncRead for Unruly {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.balks(cx.waker()) {
            return Poll::Pending;
        }
        let mut piece = vec![0; 1 + self.roll() as usize % 300];
        let mut little = ReadBuf::new(&mut piece);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut little))?;
        assert!(buf.remaining() >= little.filled().len());
        buf.put_slice(little.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Unruly {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.balks(cx.waker()) {
            return Poll::Pending;
        }
        let count = data.len().min(1 + self.roll() as usize % 300);
        Pin::new(&mut self.stream).poll_write(cx, &data[..count])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.balks(cx.waker()) {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

fn content(number: u32) -> Vec<u8> {
    number.to_be_bytes().repeat(1 + number as usize * 7 % 400)
}

async fn everything_arrives(seed: u64) {
    const MESSAGES: u32 = 40;
    let (ours, theirs) = duplex(1 + seed as usize * 31 % 500);
    let config = Config::default()
        .high_water_bytes(1 + seed as usize * 97 % 5000)
        .frame_bytes_max(600);
    let ends = [
        (Role::Server, ours, seed * 2 + 1),
        (Role::Client, theirs, seed * 2 + 2),
    ];
    let tasks = ends.map(|(role, stream, seed)| {
        let conn = Conn::from_parts(Unruly { stream, seed }, Parts::new(role, config.clone()));
        let (mut reader, mut writer, control) = conn.split();
        let writing = tokio::spawn(async move {
            for number in 0..MESSAGES {
                writer.write_message(content(number)).await.unwrap();
                if number % 7 == 0 {
                    control.ping(&number.to_be_bytes()).unwrap();
                }
            }
            // Not flushed: the rest has to go out by itself.
            writer
        });
        let reading = tokio::spawn(async move {
            for number in 0..MESSAGES {
                assert_eq!(
                    reader.read_message().await.unwrap(),
                    Message::binary(content(number))
                );
            }
            reader
        });
        async move { (writing.await.unwrap(), reading.await.unwrap()) }
    });
    let [one, other] = tasks;
    in_time(async { tokio::join!(one, other) }).await;
}

#[tokio::test]
async fn everything_arrives_on_one_thread() {
    for seed in 0..10 {
        everything_arrives(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn everything_arrives_on_several_threads() {
    for seed in 100..110 {
        everything_arrives(seed).await;
    }
}

/// May write only as many times as it has read a permit: a byte on a second pipe. As with a TLS handshake, a write waits for
/// something to read. The permits come from the same pipe that a read would look at, so both directions wait on one side.
struct NeedsPermits {
    stream: DuplexStream,
    permits: DuplexStream,
}

impl AsyncRead for NeedsPermits {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // As a TLS stream looks for records of either kind, a read registers with the permits, too.
        let mut nothing = ReadBuf::new(&mut []);
        let _ = Pin::new(&mut self.permits).poll_read(cx, &mut nothing);
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for NeedsPermits {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut permit = [0; 1];
        let mut buf = ReadBuf::new(&mut permit);
        ready!(Pin::new(&mut self.permits).poll_read(cx, &mut buf))?;
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_write_that_waits_for_input_goes_on_though_no_one_reads_any_more() {
    let (ours, mut theirs) = duplex(1024);
    let (permits, mut grant) = duplex(16);
    let stream = NeedsPermits {
        stream: ours,
        permits,
    };
    let mut server = Conn::from_parts(stream, Parts::new(Role::Server, Config::default()));
    server.write_message("late").await.unwrap();
    // A read comes, finds the write blocked, registers its own interest, and is given up.
    tokio::select! {
        biased;
        _ = server.read_message() => panic!("nothing was sent"),
        () = tokio::task::yield_now() => {}
    }
    grant.write_all(&[1]).await.unwrap();
    let mut arrived = vec![0; 6];
    in_time(theirs.read_exact(&mut arrived)).await.unwrap();
    assert_eq!(arrived, frame(Role::Server, 0x81, b"late"));
    drop(server);
}
