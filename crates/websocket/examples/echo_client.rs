//! Sends the time each second, prints what comes back, and closes cleanly on Ctrl-C.
//!
//! `cargo run --example echo_client -- ws://127.0.0.1:9001/ws`

#[path = "support/deflate.rs"]
mod deflate;
#[path = "support/failure.rs"]
mod failure;

use std::time::{Duration, SystemTime};

use clap::Parser;
use deflate::Deflate;
use failure::Outcome;
use suda_websocket::{CloseCode, Dialer, Message};
use tokio::time::MissedTickBehavior;

/// A WebSocket client that sends the time each second and prints the replies.
#[derive(Debug, Parser)]
struct Args {
    /// Where to connect to.
    #[arg(default_value = "ws://127.0.0.1:9001/ws")]
    url: String,
    /// Offer compression, without or with context takeover.
    #[arg(long, value_enum, default_value_t = Deflate::Off)]
    deflate: Deflate,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let args = Args::parse();
    let mut dialer = Dialer::new();
    if let Some(compression) = args.deflate.compression() {
        dialer = dialer.compression(compression);
    }
    let (mut conn, _response) = dialer.dial(&args.url).await?;
    println!("connected to {}; Ctrl-C closes", args.url);

    let mut ticker = tokio::time::interval(Duration::from_secs(1));
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ctrl_c = tokio::signal::ctrl_c();
    tokio::pin!(ctrl_c);
    loop {
        tokio::select! {
            // A read that loses the race loses nothing, so it may stand in a select.
            message = conn.read_message() => match message? {
                Message::Text(text) => println!("< {text}"),
                Message::Binary(bytes) => println!("< {} bytes", bytes.len()),
            },
            _ = ticker.tick() => {
                let now = clock();
                println!("> {now}");
                conn.write_message(now).await?;
            }
            pressed = &mut ctrl_c => {
                pressed?;
                break;
            }
        }
    }
    let outcome = conn.close(CloseCode::NORMAL, "bye").await?;
    println!("\nclosed: {outcome:?}");
    Ok(())
}

/// The time of day in UTC.
fn clock() -> String {
    let seconds = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (hours, minutes, seconds) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02} UTC")
}
