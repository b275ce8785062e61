//! What the servers among the examples share: their flags, and threads that serve one socket each in turn.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    num::NonZeroUsize,
    thread,
    time::Duration,
};

use clap::Args;
use suda_websocket::{Config, READ_LIMIT_BYTES_DEFAULT, Upgrader};
use tokio::{net::TcpStream, sync::mpsc, task::LocalSet};

use crate::deflate::Deflate;

/// Sockets that may wait for a thread.
const WAITING_MAX: usize = 1024;
/// How long to wait when a socket cannot be accepted, as when too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Where and how to serve.
#[derive(Debug, Clone, Args)]
pub(crate) struct Serving {
    /// Address and port to listen on; port 0 takes a free one, which is printed.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// Threads that serve connections, each with a runtime of its own; sockets are handed to them in turn.
    #[arg(long, value_name = "N", default_value = "1")]
    threads: NonZeroUsize,
    /// Compress messages with the clients that offer it (permessage-deflate). Without takeover each message is compressed
    /// for itself, with takeover against those before it: smaller, at the price of nearly 400 KiB for each connection.
    #[arg(long, value_enum, default_value_t = Deflate::Off)]
    deflate: Deflate,
    /// A subprotocol that is spoken here, the dearest first; may be given several times. Clients that offer none still connect.
    #[arg(long, value_name = "NAME")]
    subprotocol: Vec<String>,
    /// An origin whose pages may connect, as in https://chat.example; may be given several times. Without it: the pages of
    /// the same host. Programs that send no Origin always may.
    #[arg(long, value_name = "ORIGIN")]
    origin: Vec<String>,
    /// Longest message that is taken, in bytes, counted after inflating; a longer one ends its connection with 1009.
    #[arg(long, value_name = "BYTES", default_value_t = READ_LIMIT_BYTES_DEFAULT)]
    read_limit: usize,
}

impl Serving {
    pub(crate) fn upgrader(&self) -> Upgrader {
        let mut upgrader = Upgrader::new()
            .config(Config::default().read_limit(self.read_limit))
            .subprotocols(self.subprotocol.clone());
        if let Some(compression) = self.deflate.compression() {
            upgrader = upgrader.compression(compression);
        }
        if !self.origin.is_empty() {
            upgrader = upgrader.allowed_origins(self.origin.clone());
        }
        upgrader
    }

    /// Runs `serve` on each thread, with the sockets that fall to it and, so that threads can know each other, its number.
    /// Returns only if it cannot begin.
    pub(crate) fn run<F: Future<Output = ()>>(
        &self,
        serve: impl Fn(Sockets, usize) -> F + Send + Clone + 'static,
    ) -> io::Result<()> {
        let listener = TcpListener::bind(self.listen)?;
        let address = listener.local_addr()?;
        let mut threads = Vec::new();
        for number in 0..self.threads.get() {
            let (sender, sockets) = mpsc::channel(WAITING_MAX);
            let serve = serve.clone();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            thread::spawn(move || {
                LocalSet::new().block_on(&runtime, serve(Sockets(sockets), number));
            });
            threads.push(sender);
        }
        println!("listening on http://{address}/");
        for thread in threads.iter().cycle() {
            let stream = accept(&listener);
            // A thread that is gone has panicked, and said so.
            let _ = thread.blocking_send(stream);
        }
        Ok(())
    }
}

fn accept(listener: &TcpListener) -> std::net::TcpStream {
    loop {
        match listener.accept() {
            Ok((stream, _)) => return stream,
            // One connection that is gone, or too many open: the others go on.
            Err(error) => {
                eprintln!("accept: {error}");
                thread::sleep(ACCEPT_PAUSE);
            }
        }
    }
}

/// The sockets that fall to one thread.
pub(crate) struct Sockets(mpsc::Receiver<std::net::TcpStream>);

impl Sockets {
    /// The next socket, which now belongs to this thread's runtime.
    pub(crate) async fn next(&mut self) -> Option<TcpStream> {
        loop {
            let stream = self.0.recv().await?;
            // Answers are gathered by the library; waiting for more in the kernel would only delay them.
            let ready = stream
                .set_nonblocking(true)
                .and_then(|()| stream.set_nodelay(true))
                .and_then(|()| TcpStream::from_std(stream));
            match ready {
                Ok(stream) => return Some(stream),
                Err(error) => eprintln!("socket: {error}"),
            }
        }
    }
}
