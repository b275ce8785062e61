//! sockudo-ws.

use bytes::{Buf, BytesMut};
use clap::Parser;
use peer_common::{Deflate, Options, READ_LIMIT_BYTES, chat, echo, hub};
use sockudo_ws::{
    CompressedWebSocketStream, Compression, Config, Message,
    deflate::negotiate_server_deflate,
    handshake::{build_response, generate_accept_key, parse_request},
    server::WebSocketServer,
    transport::Http1,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const REQUEST_BYTES: usize = 4096;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    common: Options,
}

fn main() {
    let options = Cli::parse().common;
    let hub = hub::<Message>();
    let mut config = Config::builder()
        .auto_ping(false)
        .idle_timeout(0)
        .max_payload_length(READ_LIMIT_BYTES);
    match options.deflate {
        Deflate::Off => {}
        Deflate::NoTakeover => config = config.compression(Compression::Shared),
        Deflate::Takeover => config = config.compression(Compression::Dedicated),
    }
    let config = config.build();
    options.serve(|stream| {
        let (hub, options, config) = (hub.clone(), options.clone(), config.clone());
        async move {
            let is_data =
                |message: &Message| matches!(message, Message::Text(_) | Message::Binary(_));
            if options.deflate != Deflate::Off {
                if let Some(socket) = accept_compressed(stream, config).await {
                    echo(socket, options.batch, is_data).await;
                }
                return;
            }
            let server = WebSocketServer::<Http1>::new(config);
            let Ok((socket, _)) = server.accept_raw(stream).await else {
                return;
            };
            if options.broadcast {
                chat(socket, hub, is_data).await;
            } else {
                echo(socket, options.batch, is_data).await;
            }
        }
    });
}

/// The handshake with permessage-deflate, as the crate's axum integration does it.
async fn accept_compressed(
    mut stream: TcpStream,
    config: Config,
) -> Option<CompressedWebSocketStream<TcpStream>> {
    let mut request = BytesMut::with_capacity(REQUEST_BYTES);
    loop {
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
        let Some((head, len)) = parse_request(&request).ok()? else {
            continue;
        };
        let offered = head.extensions?;
        let agreed = negotiate_server_deflate(offered, &config.compression.to_deflate_config()?)?;
        let accept = generate_accept_key(head.key);
        let answer = build_response(&accept, None, Some(&agreed.to_response_header()));
        stream.write_all(&answer).await.ok()?;
        request.advance(len);
        let leftover = (!request.is_empty()).then(|| request.freeze());
        return Some(CompressedWebSocketStream::server_with_leftover(
            stream,
            config,
            agreed.config,
            leftover,
        ));
    }
}
