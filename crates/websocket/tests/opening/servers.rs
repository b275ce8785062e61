//! Echo servers behind each way into the library, and a raw TCP client that knows nothing of it.

use std::net::SocketAddr;

use axum::response::Response;
use axum::routing::any;
use axum::{Extension, Router};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use suda_websocket::axum::WebSocketUpgrade;
use suda_websocket::{Conn, Parts, Upgrader};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A way from a TCP connection to a `Conn`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// The upgrader reads the request from the stream itself.
    Raw,
    /// hyper's own server.
    Hyper,
    /// hyper, and the connection's stream is then moved to a thread with another runtime.
    HyperMoved,
    /// The axum extractor under `axum::serve`.
    Axum,
    /// The axum extractor, and the connection's stream is then moved to a thread with another runtime.
    AxumMoved,
}

pub(crate) const WAYS: [Way; 5] = [
    Way::Raw,
    Way::Hyper,
    Way::HyperMoved,
    Way::Axum,
    Way::AxumMoved,
];

/// Starts an echo server; it runs until the test's runtime ends.
pub(crate) async fn serve(way: Way, upgrader: Upgrader) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    match way {
        Way::Raw => {
            tokio::spawn(serve_raw(listener, upgrader));
        }
        Way::Hyper => {
            tokio::spawn(serve_hyper(listener, upgrader, None));
        }
        Way::HyperMoved => {
            tokio::spawn(serve_hyper(listener, upgrader, Some(other_runtime())));
        }
        Way::Axum => {
            let app = Router::new()
                .route("/chat", any(axum_echo))
                .with_state(upgrader);
            tokio::spawn(async { axum::serve(listener, app).await });
        }
        Way::AxumMoved => {
            let app = Router::new()
                .route("/chat", any(axum_moved))
                .layer(Extension(other_runtime()));
            tokio::spawn(async { axum::serve(listener, app.with_state(upgrader)).await });
        }
    }
    address
}

async fn serve_raw(listener: TcpListener, upgrader: Upgrader) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let upgrader = upgrader.clone();
        tokio::spawn(async move {
            if let Ok((conn, _request)) = upgrader.upgrade(stream).await {
                echo(conn).await;
            }
        });
    }
}

async fn serve_hyper(listener: TcpListener, upgrader: Upgrader, movers: Option<Mover>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (upgrader, movers) = (upgrader.clone(), movers.clone());
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let (mut head, _body) = request.into_parts();
            let judged = upgrader.upgrade_parts(&mut head);
            let movers = movers.clone();
            async move {
                let (response, on_upgrade) = match judged {
                    Ok(upgrade) => upgrade,
                    Err(refusal) => {
                        return Ok::<_, std::convert::Infallible>(
                            refusal.response().map(Full::new),
                        );
                    }
                };
                tokio::spawn(async move {
                    match movers {
                        Some(mover) => mover
                            .send(on_upgrade.raw().await.unwrap().downcast().unwrap())
                            .unwrap(),
                        None => echo(on_upgrade.await.unwrap()).await,
                    }
                });
                Ok(response.map(|()| Full::<Bytes>::default()))
            }
        });
        let http = hyper::server::conn::http1::Builder::new();
        tokio::spawn(
            http.serve_connection(TokioIo::new(stream), service)
                .with_upgrades(),
        );
    }
}

async fn axum_echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(echo)
}

async fn axum_moved(upgrade: WebSocketUpgrade, Extension(mover): Extension<Mover>) -> Response {
    let (response, on_upgrade) = upgrade.into_parts();
    tokio::spawn(async move {
        mover
            .send(on_upgrade.raw().await.unwrap().downcast().unwrap())
            .unwrap();
    });
    response
}

type Mover = mpsc::UnboundedSender<(TcpStream, Parts)>;

/// A thread with a runtime of its own that echoes on the sockets that it is sent.
fn other_runtime() -> Mover {
    let (mover, mut moved) = mpsc::unbounded_channel::<(TcpStream, Parts)>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            while let Some((stream, parts)) = moved.recv().await {
                let here = TcpStream::from_std(stream.into_std().unwrap()).unwrap();
                tokio::spawn(echo(Conn::from_parts(here, parts)));
            }
        });
    });
    mover
}

/// Sends every message back until the connection ends.
pub(crate) async fn echo<S>(mut conn: Conn<S>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    while let Ok(message) = conn.read_message().await {
        if conn.write_message(message).await.is_err() {
            break;
        }
    }
}

/// Sends bytes and reads the head of the answer.
pub(crate) async fn ask(address: SocketAddr, request: &[u8]) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(
            stream
                .read_u8()
                .await
                .unwrap_or_else(|e| panic!("{e} after {}", head.escape_ascii())),
        );
    }
    (String::from_utf8(head).unwrap(), stream)
}
