//! Where a program's own comes in while its connections are sent to: iterators that use them, streams that panic, a reader that is left, a main task on a thread of its own.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::mpsc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use suda_websocket::{
    Config, Conn, Control, Message, Parts, PreparedMessage, Reader, Role, Writer,
    broadcast_sockets, flush_all,
};
use support::tcp_pair;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(5);

fn server(stream: TcpStream) -> Conn<TcpStream> {
    Conn::from_parts(stream, Parts::new(Role::Server, Config::default()))
}

/// Runs `act` on a thread and a runtime of its own; whether it came to an end.
fn ends(act: impl Future<Output = ()> + Send + 'static) -> bool {
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(act);
        let _ = done.send(());
    });
    ended.recv_timeout(PATIENCE).is_ok()
}

/// Connections, taken apart, that stay open.
struct Members {
    writers: Vec<Writer<TcpStream>>,
    controls: Vec<Control<TcpStream>>,
    _readers: Vec<Reader<TcpStream>>,
    _peers: Vec<TcpStream>,
}

async fn three_members() -> Members {
    let mut members = Members {
        writers: Vec::new(),
        controls: Vec::new(),
        _readers: Vec::new(),
        _peers: Vec::new(),
    };
    for _ in 0..3 {
        let (ours, peer) = tcp_pair().await;
        let (reader, writer, control) = server(ours).split();
        members.writers.push(writer);
        members.controls.push(control);
        members._readers.push(reader);
        members._peers.push(peer);
    }
    members
}

#[test]
fn the_programs_iterator_may_look_at_a_member_it_has_given_to_flush_all() {
    assert!(ends(async {
        let Members { mut writers, .. } = three_members().await;
        for writer in &mut writers {
            writer
                .try_send_prepared(&PreparedMessage::text("news"))
                .unwrap();
        }
        let members = writers.iter().map(|writer| {
            // For a gauge of all that is unsent, as a program may have it.
            let _unsent: usize = writers.iter().map(|writer| writer.buffered()).sum();
            ((), writer)
        });
        assert!(flush_all(members).is_empty());
    }));
}

#[test]
fn the_programs_iterator_may_look_at_a_member_it_has_given_to_broadcast() {
    assert!(ends(async {
        let members = three_members().await;
        let Members {
            writers, controls, ..
        } = &members;
        let mut last: Option<usize> = None;
        let members = writers.iter().enumerate().map(|(index, writer)| {
            if let Some(last) = last.replace(index) {
                let _ = controls[last].ping(b"");
            }
            ((), writer)
        });
        let unreached = broadcast_sockets(members, &[PreparedMessage::text("news")]);
        assert!(unreached.is_empty());
    }));
}

/// As `select!` does, of which another branch goes on.
#[tokio::test]
async fn what_a_reader_that_waited_has_left_is_sent_once_its_task_gives_way() {
    let (ours, mut theirs) = tcp_pair().await;
    let mut conn = server(ours);
    conn.write_message("one").await.unwrap();
    conn.write_message("two").await.unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(conn.read_message()).poll(&mut cx).is_pending());
    let mut got = [0; 10];
    let reading = timeout(PATIENCE, theirs.read_exact(&mut got)).await;
    reading.expect("it was not sent").unwrap();
    assert_eq!(&got, b"\x81\x03one\x81\x03two");
}

/// [`Writer::try_send_prepared`](suda_websocket::Writer::try_send_prepared) has nobody come for what it has queued: a read does.
#[tokio::test]
async fn what_nobody_comes_for_a_reader_does_not_leave() {
    let (ours, mut theirs) = tcp_pair().await;
    let (mut reader, mut writer, _control) = server(ours).split();
    writer
        .try_send_prepared(&PreparedMessage::text("news"))
        .unwrap();
    let reading = tokio::spawn(async move { reader.read_message().await.map(drop) });
    let mut got = [0; 6];
    let arriving = timeout(PATIENCE, theirs.read_exact(&mut got)).await;
    arriving.expect("it was not sent").unwrap();
    assert_eq!(&got, b"\x81\x04news");
    reading.abort();
}

/// Panics when it is written to.
struct Panics;

impl AsyncRead for Panics {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Panics {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        panic!("a stream with a mistake");
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_stream_that_panics_in_the_flusher_does_not_silence_the_others_for_ever() {
    let (ours, theirs) = tcp_pair().await;
    let mut faulty = Conn::from_parts(Panics, Parts::new(Role::Server, Config::default()));
    let mut echo = server(ours);
    let mut client = Conn::from_parts(theirs, Parts::new(Role::Client, Config::default()));
    // In one poll, and so for one turn of the flusher, which dies of the first.
    faulty.write_message("breaks").await.unwrap();
    echo.write_message("hello").await.unwrap();
    tokio::spawn(async move {
        // The plain loop, whose reader sends what was written.
        while let Ok(message) = echo.read_message().await {
            echo.write_message(message).await.unwrap();
        }
    });
    for text in ["hello", "again"] {
        let answer = timeout(PATIENCE, client.read_message()).await;
        assert_eq!(answer.expect("no answer").unwrap(), Message::text(text));
        client.write_message("again").await.unwrap();
        client.flush().await.unwrap();
    }
}

/// The main task of a runtime with several threads is not on one of them, but the flusher is.
#[test]
fn the_main_task_learns_that_it_is_alone() {
    const TURNS: usize = 3000;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let queued = runtime.block_on(async {
        let (ours, theirs) = tcp_pair().await;
        let echo = server(ours);
        let mut client = Conn::from_parts(theirs, Parts::new(Role::Client, Config::default()));
        tokio::spawn(async move {
            for _ in 0..TURNS {
                client.write_message("question").await.unwrap();
                client.flush().await.unwrap();
                client.read_message().await.unwrap();
            }
        });
        let (mut reader, mut writer, _control) = echo.split();
        let mut queued = 0;
        for _ in 0..TURNS {
            let message = reader.read_message().await.unwrap();
            writer.write_message(message).await.unwrap();
            // Sent at once it is, once it is known that each turn has one write.
            queued += usize::from(writer.buffered() > 0);
        }
        queued
    });
    assert!(queued < TURNS / 10, "{queued}");
}
