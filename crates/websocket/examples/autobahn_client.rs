//! Runs every case that an Autobahn fuzzing server has, as its client: echoes what comes.
//!
//! `cargo xtask autobahn` starts it.

#[path = "support/deflate.rs"]
mod deflate;
#[path = "support/failure.rs"]
mod failure;

use clap::Parser;
use deflate::Deflate;
use failure::Outcome;
use suda_websocket::{Config, Conn, Dialer, Error, MaybeTlsStream};

/// Longest message of the suite is 16 MiB.
const READ_LIMIT_BYTES: usize = 32 << 20;

/// The client that the Autobahn fuzzing server tests.
#[derive(Debug, Parser)]
struct Args {
    /// The fuzzing server, as ws://HOST:PORT.
    #[arg(long)]
    url: String,
    /// The name under which the results are reported.
    #[arg(long, default_value = "suda-websocket")]
    agent: String,
    /// Offer compression, without or with context takeover.
    #[arg(long, value_enum, default_value_t = Deflate::Off)]
    deflate: Deflate,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let Args {
        url,
        agent,
        deflate,
    } = Args::parse();
    let mut dialer = Dialer::new().config(Config::default().read_limit(READ_LIMIT_BYTES));
    if let Some(compression) = deflate.compression() {
        dialer = dialer.compression(compression);
    }
    let (mut conn, _) = dialer.dial(&format!("{url}/getCaseCount")).await?;
    let count = conn.read_message().await?;
    let count: usize = count.as_text().unwrap_or_default().parse()?;
    for case in 1..=count {
        let case = format!("{url}/runCase?case={case}&agent={agent}");
        let (conn, _) = dialer.dial(&case).await?;
        // How a case ends is the fuzzing server's to judge.
        let _ = echo(conn).await;
    }
    let reports = format!("{url}/updateReports?agent={agent}");
    let (mut conn, _) = dialer.dial(&reports).await?;
    while conn.read_message().await.is_ok() {}
    Ok(())
}

async fn echo(mut conn: Conn<MaybeTlsStream>) -> Result<(), Error> {
    loop {
        let message = conn.read_message().await?;
        conn.write_message(message).await?;
    }
}
