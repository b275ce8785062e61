//! Accepting connections and speaking HTTP/1.1 on them, with bounds on both.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceBuilder;

/// Headers of one request.
const HEADERS_MAX: usize = 64;
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// How long to wait after the system refused a connection, most often for lack of file descriptors.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// Who is at the other end of the TCP connection: a client or a proxy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Where and within which bounds connections are accepted.
#[derive(Debug)]
pub(crate) struct Acceptor {
    pub(crate) listener: TcpListener,
    pub(crate) connections_max: usize,
    pub(crate) header_timeout: Duration,
    /// How long requests under way may take after the stop.
    pub(crate) stop_timeout: Duration,
}

/// Serves until `stop` says so, then lets requests under way finish.
pub(crate) async fn serve(acceptor: Acceptor, router: Router, stop: watch::Receiver<bool>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(acceptor.header_timeout)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX);
    let places = Arc::new(Semaphore::new(acceptor.connections_max));
    let stopped = told_to_stop(stop.clone());
    tokio::pin!(stopped);
    loop {
        let accepted = async {
            // Whoever finds no place waits in the system's queue, which is bounded too.
            let place = Arc::clone(&places).acquire_owned().await;
            (place, acceptor.listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stopped => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(REFUSED_PAUSE).await;
                continue;
            }
        };
        prepare(&stream);
        let service = ServiceBuilder::new()
            .map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(Peer(peer));
                request
            })
            .service(router.clone());
        let connection = http
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
            .with_upgrades();
        let stopped = told_to_stop(stop.clone());
        tokio::spawn(async move {
            tokio::pin!(connection, stopped);
            let ended = tokio::select! {
                ended = &mut connection => ended,
                () = &mut stopped => {
                    // Finishes the request under way, if there is one.
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, %error, "an HTTP connection ended badly");
            }
            drop(place);
        });
    }
    drop(acceptor.listener);
    // Every place is free again once the last connection has ended.
    let all = u32::try_from(acceptor.connections_max).unwrap_or(u32::MAX);
    if tokio::time::timeout(acceptor.stop_timeout, places.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time and are dropped");
    }
}

async fn told_to_stop(mut stop: watch::Receiver<bool>) {
    // The sender going away, with the server, says the same.
    let _ = stop.wait_for(|stopped| *stopped).await;
}

fn prepare(stream: &TcpStream) {
    // Frames are written in batches already; Nagle's delay would only be added to them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
}
