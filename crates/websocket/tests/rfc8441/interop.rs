//! hyper's client against our server, TLS with ALPN, and a route that takes both versions of HTTP.

use std::sync::Arc;

use http::{Method, Request, Version};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use suda_websocket::http2::Http2Error;
use suda_websocket::{Config, Conn, DialError, Dialer, Message, Parts, Role, Upgrader, tls};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::peers::{WAYS, Way, echo_server};

#[tokio::test]
async fn hypers_client_opens_a_websocket_over_http2() {
    for way in WAYS {
        let address = echo_server(way, Upgrader::new()).await;
        let tcp = TcpStream::connect(address).await.unwrap();
        let http = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        let (mut sender, connection) = http
            .handshake::<_, Empty<Bytes>>(TokioIo::new(tcp))
            .await
            .unwrap();
        tokio::spawn(connection);
        let request = Request::builder()
            .method(Method::CONNECT)
            .version(Version::HTTP_2)
            .uri(format!("http://{address}/chat"))
            .extension(Protocol::from_static("websocket"))
            .header("sec-websocket-version", "13")
            .body(Empty::new())
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200, "{way:?}");
        let upgraded = hyper::upgrade::on(response).await.unwrap();
        let parts = Parts::new(Role::Client, Config::default());
        let mut conn = Conn::from_parts(TokioIo::new(upgraded), parts);
        conn.write_message("수다").await.unwrap();
        assert_eq!(conn.read_message().await.unwrap(), Message::text("수다"));
    }
}

#[tokio::test]
async fn one_route_takes_websockets_over_both_versions() {
    let address = echo_server(Way::Axum, Upgrader::new()).await;
    let (mut first, _) = Dialer::new()
        .dial(&format!("ws://{address}/chat"))
        .await
        .unwrap();
    let server = Dialer::new()
        .http2(&format!("ws://{address}"))
        .await
        .unwrap();
    let (mut second, _) = server.dial("/chat").await.unwrap();
    first.write_message("one").await.unwrap();
    second.write_message("two").await.unwrap();
    assert_eq!(first.read_message().await.unwrap(), Message::text("one"));
    assert_eq!(second.read_message().await.unwrap(), Message::text("two"));
}

/// A server's end of TLS that offers these protocols, and a client's configuration that trusts it and offers HTTP/1.1.
pub(crate) fn acceptor(alpn: &[&[u8]]) -> (TlsAcceptor, Arc<rustls::ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    (
        TlsAcceptor::from(Arc::new(config)),
        tls::client_config(roots).unwrap(),
    )
}

/// An echo server inside TLS that offers these protocols; gives its port.
async fn tls_server(alpn: &[&[u8]]) -> (u16, Arc<rustls::ClientConfig>) {
    let (acceptor, client) = acceptor(alpn);
    let behind = echo_server(Way::Hyper, Upgrader::new()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(tcp).await else {
                continue;
            };
            let mut upstream = TcpStream::connect(behind).await.unwrap();
            tokio::spawn(
                async move { tokio::io::copy_bidirectional(&mut stream, &mut upstream).await },
            );
        }
    });
    (port, client)
}

#[tokio::test]
async fn wss_negotiates_http2_whatever_the_configuration_offers() {
    let (port, config) = tls_server(&[b"h2", b"http/1.1"]).await;
    let dialer = Dialer::new().tls(config);
    let server = dialer
        .http2(&format!("wss://localhost:{port}"))
        .await
        .unwrap();
    let (mut conn, _) = server.dial("/chat").await.unwrap();
    conn.write_message("수다").await.unwrap();
    assert_eq!(conn.read_message().await.unwrap(), Message::text("수다"));
}

#[tokio::test]
async fn a_tls_server_without_http2_is_told() {
    for (alpn, without_alpn) in [(&[&b"http/1.1"[..]][..], false), (&[], true)] {
        let (port, config) = tls_server(alpn).await;
        let dialer = Dialer::new().tls(config);
        let error = dialer
            .http2(&format!("wss://localhost:{port}"))
            .await
            .unwrap_err();
        let told = match error {
            // It negotiates nothing.
            DialError::Http2(Http2Error::NotNegotiated) => without_alpn,
            // It refuses to negotiate (RFC 7301, section 3.2).
            DialError::Tls { .. } => !without_alpn,
            _ => false,
        };
        assert!(told, "{alpn:?}");
    }
}
