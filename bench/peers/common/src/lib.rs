//! What the peers' servers share: options, the accept loop, and an echo and a broadcast loop for libraries that are a
//! `Stream` and a `Sink`, as their examples write them.

use std::{
    future::Future,
    net::Ipv4Addr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use clap::{Args, ValueEnum};
use futures_util::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::broadcast,
};

/// Longest message that is taken, in bytes: no row comes near it.
pub const READ_LIMIT_BYTES: usize = 64 << 20;
/// Messages that one flush sends at most.
const BATCH_MAX: usize = 32;
/// Messages that may wait for a slow member.
const HUB_MESSAGES_MAX: usize = 4096;
const BACKLOG: u32 = 4096;

#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Port on 127.0.0.1.
    #[arg(long)]
    pub port: u16,
    /// Threads that serve; 1 is a runtime without workers.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Send each message to all other connections instead of back.
    #[arg(long)]
    pub broadcast: bool,
    /// Feed answers while more messages are there, and flush once.
    #[arg(long)]
    pub batch: bool,
    /// Compress with clients that offer it.
    #[arg(long, value_enum, default_value_t = Deflate::Off)]
    pub deflate: Deflate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Deflate {
    Off,
    NoTakeover,
    Takeover,
}

impl Options {
    pub fn block_on(&self, serve: impl Future<Output = ()>) {
        let mut runtime = if self.threads > 1 {
            let mut many = tokio::runtime::Builder::new_multi_thread();
            many.worker_threads(self.threads);
            many
        } else {
            tokio::runtime::Builder::new_current_thread()
        };
        let runtime = runtime.enable_all().build().expect("a runtime");
        runtime.block_on(serve);
    }

    /// Serves each connection in a task of its own.
    pub fn serve<F>(&self, serve: impl Fn(TcpStream) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.block_on(async {
            let listener = listen(self.port);
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let _ = stream.set_nodelay(true);
                        tokio::spawn(serve(stream));
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        });
    }
}

pub fn listen(port: u16) -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option");
    socket
        .bind((Ipv4Addr::LOCALHOST, port).into())
        .expect("a free port");
    socket.listen(BACKLOG).expect("a listener")
}

/// Sends back every message for which `is_data` holds.
pub async fn echo<S, M, E>(mut socket: S, batch: bool, is_data: impl Fn(&M) -> bool)
where
    S: Stream<Item = Result<M, E>> + Sink<M> + Unpin,
{
    while let Some(Ok(message)) = socket.next().await {
        if !is_data(&message) {
            continue;
        }
        if !batch {
            if socket.send(message).await.is_err() {
                return;
            }
            continue;
        }
        if socket.feed(message).await.is_err() {
            return;
        }
        for _ in 1..BATCH_MAX {
            match socket.next().now_or_never() {
                Some(Some(Ok(message))) => {
                    if is_data(&message) && socket.feed(message).await.is_err() {
                        return;
                    }
                }
                Some(_) => return,
                None => break,
            }
        }
        if socket.flush().await.is_err() {
            return;
        }
    }
}

/// Carries messages, with the number of the connection that they came from.
pub type Hub<M> = broadcast::Sender<(u64, M)>;

pub fn hub<M: Clone>() -> Hub<M> {
    broadcast::channel(HUB_MESSAGES_MAX).0
}

/// Sends every message for which `is_data` holds to all other connections: a task for each, fed by a broadcast channel, which
/// flushes once for all messages that wait.
pub async fn chat<S, M, E>(socket: S, hub: Hub<M>, is_data: impl Fn(&M) -> bool)
where
    S: Stream<Item = Result<M, E>> + Sink<M>,
    M: Clone,
{
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let own = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut inbox = hub.subscribe();
    let (mut sink, mut stream) = socket.split();
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(Ok(message)) => {
                    if is_data(&message) {
                        let _ = hub.send((own, message));
                    }
                }
                _ => return,
            },
            first = inbox.recv() => {
                let mut next = first.ok();
                while let Some((from, message)) = next {
                    if from != own && sink.feed(message).await.is_err() {
                        return;
                    }
                    next = inbox.try_recv().ok();
                }
                if sink.flush().await.is_err() {
                    return;
                }
            }
        }
    }
}
