//! What is a program's own, its streams, called while many connections are sent to together: it may use other connections, and it may
//! panic.
#![allow(clippy::unwrap_used)]

mod support;
#[path = "support/told.rs"]
mod told;

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock, mpsc},
    thread,
    time::Duration,
};

use suda_websocket::{
    Config, Conn, Control, Parts, PreparedMessage, Reader, Role, Writer, check_io_uring, flush_all,
};
use support::{RawPeer, tcp_pair};
use tokio::{net::TcpStream, time::timeout};
use told::Told;

const PATIENCE: Duration = Duration::from_secs(20);
const TEXT: u8 = 0x81;
const PING: u8 = 0x89;

/// Done once, when it was sent to.
type Act = Box<dyn FnOnce() + Send>;

type Halves = (Reader<Told>, Writer<Told>, Control<Told>);

async fn member(is_opaque: bool, mut act: Option<Act>) -> (Halves, RawPeer<TcpStream>) {
    let (tcp, theirs) = tcp_pair().await;
    // Else the first write would find that nobody knows whether it can be written to.
    tcp.writable().await.unwrap();
    let ours = Told::new(tcp, is_opaque, move |_| {
        if let Some(act) = act.take() {
            act();
        }
    });
    let parts = Parts::new(Role::Server, Config::default());
    let peer = RawPeer::new(theirs, Role::Client);
    (Conn::from_parts(ours, parts).split(), peer)
}

fn send_all(members: &[Halves]) {
    let writers = members.iter().map(|(_, writer, _)| writer);
    assert!(flush_all(writers.enumerate()).is_empty());
}

fn queue_all(members: &mut [Halves], text: &str) {
    let message = PreparedMessage::text(text);
    for (_, writer, _) in members {
        writer.try_send_prepared(&message).unwrap();
    }
}

async fn next(peer: &mut RawPeer<TcpStream>) -> (u8, Vec<u8>) {
    let frame = timeout(PATIENCE, peer.next_frame()).await;
    frame.expect("it never arrived").expect("the stream ended")
}

/// Runs `test` on a thread that may hang for good.
fn in_time<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(test());
        sender.send(()).unwrap();
    });
    ended.recv_timeout(PATIENCE).expect("it hangs, or failed");
}

#[tokio::test]
async fn a_stream_that_panics_has_nothing_sent_twice_or_lost() {
    let (mut members, mut peers) = (Vec::new(), Vec::new());
    for index in 0..4 {
        let act: Option<Act> = match index {
            1 => Some(Box::new(|| panic!("a bug of the program's"))),
            _ => None,
        };
        let (member, peer) = member(false, act).await;
        members.push(member);
        peers.push(peer);
    }
    queue_all(&mut members, "once");
    let sending = catch_unwind(AssertUnwindSafe(|| send_all(&members)));
    assert!(sending.is_err());
    if check_io_uring().is_err() {
        // The stream took bytes and did not say so: only of the others something is known.
        members.remove(1);
        peers.remove(1);
    }
    queue_all(&mut members, "after");
    send_all(&members);
    for peer in &mut peers {
        for text in ["once", "after"] {
            assert_eq!(next(peer).await, (TEXT, text.into()));
        }
    }
}

#[test]
fn a_stream_may_use_other_connections_that_are_sent_to_with_it() {
    in_time(|| async {
        // Each pings through the next: one that is sent to without the stream, one whose stream is written to.
        let controls: Arc<OnceLock<Vec<Control<Told>>>> = Arc::default();
        let (mut members, mut peers) = (Vec::new(), Vec::new());
        for (index, is_opaque) in [false, false, true, true].into_iter().enumerate() {
            let controls = controls.clone();
            let act: Act = Box::new(move || {
                let controls = controls.get().unwrap();
                controls[(index + 1) % controls.len()]
                    .ping(b"ping")
                    .unwrap();
            });
            let (member, peer) = member(is_opaque, Some(act)).await;
            members.push(member);
            peers.push(peer);
        }
        let known = members.iter().map(|(_, _, control)| control.clone());
        assert!(controls.set(known.collect()).is_ok());
        queue_all(&mut members, "text");
        send_all(&members);
        for peer in &mut peers {
            let mut frames = [next(peer).await, next(peer).await];
            frames.sort();
            let expected = [(TEXT, b"text".to_vec()), (PING, b"ping".to_vec())];
            assert_eq!(frames, expected);
        }
    });
}
