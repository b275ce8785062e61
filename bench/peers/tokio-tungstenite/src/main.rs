//! tokio-tungstenite.

use clap::Parser;
use peer_common::{Options, chat, echo, hub};
use tokio_tungstenite::{
    accept_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    common: Options,
    /// Read buffer of each connection in KiB; the library's choice is 128.
    #[arg(long)]
    read_buffer_kib: Option<usize>,
}

fn main() {
    let cli = Cli::parse();
    let hub = hub::<Message>();
    let mut config = WebSocketConfig::default();
    if let Some(kib) = cli.read_buffer_kib {
        config = config.read_buffer_size(kib << 10);
    }
    let options = &cli.common;
    options.serve(|stream| {
        let (hub, options) = (hub.clone(), options.clone());
        async move {
            let Ok(socket) = accept_async_with_config(stream, Some(config)).await else {
                return;
            };
            let is_data = |message: &Message| message.is_text() || message.is_binary();
            if options.broadcast {
                chat(socket, hub, is_data).await;
            } else {
                echo(socket, options.batch, is_data).await;
            }
        }
    });
}
