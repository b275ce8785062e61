//! axum's WebSockets, which are tungstenite's behind hyper.

use axum::{
    Router,
    extract::ws::{Message, WebSocketUpgrade},
    routing::get,
    serve::ListenerExt as _,
};
use clap::Parser;
use peer_common::{Options, READ_LIMIT_BYTES, chat, echo, hub, listen};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    common: Options,
}

fn main() {
    let options = Cli::parse().common;
    let hub = hub::<Message>();
    let shared = options.clone();
    let handler = move |upgrade: WebSocketUpgrade| {
        let (hub, options) = (hub.clone(), shared.clone());
        async move {
            let upgrade = upgrade
                .max_frame_size(READ_LIMIT_BYTES)
                .max_message_size(READ_LIMIT_BYTES);
            upgrade.on_upgrade(move |socket| async move {
                let is_data =
                    |message: &Message| matches!(message, Message::Text(_) | Message::Binary(_));
                if options.broadcast {
                    chat(socket, hub, is_data).await;
                } else {
                    echo(socket, options.batch, is_data).await;
                }
            })
        }
    };
    options.block_on(async {
        let listener = listen(options.port).tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let router = Router::new().route("/", get(handler));
        axum::serve(listener, router).await.expect("a server");
    });
}
