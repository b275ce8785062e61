//! What is a program's own, its streams, called while many connections are sent to together: it may use other connections, and it may
//! panic.
#![allow(clippy::unwrap_used)]

mod support;

use std::{
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, OnceLock, mpsc},
    task::{Context, Poll},
    thread,
    time::Duration,
};

use suda_websocket::{
    Config, Conn, Control, Parts, PreparedMessage, Reader, Role, SocketStream, Writer,
    check_io_uring, flush_all,
};
use support::RawPeer;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(20);
const TEXT: u8 = 0x81;
const PING: u8 = 0x89;

/// Done once, when it was sent to.
type Act = Box<dyn FnOnce() + Send>;

struct Acting {
    tcp: TcpStream,
    /// It has to be written to.
    is_opaque: bool,
    act: Option<Act>,
}

impl Acting {
    fn act(&mut self) {
        if let Some(act) = self.act.take() {
            act();
        }
    }
}

impl SocketStream for Acting {
    fn tcp(&self) -> Option<&TcpStream> {
        (!self.is_opaque).then_some(&self.tcp)
    }

    fn sent(&mut self, _: usize) {
        self.act();
    }
}

impl AsyncRead for Acting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Acting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        self.act();
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

type Halves = (Reader<Acting>, Writer<Acting>, Control<Acting>);

async fn member(is_opaque: bool, act: Option<Act>) -> (Halves, RawPeer<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connecting = TcpStream::connect(listener.local_addr().unwrap());
    let (theirs, accepted) = tokio::join!(connecting, listener.accept());
    let tcp = accepted.unwrap().0;
    // Else the first write would find that nobody knows whether it can be written to.
    tcp.writable().await.unwrap();
    let ours = Acting {
        tcp,
        is_opaque,
        act,
    };
    let parts = Parts::new(Role::Server, Config::default());
    let peer = RawPeer::new(theirs.unwrap(), Role::Client);
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
        let controls: Arc<OnceLock<Vec<Control<Acting>>>> = Arc::default();
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
