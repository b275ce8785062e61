//! tokio-websockets.

use clap::Parser;
use peer_common::{Options, chat, echo, hub};
use tokio_websockets::{Config, Limits, Message, ServerBuilder};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    common: Options,
}

fn main() {
    let options = Cli::parse().common;
    let hub = hub::<Message>();
    options.serve(|stream| {
        let (hub, options) = (hub.clone(), options.clone());
        async move {
            let builder = ServerBuilder::new()
                .config(Config::default().frame_size(usize::MAX))
                .limits(Limits::unlimited());
            let Ok((_, socket)) = builder.accept(stream).await else {
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
