//! Sections 4 and 5 as a server: what a request must be, and what it is answered with.

use bytes::Bytes;
use h2::Reason;
use h2::ext::Protocol;
use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use suda_websocket::handshake::{Policy, Refusal};
use suda_websocket::{Compression, Upgrader};

use crate::peers::{WAYS, ask, echo_server, good_request, next_bytes, plain_client};

/// What changes a good request into a bad one, and the status it is answered with.
type Change = fn(&mut Request<()>);

fn set(request: &mut Request<()>, name: &'static str, value: &'static str) {
    let (name, value) = (
        HeaderName::from_static(name),
        HeaderValue::from_static(value),
    );
    request.headers_mut().insert(name, value);
}

#[tokio::test]
async fn section_5_an_extended_connect_opens_a_websocket() {
    for way in WAYS {
        let address = echo_server(way, Upgrader::new()).await;
        let sender = plain_client(address).await;
        let (response, mut send, mut body) = ask(&sender, good_request(address)).await.unwrap();
        assert_eq!(response.status(), 200, "{way:?}");
        // A text frame, masked with zeros.
        send.send_data(Bytes::from_static(b"\x81\x82\0\0\0\0hi"), false)
            .unwrap();
        assert_eq!(
            &next_bytes(&mut body).await.unwrap().unwrap()[..],
            b"\x81\x02hi"
        );
    }
}

#[tokio::test]
async fn section_5_key_accept_upgrade_and_connection_are_not_used() {
    for way in WAYS {
        let address = echo_server(way, Upgrader::new()).await;
        let sender = plain_client(address).await;
        for key in ["dGhlIHNhbXBsZSBub25jZQ==", "no key at all"] {
            let mut request = good_request(address);
            set(&mut request, "sec-websocket-key", key);
            let (response, ..) = ask(&sender, request).await.unwrap();
            assert_eq!(response.status(), 200, "{way:?}");
            for name in ["sec-websocket-accept", "upgrade", "connection"] {
                assert!(!response.headers().contains_key(name), "{way:?} {name}");
            }
        }
    }
}

#[tokio::test]
async fn each_bad_request_gets_its_status_over_http2() {
    let table: &[(&str, u16, Change)] = &[
        ("section 4: CONNECT without :protocol", 405, |request| {
            request.extensions_mut().remove::<Protocol>();
            let authority = request.uri().authority().unwrap().clone();
            *request.uri_mut() = Uri::from(authority);
        }),
        ("GET", 405, |request| {
            *request.method_mut() = Method::GET;
            request.extensions_mut().remove::<Protocol>();
        }),
        ("section 5: another :protocol", 501, |request| {
            request
                .extensions_mut()
                .insert(Protocol::from_static("connect-udp"));
        }),
        ("RFC 6455, 4.2.1: no version", 400, |request| {
            request.headers_mut().remove("sec-websocket-version");
        }),
        ("RFC 6455, 4.2.1: version 8", 400, |request| {
            set(request, "sec-websocket-version", "8");
        }),
        ("section 5: another origin", 403, |request| {
            set(request, "origin", "https://evil.example")
        }),
        ("a sandboxed page", 403, |request| {
            set(request, "origin", "null")
        }),
        ("another host", 400, |request| {
            set(request, "host", "evil.example")
        }),
        ("a subprotocol that is no token", 400, |request| {
            set(request, "sec-websocket-protocol", "a b");
        }),
        ("malformed extensions", 400, |request| {
            set(request, "sec-websocket-extensions", "a;;")
        }),
    ];
    for way in WAYS {
        let address = echo_server(way, Upgrader::new()).await;
        let sender = plain_client(address).await;
        for (what, status, change) in table {
            let mut request = good_request(address);
            change(&mut request);
            // A router finds no path in a plain CONNECT.
            let plain_connect = request.uri().path() != "/chat";
            let (response, ..) = ask(&sender, request).await.unwrap();
            let routed = matches!(way, crate::peers::Way::Hyper) || !plain_connect;
            let expected = if routed { *status } else { 404 };
            assert_eq!(response.status(), expected, "{what} {way:?}");
            let header = match what {
                _ if !routed => continue,
                _ if *status == 405 => ("allow", "CONNECT"),
                _ if what.contains("version") => ("sec-websocket-version", "13"),
                _ => continue,
            };
            assert_eq!(response.headers()[header.0], header.1, "{what} {way:?}");
            assert!(
                !response.headers().contains_key("upgrade"),
                "{what} {way:?}"
            );
        }
        // The connection has taken no harm.
        let (response, ..) = ask(&sender, good_request(address)).await.unwrap();
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test]
async fn section_4_the_scheme_and_path_pseudo_headers_must_be_there() {
    for way in WAYS {
        let address = echo_server(way, Upgrader::new()).await;
        let sender = plain_client(address).await;
        let mut request = good_request(address);
        // Authority only: the `h2` crate then sends neither.
        let authority = request.uri().authority().unwrap().clone();
        *request.uri_mut() = Uri::from(authority);
        let error = ask(&sender, request).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::PROTOCOL_ERROR), "{way:?}");
    }
    // Where another HTTP server lets such a request through, we do not.
    for uri in ["chat.example", "ftp://chat.example/chat"] {
        let request = Request::connect(uri).version(http::Version::HTTP_2);
        let request = request.header("sec-websocket-version", "13");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let refusal = Policy::default().judge_connect(&head, Some("websocket"));
        assert_eq!(refusal.unwrap_err(), Refusal::ConnectTarget, "{uri}");
    }
    let request = Request::connect("/chat").version(http::Version::HTTP_2);
    let (head, ()) = request.body(()).unwrap().into_parts();
    let refusal = Policy::default().judge_connect(&head, Some("websocket"));
    assert_eq!(refusal.unwrap_err(), Refusal::ConnectTarget);
}

#[test]
fn headers_of_the_connection_and_bodies_are_refused_where_an_http_server_lets_them_through() {
    for (name, refusal) in [
        ("connection", Refusal::ConnectionHeader),
        ("upgrade", Refusal::ConnectionHeader),
        ("content-length", Refusal::Body),
        ("transfer-encoding", Refusal::Body),
    ] {
        let mut request = good_request(([127, 0, 0, 1], 80).into());
        set(&mut request, name, "1");
        let (head, ()) = request.into_parts();
        let judged = Policy::default().judge_connect(&head, Some("websocket"));
        assert_eq!(judged.unwrap_err(), refusal, "{name}");
    }
}

#[tokio::test]
async fn section_5_a_page_of_the_same_host_may_connect() {
    for way in WAYS {
        let address = echo_server(way, Upgrader::new()).await;
        let sender = plain_client(address).await;
        let mut request = good_request(address);
        let origin = HeaderValue::from_str(&format!("http://{address}")).unwrap();
        request.headers_mut().insert("origin", origin);
        let (response, ..) = ask(&sender, request).await.unwrap();
        assert_eq!(response.status(), 200, "{way:?}");
    }
}

#[tokio::test]
async fn section_5_subprotocol_and_extensions_are_negotiated_as_over_http_1() {
    for way in WAYS {
        let upgrader = Upgrader::new()
            .subprotocols(["a", "b"])
            .compression(Compression::default());
        let address = echo_server(way, upgrader).await;
        let sender = plain_client(address).await;
        let mut request = good_request(address);
        set(&mut request, "sec-websocket-protocol", "c, b, a");
        set(
            &mut request,
            "sec-websocket-extensions",
            "x-other, permessage-deflate",
        );
        let (response, ..) = ask(&sender, request).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], "a", "{way:?}");
        let extensions = response.headers()["sec-websocket-extensions"]
            .to_str()
            .unwrap();
        assert!(extensions.starts_with("permessage-deflate"), "{extensions}");
    }
}

#[tokio::test]
async fn a_server_made_refusal_goes_over_http2_too() {
    for way in WAYS {
        let upgrader = Upgrader::new().on_refusal(|refusal, request| {
            let path = request.unwrap().uri.path().to_owned();
            let mut response = http::Response::new(path.into());
            *response.status_mut() = refusal.status();
            response
        });
        let address = echo_server(way, upgrader).await;
        let sender = plain_client(address).await;
        let mut request = good_request(address);
        set(&mut request, "origin", "https://evil.example");
        let (response, _, mut body) = ask(&sender, request).await.unwrap();
        assert_eq!(response.status(), 403);
        assert_eq!(&next_bytes(&mut body).await.unwrap().unwrap()[..], b"/chat");
    }
}

#[tokio::test]
async fn section_4_the_authority_is_a_name_of_the_server_and_no_place_to_tunnel_to() {
    for way in WAYS {
        let address = echo_server(way, Upgrader::new()).await;
        let sender = plain_client(address).await;
        for authority in ["chat.example", "192.0.2.1:9", "[2001:db8::1]:443"] {
            let mut request = good_request(address);
            *request.uri_mut() = format!("http://{authority}/chat").parse().unwrap();
            // The rule of the same host goes by it.
            let origin = HeaderValue::from_str(&format!("http://{authority}")).unwrap();
            request.headers_mut().insert("origin", origin);
            let (response, mut send, mut body) = ask(&sender, request).await.unwrap();
            assert_eq!(response.status(), 200, "{way:?} {authority}");
            send.send_data(Bytes::from_static(b"\x81\x82\0\0\0\0hi"), false)
                .unwrap();
            // It is us who answers.
            assert_eq!(
                &next_bytes(&mut body).await.unwrap().unwrap()[..],
                b"\x81\x02hi"
            );
        }
    }
}
