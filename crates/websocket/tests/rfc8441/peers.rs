//! Servers and clients to test against.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::routing::any;
use bytes::Bytes;
use h2::client::SendRequest;
use h2::ext::Protocol;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use suda_websocket::axum::WebSocketUpgrade;
use suda_websocket::{Conn, Dialer, Stream, Upgrader, http2};
use tokio::net::{TcpListener, TcpStream};

/// Our server behind one of the HTTP servers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Hyper,
    Axum,
}

pub(crate) const WAYS: [Way; 2] = [Way::Hyper, Way::Axum];

/// An echo server that speaks HTTP/2 without TLS.
pub(crate) async fn echo_server(way: Way, upgrader: Upgrader) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    match way {
        Way::Hyper => {
            tokio::spawn(serve_hyper(listener, upgrader));
        }
        Way::Axum => {
            let handler = async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(echo);
            let app = Router::new()
                .route("/chat", any(handler))
                .with_state(upgrader);
            tokio::spawn(async { axum::serve(listener, app).await });
        }
    }
    address
}

async fn serve_hyper(listener: TcpListener, upgrader: Upgrader) {
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        let upgrader = upgrader.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = answer(&upgrader, request);
            async { Ok::<_, Infallible>(answer) }
        });
        tokio::spawn(
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .enable_connect_protocol()
                .serve_connection(TokioIo::new(tcp), service),
        );
    }
}

fn answer(upgrader: &Upgrader, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (mut head, _) = request.into_parts();
    match upgrader.upgrade_parts(&mut head) {
        Ok((response, on_upgrade)) => {
            tokio::spawn(async { echo(on_upgrade.await.unwrap()).await });
            response.map(|()| Full::default())
        }
        Err(refusal) => upgrader
            .refusal_response(refusal, Some(&head))
            .map(Full::new),
    }
}

/// Sends every message back until the connection ends.
pub(crate) async fn echo<S: Stream>(mut conn: Conn<S>) {
    while let Ok(message) = conn.read_message().await {
        if conn.write_message(message).await.is_err() {
            break;
        }
    }
}

/// Our client on a server's connection.
pub(crate) async fn connect(dialer: &Dialer, address: SocketAddr) -> http2::Connection {
    dialer.http2(&format!("ws://{address}/")).await.unwrap()
}

/// The plain `h2` crate as client.
pub(crate) async fn plain_client(address: SocketAddr) -> SendRequest<Bytes> {
    let tcp = TcpStream::connect(address).await.unwrap();
    let (sender, mut connection) = h2::client::handshake(tcp).await.unwrap();
    let mut pings = connection.ping_pong().unwrap();
    tokio::spawn(connection);
    pings.ping(h2::Ping::opaque()).await.unwrap();
    assert!(sender.is_extended_connect_protocol_enabled());
    sender
}

/// A good request to `/chat`, to be changed by a test.
pub(crate) fn good_request(address: SocketAddr) -> Request<()> {
    Request::connect(format!("http://{address}/chat"))
        .version(http::Version::HTTP_2)
        .header("sec-websocket-version", "13")
        .extension(Protocol::from_static("websocket"))
        .body(())
        .unwrap()
}

/// Sends a request and gives the answer, its body read to the end unless it opens a WebSocket, and the stream to send on.
pub(crate) async fn ask(
    sender: &SendRequest<Bytes>,
    request: Request<()>,
) -> Result<(Response<()>, SendStream<Bytes>, RecvStream), h2::Error> {
    let mut sender = sender.clone().ready().await?;
    let (response, send) = sender.send_request(request, false)?;
    let (head, body) = response.await?.into_parts();
    Ok((Response::from_parts(head, ()), send, body))
}

/// The next bytes of a body, empty frames left out; what they need of the window is given back.
pub(crate) async fn next_bytes(body: &mut RecvStream) -> Option<Result<Bytes, h2::Error>> {
    loop {
        match body.data().await? {
            Ok(bytes) if bytes.is_empty() => {}
            Ok(bytes) => {
                body.flow_control().release_capacity(bytes.len()).unwrap();
                return Some(Ok(bytes));
            }
            Err(error) => return Some(Err(error)),
        }
    }
}

/// The plain `h2` crate as server, with extended CONNECT enabled: `serve` is given each request.
pub(crate) async fn plain_server<F, R>(serve: F) -> SocketAddr
where
    F: Fn(Request<RecvStream>, SendResponse<Bytes>) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let mut builder = h2::server::Builder::new();
    builder.enable_connect_protocol();
    plain_server_with(builder, serve).await
}

pub(crate) async fn plain_server_with<F, R>(builder: h2::server::Builder, serve: F) -> SocketAddr
where
    F: Fn(Request<RecvStream>, SendResponse<Bytes>) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let (builder, serve) = (builder.clone(), serve.clone());
            tokio::spawn(async move {
                let mut connection = builder.handshake(tcp).await.unwrap();
                while let Some(Ok((request, respond))) = connection.accept().await {
                    tokio::spawn(serve(request, respond));
                }
            });
        }
    });
    address
}
