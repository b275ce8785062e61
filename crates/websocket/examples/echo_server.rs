//! Sends every message back. Try it: run it, then open the address that it prints in a browser.
//!
//! `cargo run --example echo_server -- --listen 127.0.0.1:9001`

#[path = "support/deflate.rs"]
mod deflate;

use std::net::SocketAddr;

use clap::Parser;
use deflate::Deflate;
use suda_websocket::{Config, Error, READ_LIMIT_BYTES_DEFAULT, UpgradeError, Upgrader};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

const PAGE: &str = include_str!("echo.html");
/// As much of a request as is looked at to tell the page from a WebSocket, in bytes.
const PEEK_BYTES: usize = 4096;

/// A WebSocket server that sends every message back.
#[derive(Debug, Parser)]
struct Args {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// Threads that serve connections.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Longest message that is taken, in bytes.
    #[arg(long, default_value_t = READ_LIMIT_BYTES_DEFAULT)]
    read_limit: usize,
    /// Compress messages with the clients that offer it, without or with context takeover.
    #[arg(long, value_enum, default_value_t = Deflate::Off)]
    deflate: Deflate,
}

fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let mut runtime = if args.threads > 1 {
        let mut many = tokio::runtime::Builder::new_multi_thread();
        many.worker_threads(args.threads);
        many
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    runtime.enable_all().build()?.block_on(serve(args))
}

async fn serve(args: Args) -> std::io::Result<()> {
    let mut upgrader = Upgrader::new().config(Config::default().read_limit(args.read_limit));
    if let Some(compression) = args.deflate.compression() {
        upgrader = upgrader.compression(compression);
    }
    let listener = TcpListener::bind(args.listen).await?;
    println!("listening on http://{}/", listener.local_addr()?);
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // One connection that is gone, or too many open: the others go on.
            Err(error) => {
                eprintln!("accept: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                continue;
            }
        };
        let upgrader = upgrader.clone();
        tokio::spawn(async move {
            if let Err(error) = connection(stream, &upgrader).await {
                eprintln!("{error}");
            }
        });
    }
}

async fn connection(mut stream: TcpStream, upgrader: &Upgrader) -> Result<(), UpgradeError> {
    // Answers are gathered by the library; waiting for more in the kernel would only delay them.
    stream.set_nodelay(true)?;
    if asks_for_the_page(&stream).await? {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            PAGE.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(PAGE.as_bytes()).await?;
        return Ok(stream.shutdown().await?);
    }
    let (mut conn, _request) = upgrader.upgrade(stream).await?;
    let end = loop {
        match conn.read_message().await {
            Ok(message) => {
                if let Err(error) = conn.write_message(message).await {
                    break error;
                }
            }
            Err(error) => break error,
        }
    };
    if !matches!(end, Error::Closed(_)) {
        eprintln!("{end}");
    }
    Ok(())
}

async fn asks_for_the_page(stream: &TcpStream) -> std::io::Result<bool> {
    let mut head = [0; PEEK_BYTES];
    let len = stream.peek(&mut head).await?;
    let head = String::from_utf8_lossy(&head[..len]).to_ascii_lowercase();
    Ok(head.starts_with("get / ") && !head.contains("\r\nupgrade:"))
}
