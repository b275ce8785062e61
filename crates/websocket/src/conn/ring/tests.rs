//! The ring beside its safe twin: the same sends to the same sockets, with the same outcomes and the same bytes at the other end.

use std::{
    io::Read,
    net::{Shutdown, TcpListener, TcpStream},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    net::{SendFlags, send, sockopt},
};

use super::{SENDS_MAX, Sending, check};

const ROUNDS: usize = 300;
/// Longer than what a socket holds.
const BYTES_MAX: usize = 300_000;
const SEND_BUFFER_BYTES: usize = 8 << 10;

fn send_each(sends: &mut [Option<Sending<'_>>]) {
    // Where the ring was refused, none is tried.
    let _ = check();
    super::send_each(sends).unwrap();
}

/// The twin.
fn one_by_one(sends: &mut [Option<Sending<'_>>]) {
    for send_one in sends.iter_mut().flatten() {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let sent = send(send_one.socket, send_one.bytes, flags);
        send_one.outcome = Some(sent.map_err(Into::into));
    }
}

/// The same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = (self.0.wrapping_mul(6_364_136_223_846_793_005)).wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }
}

#[derive(Clone, Copy)]
enum Peer {
    /// Reads all there is after every round.
    Fast,
    /// Reads at times.
    Slow,
    /// Reads only at the end.
    Full,
}

struct Pair {
    ours: OwnedFd,
    theirs: Option<OwnedFd>,
    peer: Peer,
    received: Vec<u8>,
}

impl Pair {
    fn read_all(&mut self) {
        let Some(theirs) = &self.theirs else { return };
        let mut bytes = [0; 64 << 10];
        while let Ok((_, count @ 1..)) =
            rustix::net::recv(theirs, &mut bytes, rustix::net::RecvFlags::DONTWAIT)
        {
            self.received.extend_from_slice(&bytes[..count]);
        }
    }
}

/// Unix sockets: how many bytes one takes does not depend on when the kernel gets to what.
fn pairs() -> Vec<Pair> {
    (0..SENDS_MAX)
        .map(|index| {
            let (ours, theirs) = UnixStream::pair().unwrap();
            sockopt::set_socket_send_buffer_size(&ours, SEND_BUFFER_BYTES << (index % 4)).unwrap();
            Pair {
                ours: ours.into(),
                theirs: Some(theirs.into()),
                peer: [Peer::Fast, Peer::Slow, Peer::Full][index % 3],
                received: Vec::new(),
            }
        })
        .collect()
}

type Outcomes = Vec<Option<Result<usize, i32>>>;

/// Everything that can be seen of some rounds: each send's outcome, and what the peers received.
fn run(send_all: impl Fn(&mut [Option<Sending<'_>>])) -> (Vec<Outcomes>, Vec<Vec<u8>>) {
    let mut numbers = Numbers(7);
    let mut pairs = pairs();
    let bytes: Vec<u8> = (0..BYTES_MAX).map(|_| numbers.below(256) as u8).collect();
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        match numbers.below(40) {
            // The other side goes, or this one ends what it has to say.
            0 => pairs[numbers.below(SENDS_MAX)].theirs = None,
            1 => {
                let ours = &pairs[numbers.below(SENDS_MAX)].ours;
                rustix::net::shutdown(ours, rustix::net::Shutdown::Write).unwrap();
            }
            _ => {}
        }
        let mut sends: Vec<_> = (pairs.iter())
            .filter_map(|pair| {
                let longest = [16, 2_000, BYTES_MAX][numbers.below(3)];
                let len = 1 + numbers.below(longest - 1);
                let start = numbers.below(BYTES_MAX - len);
                (numbers.below(5) > 0)
                    .then(|| Some(Sending::new(pair.ours.as_fd(), &bytes[start..start + len])))
            })
            .collect();
        send_all(&mut sends);
        let seen = |sending: Option<Sending<'_>>| {
            let outcome = sending?.into_outcome()?;
            Some(outcome.map_err(|error| error.raw_os_error().unwrap()))
        };
        rounds.push(sends.into_iter().map(seen).collect());
        for pair in &mut pairs {
            match pair.peer {
                Peer::Fast => pair.read_all(),
                Peer::Slow if round % 7 == 0 => pair.read_all(),
                Peer::Slow | Peer::Full => {}
            }
        }
    }
    for pair in &mut pairs {
        pair.read_all();
    }
    (
        rounds,
        pairs.into_iter().map(|pair| pair.received).collect(),
    )
}

/// Whether there is a ring to be tested; it says so if not.
fn ring_is_there() -> bool {
    let there = check();
    if let Err(error) = &there {
        println!("no io_uring here ({error}): that nothing is tried is what is tested");
    }
    there.is_ok()
}

#[test]
fn the_ring_does_what_a_loop_of_sends_does() {
    let (ours, received) = run(send_each);
    if !ring_is_there() {
        assert!(ours.iter().flatten().all(Option::is_none));
        assert!(received.iter().all(Vec::is_empty));
        return;
    }
    let (expected, expected_received) = run(one_by_one);
    assert!(ours == expected, "the outcomes differ");
    assert!(received == expected_received, "the received bytes differ");
    // The rounds have met all there is to be met.
    let met = |wanted: fn(&Result<usize, i32>) -> bool| {
        ours.iter()
            .flatten()
            .flatten()
            .filter(|&outcome| wanted(outcome))
            .count()
    };
    assert!(met(|outcome| outcome.is_ok()) > 1000);
    assert!(met(|outcome| *outcome == Err(libc::EAGAIN)) > 100);
    assert!(met(|outcome| *outcome == Err(libc::EPIPE)) > 10);
}

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (ours, listener.accept().unwrap().0)
}

/// A connection that its peer has reset, as this side knows by now.
fn reset() -> TcpStream {
    let (ours, theirs) = tcp_pair();
    sockopt::set_socket_linger(&theirs, Some(std::time::Duration::ZERO)).unwrap();
    drop(theirs);
    let mut polled = [PollFd::new(&ours, PollFlags::empty())];
    poll(&mut polled, None).unwrap();
    ours
}

/// What three sends in a row give on each of: an open connection, one that was shut down, one that was reset.
fn tcp_outcomes(
    send_all: impl Fn(&mut [Option<Sending<'_>>]),
) -> (Vec<Option<Result<usize, i32>>>, Vec<u8>) {
    let (open, mut theirs) = tcp_pair();
    let (shut, _peer) = tcp_pair();
    shut.shutdown(Shutdown::Write).unwrap();
    let sockets = [open, shut, reset()];
    let mut outcomes = Vec::new();
    for text in ["one", "two", "three"] {
        let mut sends: Vec<_> = (sockets.iter())
            .map(|socket| Some(Sending::new(socket.as_fd(), text.as_bytes())))
            .collect();
        send_all(&mut sends);
        outcomes.extend(sends.into_iter().map(|sending| {
            let outcome = sending?.into_outcome()?;
            Some(outcome.map_err(|error| error.raw_os_error().unwrap()))
        }));
    }
    drop(sockets);
    let mut received = Vec::new();
    theirs.read_to_end(&mut received).unwrap();
    (outcomes, received)
}

#[test]
fn a_reset_tcp_connection_is_told_as_a_send_tells_it() {
    if !ring_is_there() {
        return assert!(tcp_outcomes(send_each).0.iter().all(Option::is_none));
    }
    let (outcomes, received) = tcp_outcomes(send_each);
    assert_eq!(
        (outcomes.clone(), received.clone()),
        tcp_outcomes(one_by_one)
    );
    assert_eq!(received, b"onetwothree");
    assert!(outcomes.contains(&Some(Err(libc::ECONNRESET))));
    assert!(outcomes.contains(&Some(Err(libc::EPIPE))));
}

#[test]
fn a_full_tcp_connection_gets_all_that_it_took_and_no_more() {
    let (ours, mut theirs) = tcp_pair();
    let bytes: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
    let mut taken = Vec::new();
    let full = loop {
        let mut sends = [Some(Sending::new(ours.as_fd(), &bytes))];
        send_each(&mut sends);
        let [sending] = sends;
        match sending.and_then(Sending::into_outcome) {
            Some(Ok(sent)) => taken.extend_from_slice(&bytes[..sent]),
            other => break other,
        }
    };
    match full {
        Some(Err(error)) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        None => assert!(!ring_is_there()),
        Some(Ok(_)) => unreachable!(),
    }
    drop(ours);
    let mut received = Vec::new();
    theirs.read_to_end(&mut received).unwrap();
    assert!(received == taken);
}

#[test]
fn more_sends_than_fit_are_not_tried() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let mut sends: Vec<_> = (0..SENDS_MAX + 3)
        .map(|_| Some(Sending::new(ours.as_fd(), b"x")))
        .collect();
    send_each(&mut sends);
    let tried = (sends.into_iter().flatten())
        .filter(|sending| sending.outcome.is_some())
        .count();
    assert_eq!(tried, if ring_is_there() { SENDS_MAX } else { 0 });
    drop(ours);
    let mut received = Vec::new();
    theirs.read_to_end(&mut received).unwrap();
    assert_eq!(received.len(), tried);
}
