//! yawc, behind hyper.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use clap::Parser;
use futures_util::{Sink, Stream};
use http_body_util::Empty;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use peer_common::{Deflate, Hub, Options, READ_LIMIT_BYTES, chat, echo, hub};
use yawc::{Frame, HttpWebSocket, OpCode, WebSocketError};

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    common: Options,
}

fn main() {
    let options = Cli::parse().common;
    let hub = hub::<Frame>();
    options.serve(|stream| {
        let (hub, options) = (hub.clone(), options.clone());
        async move {
            let service = service_fn(move |request| upgrade(request, hub.clone(), options.clone()));
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
                .await;
        }
    });
}

async fn upgrade(
    mut request: Request<Incoming>,
    hub: Hub<Frame>,
    options: Options,
) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let settings = settings(options.deflate);
    let (response, upgraded) = HttpWebSocket::upgrade_with_options(&mut request, settings)?;
    tokio::spawn(async move {
        let Ok(socket) = upgraded.await else { return };
        let is_data = |frame: &Frame| matches!(frame.opcode(), OpCode::Text | OpCode::Binary);
        if options.broadcast {
            chat(Fallible(socket), hub, is_data).await;
        } else {
            echo(Fallible(socket), options.batch, is_data).await;
        }
    });
    Ok(response)
}

fn settings(deflate: Deflate) -> yawc::Options {
    let plain = yawc::Options::default()
        .with_limits(READ_LIMIT_BYTES, 2 * READ_LIMIT_BYTES)
        .with_utf8();
    match deflate {
        Deflate::Off => plain,
        Deflate::NoTakeover => plain
            .with_balanced_compression()
            .server_no_context_takeover()
            .client_no_context_takeover(),
        Deflate::Takeover => plain.with_balanced_compression(),
    }
}

/// yawc streams bare frames, the loops that all share want results.
struct Fallible(HttpWebSocket);

impl Stream for Fallible {
    type Item = Result<Frame, WebSocketError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0)
            .poll_next(cx)
            .map(|frame| frame.map(Ok))
    }
}

impl Sink<Frame> for Fallible {
    type Error = WebSocketError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.0).poll_ready(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Frame) -> Result<(), Self::Error> {
        Pin::new(&mut self.0).start_send(frame)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}
