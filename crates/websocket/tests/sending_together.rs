//! Many TCP connections sent to together, with an io_uring, without, and with one that breaks halfway: the same arrives.
//!
//! One test, since it lowers the process's limit of descriptors for a moment, which is how a kernel that refuses a ring is had anywhere, and takes the
//! only ring's descriptor away. Where a ring is refused anyway, the test says so, and all runs are without.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "support/io_uring.rs"]
mod io_uring;
mod support;
#[path = "support/told.rs"]
mod told;

use std::{
    cell::Cell,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use io_uring::{break_the_ring, without_descriptors};
use rustix::net::sockopt;
use suda_websocket::{
    Config, Conn, Control, Parts, PreparedMessage, Reader, Role, Stream, Writer, broadcast,
    broadcast_sockets, check_io_uring, flush_all,
};
use support::{RawPeer, tcp_pair};
use tokio::{net::TcpStream, time::timeout};
use told::{Sending, Told};

const PATIENCE: Duration = Duration::from_secs(20);
const MEMBERS: usize = 70;
const ROUNDS: usize = 25;
const LONG_BYTES: usize = 20_000;
const SOCKET_BYTES: usize = 16 << 10;

type Halves<S> = (Reader<S>, Writer<S>, Control<S>);

/// What reads its peers at once, what reads at the end, and what is gone.
fn is_slow(index: usize) -> bool {
    index % 10 == 3
}

fn is_gone(index: usize) -> bool {
    index % 10 == 7
}

async fn members<S: Stream>(
    wrap: impl Fn(TcpStream) -> S,
) -> (Vec<Option<Halves<S>>>, Vec<Option<RawPeer<TcpStream>>>) {
    let (mut members, mut peers) = (Vec::new(), Vec::new());
    for index in 0..MEMBERS {
        let (ours, theirs) = tcp_pair().await;
        ours.set_nodelay(true).unwrap();
        if is_slow(index) {
            sockopt::set_socket_send_buffer_size(&ours, SOCKET_BYTES).unwrap();
        }
        let parts = Parts::new(Role::Server, Config::default());
        members.push(Some(Conn::from_parts(wrap(ours), parts).split()));
        if is_gone(index) {
            sockopt::set_socket_linger(&theirs, Some(Duration::ZERO)).unwrap();
            peers.push(None);
        } else {
            peers.push(Some(RawPeer::new(theirs, Role::Client)));
        }
    }
    (members, peers)
}

fn messages(round: usize) -> [PreparedMessage; 2] {
    let long = vec![round as u8; LONG_BYTES];
    [
        PreparedMessage::text(round.to_string()),
        PreparedMessage::binary(long),
    ]
}

/// Sends all rounds with `send`, which gives the places that it did not reach; gives up those, and looks at what the others received.
async fn all_arrives<S: Stream>(
    wrap: impl Fn(TcpStream) -> S,
    send: impl Fn(&mut [Option<Halves<S>>], &[PreparedMessage]) -> Vec<usize>,
) {
    let (mut members, mut peers) = members(wrap).await;
    for round in 0..ROUNDS {
        for index in send(&mut members, &messages(round)) {
            assert!(is_gone(index), "{index} was not reached in round {round}");
            assert!(members[index].take().is_some());
        }
        for (index, peer) in peers.iter_mut().enumerate() {
            if let Some(peer) = peer.as_mut().filter(|_| !is_slow(index)) {
                receive(peer, round).await;
            }
        }
    }
    let unsent = |(index, member): (usize, &Option<Halves<S>>)| {
        let writer = &member.as_ref()?.1;
        is_slow(index).then(|| writer.buffered())
    };
    let unsent: Vec<_> = members.iter().enumerate().filter_map(unsent).collect();
    assert!(
        unsent.iter().all(|&bytes| bytes > 0),
        "all of them are slow"
    );
    for (index, peer) in peers.iter_mut().enumerate() {
        if let Some(peer) = peer.as_mut().filter(|_| is_slow(index)) {
            for round in 0..ROUNDS {
                receive(peer, round).await;
            }
        }
    }
    let reached: Vec<_> = (0..MEMBERS)
        .filter(|&index| members[index].is_some())
        .collect();
    let expected: Vec<_> = (0..MEMBERS).filter(|&index| !is_gone(index)).collect();
    assert_eq!(reached, expected);
}

async fn receive(peer: &mut RawPeer<TcpStream>, round: usize) {
    let mut next = async || {
        let frame = timeout(PATIENCE, peer.next_frame()).await;
        frame
            .expect("it never arrived")
            .expect("the stream ended")
            .1
    };
    assert_eq!(next().await, round.to_string().into_bytes());
    assert_eq!(next().await, vec![round as u8; LONG_BYTES]);
}

fn present<S: Stream>(
    members: &mut [Option<Halves<S>>],
) -> impl Iterator<Item = (usize, &mut Writer<S>)> {
    (members.iter_mut().enumerate())
        .filter_map(|(index, member)| Some((index, &mut member.as_mut()?.1)))
}

async fn broadcasts(before_round: impl Fn(usize)) {
    let round = Cell::new(0);
    all_arrives(
        |tcp| tcp,
        |members, messages| {
            before_round(round.replace(round.get() + 1));
            let unreached = broadcast(present(members), messages);
            unreached.into_iter().map(|(index, _)| index).collect()
        },
    )
    .await;
}

/// As [`all_arrives`]; gives how many bytes were sent without their streams.
async fn sent_past_streams(
    send: impl Fn(&mut [Option<Halves<Told>>], &[PreparedMessage]) -> Vec<usize>,
) -> usize {
    let sent_bytes = Arc::new(AtomicUsize::new(0));
    let seen = |tcp| {
        let sent_bytes = sent_bytes.clone();
        Told::new(tcp, false, move |sending| {
            if let Sending::Past(bytes) = sending {
                sent_bytes.fetch_add(bytes, Ordering::Relaxed);
            }
        })
    };
    all_arrives(seen, send).await;
    sent_bytes.load(Ordering::Relaxed)
}

async fn broadcasts_to_sockets() -> usize {
    sent_past_streams(|members, messages| {
        let writers = present(members).map(|(index, writer)| (index, &*writer));
        let unreached = broadcast_sockets(writers, messages);
        unreached.into_iter().map(|(index, _)| index).collect()
    })
    .await
}

async fn flushes() -> usize {
    sent_past_streams(|members, messages| {
        let mut failed = Vec::new();
        for message in messages {
            for (_, writer) in present(members) {
                // A failure is told by the flush, too.
                let _ = writer.try_send_prepared(message);
            }
            let writers = present(members).map(|(index, writer)| (index, &*writer));
            failed.extend(flush_all(writers).into_iter().map(|(index, _)| index));
        }
        failed.sort_unstable();
        failed.dedup();
        failed
    })
    .await
}

/// On a thread of its own, which has or is refused a ring of its own.
fn on_a_thread(refuse: bool) {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let checked = if refuse {
            checked_without_descriptors()
        } else {
            check_io_uring()
        };
        if let Err(error) = &checked {
            println!("no io_uring ({error}): the sends one by one are tested");
        }
        assert!(!(refuse && checked.is_ok()));
        runtime.block_on(async {
            broadcasts(|_| {}).await;
            for sent_bytes in [broadcasts_to_sockets().await, flushes().await] {
                assert_eq!(sent_bytes > 0, checked.is_ok(), "{sent_bytes} bytes");
            }
        });
        // Asked once, and known from then on.
        assert_eq!(check_io_uring().is_ok(), checked.is_ok());
    };
    thread::spawn(run).join().unwrap();
}

fn checked_without_descriptors() -> io::Result<()> {
    // Whoever is told of it may send that through a connection, and so come here again.
    let told = Arc::new(AtomicUsize::new(0));
    let listener = told.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || {
            assert!(check_io_uring().is_err());
            listener.fetch_add(1, Ordering::Relaxed);
            io::sink()
        })
        .finish();
    let checked =
        without_descriptors(|| tracing::subscriber::with_default(subscriber, check_io_uring));
    assert_eq!(told.load(Ordering::Relaxed), 1);
    checked
}

fn breaking_on_a_thread() {
    let run = || {
        if let Err(error) = check_io_uring() {
            return println!("no io_uring ({error}): there is nothing to break");
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(broadcasts(|round| {
            assert_eq!(check_io_uring().is_ok(), round <= ROUNDS / 2);
            if round == ROUNDS / 2 {
                break_the_ring();
            }
        }));
    };
    thread::spawn(run).join().unwrap();
}

#[test]
fn with_a_ring_and_without_the_same_arrives() {
    on_a_thread(false);
    on_a_thread(true);
    breaking_on_a_thread();
}
