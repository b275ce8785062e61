//! From HTTP to the workers: upgraded sockets, and orders that concern all of them.

use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use suda_protocol::Codec;
use suda_websocket::Parts;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{
    Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel,
};
use tokio::time::Instant;
use uuid::Uuid;

/// Upgraded sockets that wait for one worker.
const SOCKETS_WAITING_MAX: usize = 1_024;

/// An upgraded socket on its way to its worker.
#[derive(Debug)]
pub(crate) struct HandOver {
    pub(crate) stream: TcpStream,
    pub(crate) parts: Parts,
    pub(crate) codec: Codec,
    /// The bearer token of the upgrade request; empty where it had none.
    pub(crate) token: String,
    pub(crate) client: IpAddr,
    pub(crate) place: Place,
}

/// One of the chat connections that the server takes at the same time; free again when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What concerns all workers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// A device was signed out: its connections end.
    SignedOut(Uuid),
    /// The server stops: tell everybody, finish what was submitted, close. Not later than this.
    Stop(Instant),
}

#[derive(Debug)]
pub(super) struct Port {
    sockets: Sender<HandOver>,
    // Few: sign-outs, each of which is a commit, and one stop.
    orders: UnboundedSender<Order>,
}

/// A worker's end of its port.
#[derive(Debug)]
pub(super) struct Entrance {
    pub(super) sockets: Receiver<HandOver>,
    pub(super) orders: UnboundedReceiver<Order>,
}

pub(super) fn port() -> (Port, Entrance) {
    let (sockets, waiting_sockets) = channel(SOCKETS_WAITING_MAX);
    let (orders, waiting_orders) = unbounded_channel();
    (
        Port { sockets, orders },
        Entrance {
            sockets: waiting_sockets,
            orders: waiting_orders,
        },
    )
}

/// The way to the workers.
#[derive(Clone, Debug)]
pub(crate) struct Workers {
    ports: Arc<[Port]>,
    next: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    connections_max: usize,
}

impl Workers {
    pub(super) fn new(ports: Vec<Port>, connections_max: usize) -> Self {
        Self {
            ports: ports.into(),
            next: Arc::default(),
            connections: Arc::default(),
            connections_max,
        }
    }

    /// A place for one more connection, if there is one.
    pub(crate) fn place(&self) -> Option<Place> {
        let before = self.connections.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(&self.connections));
        (before < self.connections_max).then_some(place)
    }

    /// Gives the socket to the next worker in turn that takes it. It is dropped, and so closed, where none does.
    pub(crate) fn hand_over(&self, mut socket: HandOver) {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        for turn in 0..self.ports.len() {
            let next = first.wrapping_add(turn) % self.ports.len();
            match self.ports[next].sockets.try_send(socket) {
                Ok(()) => return,
                Err(TrySendError::Full(back) | TrySendError::Closed(back)) => socket = back,
            }
        }
        tracing::warn!(client = %socket.client, "no worker takes another connection now: too many wait, or the server stops; one was dropped");
    }

    /// Closes the device's connections.
    pub(crate) fn signed_out(&self, device: Uuid) {
        self.order(Order::SignedOut(device));
    }

    /// Has all workers finish until then, at the latest. Their threads end.
    pub(crate) fn stop(&self, until: Instant) {
        self.order(Order::Stop(until));
    }

    fn order(&self, order: Order) {
        for port in self.ports.iter() {
            // A worker that has ended has no connection left.
            let _ = port.orders.send(order);
        }
    }
}
