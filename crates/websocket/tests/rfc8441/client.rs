//! Sections 4 and 5 as a client: what we ask, and which answers open a WebSocket.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use h2::ext::Protocol;
use http::header::{HeaderName, HeaderValue};
use http::{Response, StatusCode, Version};
use suda_websocket::handshake::{AnswerFault, ClientOptions, ExtendedConnect};
use suda_websocket::{Compression, DialError, Dialer, MemoryCookieJar, Message};
use tokio::sync::mpsc;

use crate::peers::{connect, plain_server, plain_server_with};

/// How dialling ends when the server answers so.
async fn dial_to(response: Response<()>, body: &'static [u8]) -> Result<(), DialError> {
    let response = Arc::new(Mutex::new(Some((response, body))));
    let address = plain_server(move |_, mut respond| {
        let (response, body) = response.lock().unwrap().take().unwrap();
        async move {
            let mut send = respond.send_response(response, false).unwrap();
            send.send_data(Bytes::from_static(body), true).unwrap();
        }
    })
    .await;
    let dialer = Dialer::new().subprotocols(["a"]);
    connect(&dialer, address)
        .await
        .dial("/chat")
        .await
        .map(drop)
}

#[tokio::test]
async fn sections_4_and_5_the_request_is_an_extended_connect_with_the_fields_of_rfc_6455() {
    let (told, mut asked) = mpsc::unbounded_channel();
    let address = plain_server(move |request, mut respond| {
        told.send(request.into_parts().0).unwrap();
        async move {
            respond.send_response(Response::new(()), true).unwrap();
        }
    })
    .await;
    let dialer = Dialer::new()
        .subprotocols(["b", "a"])
        .compression(Compression::default())
        .header(
            HeaderName::from_static("x-own"),
            HeaderValue::from_static("1"),
        );
    connect(&dialer, address)
        .await
        .dial("/chat?x=1")
        .await
        .unwrap();
    let request = asked.recv().await.unwrap();
    assert_eq!(
        (request.method.as_str(), request.version),
        ("CONNECT", Version::HTTP_2)
    );
    let protocol = request.extensions.get::<Protocol>().unwrap();
    assert_eq!(protocol.as_str(), "websocket");
    assert_eq!(
        request.uri.to_string(),
        format!("http://{address}/chat?x=1")
    );
    for (name, value) in [
        ("sec-websocket-version", "13"),
        ("sec-websocket-protocol", "b, a"),
        ("x-own", "1"),
    ] {
        assert_eq!(request.headers[name], value);
    }
    let extensions = request.headers["sec-websocket-extensions"]
        .to_str()
        .unwrap();
    assert!(extensions.starts_with("permessage-deflate"), "{extensions}");
    for name in ["host", "connection", "upgrade", "sec-websocket-key"] {
        assert!(!request.headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn section_5_any_2xx_opens_and_everything_else_refuses() {
    for status in [200, 201, 299] {
        let response = Response::builder().status(status).body(()).unwrap();
        dial_to(response, b"").await.unwrap();
    }
    for status in [302, 400, 403, 404, 426, 501, 503] {
        let response = Response::builder()
            .status(status)
            .header("x-why", "so")
            .body(())
            .unwrap();
        let error = dial_to(response, b"because").await.unwrap_err();
        let DialError::Handshake(refused) = error else {
            panic!("{error}")
        };
        assert_eq!(refused.fault, AnswerFault::Refused);
        let response = refused.response.unwrap();
        assert_eq!(response.status(), StatusCode::from_u16(status).unwrap());
        assert_eq!(
            (&response.headers()["x-why"], &response.body()[..]),
            (&HeaderValue::from_static("so"), &b"because"[..])
        );
    }
}

#[tokio::test]
async fn section_5_what_was_not_offered_must_not_be_chosen() {
    for (name, value, fault) in [
        ("sec-websocket-protocol", "b", AnswerFault::Subprotocol),
        ("sec-websocket-protocol", "a, a", AnswerFault::Subprotocol),
        (
            "sec-websocket-extensions",
            "permessage-deflate",
            AnswerFault::Extension,
        ),
    ] {
        let response = Response::builder().header(name, value).body(()).unwrap();
        let error = dial_to(response, b"").await.unwrap_err();
        assert!(
            matches!(error, DialError::Handshake(ref e) if e.fault == fault),
            "{value}: {error}"
        );
    }
}

#[tokio::test]
async fn a_refusal_keeps_1024_bytes_of_its_body() {
    static LONG: [u8; 100_000] = [b'x'; 100_000];
    let response = Response::builder().status(403).body(()).unwrap();
    let error = dial_to(response, &LONG).await.unwrap_err();
    let DialError::Handshake(refused) = error else {
        panic!("{error}")
    };
    assert_eq!(refused.response.unwrap().body(), &LONG[..1024]);
}

#[tokio::test]
async fn a_server_that_resets_instead_of_answering_is_told() {
    let address = plain_server(|_, mut respond| async move {
        respond.send_reset(h2::Reason::REFUSED_STREAM);
    })
    .await;
    let error = connect(&Dialer::new(), address)
        .await
        .dial("/")
        .await
        .unwrap_err();
    assert!(matches!(error, DialError::Http2(_)), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_one_request_is_given_up_and_the_others_go_on() {
    let address = plain_server(|request, mut respond| async move {
        if request.uri().path() == "/never" {
            return std::future::pending().await;
        }
        let mut send = respond.send_response(Response::new(()), false).unwrap();
        // "hi" as a text frame.
        send.send_data(Bytes::from_static(b"\x81\x02hi"), false)
            .unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let dialer = Dialer::new().handshake_timeout(Duration::from_millis(300));
    let server = connect(&dialer, address).await;
    let (mut conn, _) = server.dial("/good").await.unwrap();
    let error = server.dial("/never").await.unwrap_err();
    assert!(matches!(error, DialError::Timeout(_)), "{error}");
    assert_eq!(conn.read_message().await.unwrap(), Message::text("hi"));
}

#[tokio::test]
async fn a_bad_path_or_option_is_told_before_anything_is_sent() {
    let address = plain_server(|_, _| async { panic!("asked") }).await;
    let server = connect(&Dialer::new(), address).await;
    for path in ["", "chat", "/a b", "/#top", "//x@y\r\n"] {
        let error = server.dial(path).await.unwrap_err();
        assert!(matches!(error, DialError::Url(_)), "{path}: {error}");
    }
    let twice = connect(&Dialer::new().subprotocols(["a", "a"]), address).await;
    let error = twice.dial("/").await.unwrap_err();
    assert!(matches!(error, DialError::Request(_)), "{error}");
}

#[tokio::test]
async fn a_flood_of_headers_is_refused() {
    let mut builder = h2::server::Builder::new();
    builder.enable_connect_protocol();
    let address = plain_server_with(builder, |request, mut respond| async move {
        let mut response = Response::new(());
        let long = HeaderValue::from_str(&"x".repeat(100)).unwrap();
        let (lines, value) = match request.uri().path() {
            "/count" => (101, HeaderValue::from_static("y")),
            _ => (1000, long),
        };
        for _ in 0..lines {
            response.headers_mut().append("x", value.clone());
        }
        respond.send_response(response, false).unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let server = connect(&Dialer::new(), address).await;
    let error = server.dial("/count").await.unwrap_err();
    assert!(
        matches!(error, DialError::Handshake(ref e) if e.fault == AnswerFault::TooManyHeaders),
        "{error}"
    );
    assert!(server.dial("/bytes").await.is_err());
}

#[tokio::test]
async fn cookies_go_and_come_over_http2_too() {
    let (told, mut asked) = mpsc::unbounded_channel();
    let address = plain_server(move |request, mut respond| {
        told.send(request.headers().get("cookie").cloned()).unwrap();
        async move {
            let response = Response::builder()
                .header("set-cookie", "a=1; Path=/")
                .body(())
                .unwrap();
            respond.send_response(response, true).unwrap();
        }
    })
    .await;
    let server = connect(
        &Dialer::new().cookie_jar(Arc::new(MemoryCookieJar::new())),
        address,
    )
    .await;
    server.dial("/").await.unwrap();
    server.dial("/").await.unwrap();
    assert_eq!(asked.recv().await.unwrap(), None);
    assert_eq!(asked.recv().await.unwrap().unwrap(), "a=1");
}

#[test]
fn section_5_the_scheme_is_https_for_wss_and_http_for_ws() {
    for (url, uri) in [
        (
            "wss://chat.example/room?x=1",
            "https://chat.example/room?x=1",
        ),
        ("ws://chat.example:9000", "http://chat.example:9000/"),
        ("wss://[2001:db8::1]/", "https://[2001:db8::1]/"),
    ] {
        let handshake =
            ExtendedConnect::new(&url.parse().unwrap(), &ClientOptions::default()).unwrap();
        assert_eq!(handshake.request().uri().to_string(), uri);
    }
}
