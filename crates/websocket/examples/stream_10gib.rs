//! One message of ten GiB from `next_writer` to `next_reader` over a socket, and the most memory that both ends in this process ever took.
//!
//! Every byte is compared on arrival. The read limit counts inflated bytes and has to be raised for it; nothing else is set.
//!
//! `cargo run --release --example stream_10gib -- --mib 10240 --deflate takeover`

#[path = "support/deflate.rs"]
mod deflate;
#[path = "support/failure.rs"]
mod failure;

use std::{error::Error, time::Instant};

use clap::Parser;
use deflate::Deflate;
use failure::Outcome;
use suda_websocket::{Config, Dialer, MessageKind, Upgrader};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Bytes that are written, and read, at once.
const PIECE_BYTES: usize = 64 << 10;
/// Length after which the content repeats: a prime, so that no frame or window is in step with it.
const PERIOD_BYTES: usize = 99_991;

/// A very long message through a connection that holds little of it.
#[derive(Debug, Parser)]
struct Args {
    /// Length of the message in MiB.
    #[arg(long, value_name = "N", default_value_t = 10 << 10)]
    mib: u64,
    /// Compress, without or with context takeover.
    #[arg(long, value_enum, default_value_t = Deflate::Off)]
    deflate: Deflate,
}

#[tokio::main]
async fn main() -> Outcome {
    let args = Args::parse();
    let bytes = args.mib << 20;
    let config = Config::default().read_limit(usize::try_from(bytes)?);
    let (mut upgrader, mut dialer) = (Upgrader::new().config(config), Dialer::new());
    if let Some(compression) = args.deflate.compression() {
        upgrader = upgrader.compression(compression);
        dialer = dialer.compression(compression);
    }
    let content = content();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/", listener.local_addr()?);

    let begun = Instant::now();
    let sent = content.clone();
    let sending = tokio::spawn(async move {
        let (mut client, _) = dialer.dial(&url).await?;
        let mut message = client.next_writer(MessageKind::Binary)?;
        let mut left = bytes;
        while left > 0 {
            let from = ((bytes - left) % PERIOD_BYTES as u64) as usize;
            let count = left.min(PIECE_BYTES as u64) as usize;
            message.write_all(&sent[from..from + count]).await?;
            left -= count as u64;
        }
        message.finish().await?;
        client.flush().await?;
        Ok::<_, Box<dyn Error + Send + Sync>>(client)
    });

    let (mut server, _) = upgrader.upgrade(listener.accept().await?.0).await?;
    let mut message = server.next_reader().await?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut arrived = 0u64;
    loop {
        let count = message.read(&mut piece).await?;
        if count == 0 {
            break;
        }
        let from = (arrived % PERIOD_BYTES as u64) as usize;
        if piece[..count] != content[from..from + count] {
            return Err(format!("a wrong byte behind {arrived}").into());
        }
        arrived += count as u64;
    }
    if arrived != bytes {
        return Err(format!("{arrived} bytes arrived of {bytes}").into());
    }
    drop(sending.await??);
    println!(
        "{} MiB in {:.1} s, peak memory {}",
        args.mib,
        begun.elapsed().as_secs_f64(),
        peak_memory()
    );
    Ok(())
}

/// A period, and the beginning of the next: half of it noise, half of it words.
fn content() -> Vec<u8> {
    let mut state = 1u64;
    let mut period = Vec::with_capacity(PERIOD_BYTES + PIECE_BYTES);
    while period.len() < PERIOD_BYTES {
        // xorshift: noise enough for a compressor.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        period.extend_from_slice(&state.to_le_bytes());
        period.extend_from_slice("수다 ".as_bytes());
    }
    period.truncate(PERIOD_BYTES);
    period.extend_from_within(..PIECE_BYTES);
    period
}

/// As Linux tells it.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or("unknown here".into(), |peak| peak.trim().into())
}
