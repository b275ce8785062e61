//! Sends every message back. Run it, then open the address that it prints in a browser.
//!
//! `cargo run --example echo_server -- --listen 127.0.0.1:9001`

#[path = "support/deflate.rs"]
mod deflate;
#[path = "support/failure.rs"]
mod failure;
#[path = "support/page.rs"]
mod page;
#[path = "support/serving.rs"]
mod serving;

use clap::Parser;
use failure::Outcome;
use serving::Serving;
use suda_websocket::{Error, UpgradeError, Upgrader};
use tokio::net::TcpStream;

const PAGE: &str = include_str!("echo.html");

/// A WebSocket server that sends every message back, and a page to try it at the same address.
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    serving: Serving,
}

fn main() -> Outcome {
    let Args { serving } = Args::parse();
    let upgrader = serving.upgrader();
    serving.run(move |mut sockets, _| {
        let upgrader = upgrader.clone();
        async move {
            while let Some(stream) = sockets.next().await {
                let upgrader = upgrader.clone();
                tokio::spawn(async move {
                    if let Err(error) = connection(stream, &upgrader).await {
                        eprintln!("{error}");
                    }
                });
            }
        }
    })?;
    Ok(())
}

async fn connection(mut stream: TcpStream, upgrader: &Upgrader) -> Result<(), UpgradeError> {
    if page::was_asked_for(&mut stream, PAGE).await? {
        return Ok(());
    }
    let (mut conn, _) = upgrader.upgrade(stream).await?;
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
