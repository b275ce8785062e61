//! What is told of handshakes, and none of their secrets.

use http::header::{AUTHORIZATION, HeaderValue, ORIGIN};
use suda_websocket::{Dialer, Proxy, Upgrader};
use tokio::net::TcpStream;
use tracing::Level;

use crate::proxy_servers::http_proxy;
use crate::servers::{Way, serve};
use crate::told;

#[tokio::test]
async fn handshakes_are_told_of_without_their_secrets() {
    let told = told(Level::TRACE, async {
        for way in [Way::Raw, Way::Axum] {
            let address = serve(way, Upgrader::new()).await;
            let proxy = http_proxy(address).await.address;
            let proxy: Proxy = format!("http://me:secret1@{proxy}").parse().unwrap();
            let dialer = Dialer::new()
                .proxy(proxy)
                .header(AUTHORIZATION, HeaderValue::from_static("secret2"));
            let url = "ws://chat.example/chat?token=secret3";
            dialer.dial(url).await.unwrap();
            let evil = HeaderValue::from_static("https://evil.example");
            dialer.header(ORIGIN, evil).dial(url).await.unwrap_err();
        }
    });
    let told = told.await.join("\n");
    for (expected, times) in [
        ("WebSocket accepted path=\"/chat\"", 2),
        (
            "WebSocket refused status=403 reason=this origin may not open",
            2,
        ),
        ("tunnel open proxy=http://127.0.0.1:", 4),
        ("WebSocket open host=\"chat.example\" port=80", 2),
        (
            "WebSocket did not open host=\"chat.example\" port=80 error=the server refused",
            2,
        ),
    ] {
        assert_eq!(told.matches(expected).count(), times, "{expected}\n{told}");
    }
    assert!(!told.contains("secret"), "{told}");
}

#[tokio::test]
async fn handshakes_over_http2_are_told_of_as_the_others_are() {
    let told = told(Level::TRACE, async {
        let address = serve(Way::Axum, Upgrader::new()).await;
        let dialer = Dialer::new().net_dial(move |_, _| TcpStream::connect(address));
        let server = dialer.http2("ws://chat.example/").await.unwrap();
        server.dial("/chat?token=secret").await.unwrap();
        server.dial("/nowhere?token=secret").await.unwrap_err();
    });
    let told = told.await.join("\n");
    for expected in [
        "WebSocket open host=\"chat.example\" port=80",
        "WebSocket did not open host=\"chat.example\" port=80 error=the server refused",
    ] {
        assert_eq!(told.matches(expected).count(), 1, "{expected}\n{told}");
    }
    assert!(!told.contains("secret"), "{told}");
}
