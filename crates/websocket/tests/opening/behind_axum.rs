//! The axum extractor as handlers use it, behind the layers that servers put in front.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue, ORIGIN};
use suda_websocket::axum::{Rejection, WebSocketUpgrade};
use suda_websocket::handshake::Refusal;
use suda_websocket::{Conn, DialError, Dialer, Message, UpgradeError, Upgrader};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::servers::echo;

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

#[tokio::test]
async fn a_handler_sets_subprotocols_limits_and_headers_for_its_route() {
    async fn handler(upgrade: WebSocketUpgrade) -> Response {
        assert_eq!(upgrade.offered_subprotocols(), ["b", "a"]);
        assert_eq!(upgrade.subprotocol(), Some("b"));
        let upgrade = upgrade
            .subprotocols(["c", "a"])
            .read_limit(8)
            .response_header(
                HeaderName::from_static("x-room"),
                HeaderValue::from_static("1"),
            )
            .response_header(
                HeaderName::from_static("upgrade"),
                HeaderValue::from_static("x"),
            );
        assert_eq!(upgrade.subprotocol(), Some("a"));
        upgrade.on_upgrade(echo)
    }
    let upgrader = Upgrader::new().subprotocols(["b"]);
    let address = serve(Router::new().route("/", any(handler)).with_state(upgrader)).await;
    let dialer = Dialer::new().subprotocols(["b", "a"]);
    let (mut conn, response) = dialer.dial(&format!("ws://{address}/")).await.unwrap();
    assert_eq!(conn.subprotocol(), Some("a"));
    assert_eq!(response.headers()["x-room"], "1");
    conn.write_message("8 bytes!").await.unwrap();
    assert_eq!(
        conn.read_message().await.unwrap(),
        Message::text("8 bytes!")
    );
    conn.write_message("9 bytes!!").await.unwrap();
    let error = conn.read_message().await.unwrap_err();
    assert_eq!(
        error.as_close().unwrap().code,
        suda_websocket::CloseCode::MESSAGE_TOO_BIG
    );
}

#[tokio::test]
async fn behind_axum_the_addresses_come_with_connect_info_or_with_the_socket() {
    async fn handler(
        upgrade: WebSocketUpgrade,
        ConnectInfo(peer): ConnectInfo<SocketAddr>,
    ) -> Response {
        let (response, on_upgrade) = upgrade.into_parts();
        tokio::spawn(async move {
            let (socket, parts) = on_upgrade.raw().await.unwrap().downcast().unwrap();
            let mut conn = Conn::<TcpStream>::from_parts(socket, parts);
            assert_eq!(conn.peer_addr().unwrap(), peer);
            let ends = (conn.local_addr().unwrap(), peer);
            conn.write_message(format!("{ends:?}")).await.unwrap();
            conn.flush().await.unwrap();
        });
        response
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new()
        .route("/", any(handler))
        .with_state(Upgrader::new())
        .into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await });
    let (mut conn, _) = Dialer::new()
        .dial(&format!("ws://{address}/"))
        .await
        .unwrap();
    let ends = (conn.peer_addr().unwrap(), conn.local_addr().unwrap());
    assert_eq!(
        conn.read_message().await.unwrap(),
        Message::text(format!("{ends:?}"))
    );
}

#[tokio::test]
async fn a_route_is_a_websocket_and_a_page_by_its_rejection() {
    async fn handler(upgrade: Result<WebSocketUpgrade, Rejection>) -> Response {
        match upgrade {
            Ok(upgrade) => upgrade.on_upgrade(echo),
            Err(rejection) if rejection.refusal() == Refusal::Connection => {
                "a page".into_response()
            }
            Err(rejection) => rejection.into_response(),
        }
    }
    let upgrader = Upgrader::new().on_refusal(|refusal, request| {
        let mut response = http::Response::new(request.unwrap().uri.path().to_owned().into());
        *response.status_mut() = refusal.status();
        response
    });
    let address = serve(
        Router::new()
            .route("/room", any(handler))
            .with_state(upgrader),
    )
    .await;
    let (head, _) = crate::servers::ask(address, b"GET /room HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let url = format!("ws://{address}/room");
    Dialer::new().dial(&url).await.unwrap();
    let evil = Dialer::new().header(ORIGIN, HeaderValue::from_static("https://evil.example"));
    let DialError::Handshake(refused) = evil.dial(&url).await.unwrap_err() else {
        panic!("another failure")
    };
    let response = refused.response.unwrap();
    assert_eq!(
        (response.status(), &response.body()[..]),
        (StatusCode::FORBIDDEN, &b"/room"[..])
    );
}

#[tokio::test]
async fn a_connection_that_does_not_open_is_told_to_the_handler() {
    let (told, mut failures) = mpsc::unbounded_channel();
    let (entered, mut entries) = mpsc::unbounded_channel();
    let (go, gate) = tokio::sync::watch::channel(false);
    let handler = move |upgrade: WebSocketUpgrade| {
        let (told, entered, mut gate) = (told.clone(), entered.clone(), gate.clone());
        async move {
            entered.send(()).unwrap();
            gate.wait_for(|open| *open).await.unwrap();
            upgrade
                .on_failed_upgrade(move |error| told.send(error).unwrap())
                .on_upgrade(async |_| panic!("it opened"))
        }
    };
    // Who leaves before the answer: hyper then drops the connection.
    let app = Router::new()
        .route("/", any(handler))
        .with_state(Upgrader::new());
    let address = serve(app).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    entries.recv().await.unwrap();
    client.set_zero_linger().unwrap();
    drop(client);
    go.send(true).unwrap();
    let error = tokio::time::timeout(Duration::from_secs(20), failures.recv()).await;
    assert!(matches!(
        error.unwrap(),
        Some(UpgradeError::Http(_) | UpgradeError::Timeout)
    ));
}

#[tokio::test]
async fn a_connection_to_come_that_is_dropped_is_closed() {
    async fn handler(upgrade: WebSocketUpgrade) -> Response {
        upgrade.into_parts().0
    }
    let app = Router::new()
        .route("/", any(handler))
        .with_state(Upgrader::new());
    let address = serve(app).await;
    let (mut conn, _) = Dialer::new()
        .dial(&format!("ws://{address}/"))
        .await
        .unwrap();
    let read = tokio::time::timeout(Duration::from_secs(20), conn.read_message()).await;
    assert!(read.unwrap().is_err());
}

#[tokio::test]
async fn layers_of_tower_stand_in_front_of_a_websocket() {
    let app = Router::new()
        .route(
            "/",
            any(async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(echo)),
        )
        .with_state(Upgrader::new())
        .layer(TraceLayer::new_for_http())
        // It bounds the answer, not the connection that opens with it.
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(30),
        ));
    let address = serve(app).await;
    let (mut conn, _) = Dialer::new()
        .dial(&format!("ws://{address}/"))
        .await
        .unwrap();
    conn.write_message("hi").await.unwrap();
    assert_eq!(conn.read_message().await.unwrap(), Message::text("hi"));
}
