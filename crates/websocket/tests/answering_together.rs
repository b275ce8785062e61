//! Many TCP connections that are answered in one turn of their runtime by plain loops, with an io_uring, without, and with one that breaks halfway: each
//! peer gets its answers, once and in order.
//!
//! One test, since it lowers the process's limit of descriptors for a moment, which is how a kernel that refuses a ring is had anywhere, and takes the
//! only ring's descriptor away. Where a ring is refused anyway, the test says so, and all runs are without.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "support/io_uring.rs"]
mod io_uring;
mod support;

use std::{
    future::{Future, poll_fn},
    io::{Read as _, Write as _},
    pin::pin,
    sync::mpsc,
    task::Poll,
    thread,
    time::Duration,
};

use io_uring::{break_the_ring, completed, without_descriptors};
use rustix::net::sockopt;
use suda_websocket::{Config, Conn, Error, Message, Parts, Role, check_io_uring};
use support::{RawPeer, frame, tcp_pair};
use tokio::{
    net::TcpStream,
    runtime::{Builder, Runtime},
    task::yield_now,
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(20);
const MEMBERS: usize = 70;
const ROUNDS: usize = 24;
/// A peer asks for so many answers at a time, of one of these lengths.
const BURST: usize = 3;
const ANSWER_BYTES: [usize; 4] = [4, 900, 5_000, 19_000];
const SOCKET_BYTES: usize = 16 << 10;
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;

/// What reads at the end.
fn is_slow(index: usize) -> bool {
    index % 10 == 3
}

/// What is gone after the first round.
fn leaves(index: usize) -> bool {
    index % 10 == 7
}

/// What asks for its answers in `round`. `number` of them all tells which.
fn request(index: usize, round: usize, number: usize) -> String {
    let bytes = ANSWER_BYTES[(index + round / 6) % ANSWER_BYTES.len()];
    format!("{} {bytes}", (index * ROUNDS + round) * BURST + number)
}

fn answer(request: &str) -> Vec<u8> {
    let (number, bytes) = request.split_once(' ').unwrap();
    let number: u32 = number.parse().unwrap();
    number
        .to_be_bytes()
        .repeat(bytes.parse::<usize>().unwrap() / 4)
}

/// The plain loop, as programs write it; and with calls that are dropped before they are done.
async fn serve(mut conn: Conn<TcpStream>, index: usize) {
    while let Ok(message) = read(&mut conn, index % 3 == 1).await {
        let answer = Message::binary(answer(message.as_text().unwrap()));
        let written = if index % 3 == 2 {
            write_or_drop(&mut conn, answer).await
        } else {
            conn.write_message(answer).await
        };
        if written.is_err() {
            return;
        }
    }
}

async fn read(conn: &mut Conn<TcpStream>, drops: bool) -> Result<Message, Error> {
    if drops {
        for _ in 0..3 {
            if let Some(read) = once(conn.read_message()).await {
                return read;
            }
            yield_now().await;
        }
    }
    conn.read_message().await
}

/// A write that was dropped while it waited has written nothing.
async fn write_or_drop(conn: &mut Conn<TcpStream>, answer: Message) -> Result<(), Error> {
    loop {
        if let Some(written) = once(conn.write_message(answer.clone())).await {
            return written;
        }
        conn.flush().await?;
    }
}

/// Polls `future` once, and drops it.
async fn once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

async fn members() -> Vec<Option<RawPeer<TcpStream>>> {
    let mut peers = Vec::new();
    for index in 0..MEMBERS {
        let (ours, theirs) = tcp_pair().await;
        ours.set_nodelay(true).unwrap();
        if is_slow(index) {
            sockopt::set_socket_send_buffer_size(&ours, SOCKET_BYTES).unwrap();
        }
        if leaves(index) {
            sockopt::set_socket_linger(&theirs, Some(Duration::ZERO)).unwrap();
        }
        let conn = Conn::from_parts(ours, Parts::new(Role::Server, Config::default()));
        tokio::spawn(serve(conn, index));
        peers.push(Some(RawPeer::new(theirs, Role::Client)));
    }
    peers
}

/// Asks on all connections, then takes what is answered; at the end on those that are slow.
async fn all_are_answered(before_round: impl Fn(usize)) {
    let mut peers = members().await;
    for round in 0..ROUNDS {
        before_round(round);
        for (index, peer) in peers.iter_mut().enumerate() {
            let Some(peer) = peer else { continue };
            for number in 0..BURST {
                peer.send(TEXT, request(index, round, number).as_bytes())
                    .await;
            }
        }
        for (index, slot) in peers.iter_mut().enumerate() {
            if leaves(index) {
                *slot = None;
            } else if !is_slow(index) {
                receive(slot.as_mut().unwrap(), index, round).await;
            }
        }
    }
    for (index, slot) in peers.iter_mut().enumerate() {
        let Some(peer) = slot else { continue };
        for round in (0..ROUNDS).filter(|_| is_slow(index)) {
            receive(peer, index, round).await;
        }
        // And nothing else.
        peer.send(TEXT, b"0 4").await;
        assert_eq!(next(peer).await, [0; 4]);
    }
}

async fn receive(peer: &mut RawPeer<TcpStream>, index: usize, round: usize) {
    for number in 0..BURST {
        let expected = answer(&request(index, round, number));
        assert!(next(peer).await == expected, "of {index} in round {round}");
    }
}

async fn next(peer: &mut RawPeer<TcpStream>) -> Vec<u8> {
    let frame = timeout(PATIENCE, peer.next_frame()).await;
    let (first, payload) = frame.expect("it never came").expect("the stream ended");
    assert_eq!(first, BINARY);
    payload
}

/// A program that does not wait, since more has come, has sent its answers before it is given that.
async fn an_answer_goes_before_the_next_message_is_given() {
    // With its header as long as a share of what one read takes, so that a read ends where a frame does.
    const PAYLOAD: [u8; 1016] = [7; 1016];
    const READ_FRAMES: usize = 64;
    let (ours, theirs) = tcp_pair().await;
    sockopt::set_socket_recv_buffer_size(&ours, 1 << 20).unwrap();
    let mut conn = Conn::from_parts(ours, Parts::new(Role::Server, Config::default()));
    let (answered, is_answered) = mpsc::channel();
    let peer = thread::spawn(move || {
        let frames = frame(Role::Client, BINARY, &PAYLOAD).repeat(2 * READ_FRAMES);
        let mut theirs = theirs.into_std().unwrap();
        theirs.set_nonblocking(false).unwrap();
        theirs.write_all(&frames).unwrap();
        answered.send([0; 6]).unwrap();
        let mut answer = [0; 6];
        theirs.read_exact(&mut answer).unwrap();
        answered.send(answer).unwrap();
    });
    // All of it has come.
    is_answered.recv_timeout(PATIENCE).unwrap();
    for _ in 0..READ_FRAMES {
        assert_eq!(conn.read_message().await.unwrap().as_bytes(), PAYLOAD);
    }
    conn.write_message("done").await.unwrap();
    conn.read_message().await.unwrap();
    let answer = is_answered.recv_timeout(PATIENCE);
    assert_eq!(&answer.expect("it was not sent")[2..], b"done");
    peer.join().unwrap();
}

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// On a thread of its own, which has or is refused a ring of its own.
fn on_a_thread(run: impl FnOnce() + Send + 'static) {
    thread::spawn(run).join().unwrap();
}

#[test]
fn with_a_ring_and_without_all_are_answered() {
    on_a_thread(|| {
        without_descriptors(|| check_io_uring().unwrap_err());
        single().block_on(all_are_answered(|_| {}));
        assert!(completed().is_none(), "there is a ring");
    });
    let is_refused = thread::spawn(|| check_io_uring().is_err()).join().unwrap();
    if is_refused {
        println!("no io_uring: only that all are answered without is tested");
    }
    on_a_thread(move || {
        single().block_on(all_are_answered(|_| {}));
        if !is_refused {
            // Of those who read at once, and have no more to get than is left to the flusher.
            let least = MEMBERS / 2 * ROUNDS / 2;
            assert!(completed().unwrap() >= least as u64, "{:?}", completed());
        }
    });
    on_a_thread(|| single().block_on(an_answer_goes_before_the_next_message_is_given()));
    on_a_thread(move || {
        single().block_on(all_are_answered(|round| {
            if round == ROUNDS / 2 && !is_refused {
                break_the_ring();
            }
        }));
        assert!(check_io_uring().is_err());
    });
    on_a_thread(|| {
        let threads = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        threads.unwrap().block_on(all_are_answered(|_| {}));
    });
}
