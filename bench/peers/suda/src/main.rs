//! Ours, with the accept loop and the runtime that the peers have. The fan-out row runs the library's own example instead.

use std::sync::Arc;

use clap::Parser;
use peer_common::{Deflate, Options, READ_LIMIT_BYTES};
use suda_websocket::{Compression, Config, Upgrader};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    common: Options,
}

fn main() {
    let options = Cli::parse().common;
    let mut upgrader = Upgrader::new().config(Config::default().read_limit(READ_LIMIT_BYTES));
    // Messages of any length, as with the others.
    let compression = Compression::default().bytes_min(0);
    match options.deflate {
        Deflate::Off => {}
        Deflate::NoTakeover => upgrader = upgrader.compression(compression),
        Deflate::Takeover => {
            upgrader = upgrader.compression(compression.context_takeover(true));
        }
    }
    let upgrader = Arc::new(upgrader);
    options.serve(|stream| {
        let upgrader = upgrader.clone();
        async move {
            let Ok((mut conn, _)) = upgrader.upgrade(stream).await else {
                return;
            };
            while let Ok(message) = conn.read_message().await {
                if conn.write_message(message).await.is_err() {
                    return;
                }
            }
        }
    });
}
