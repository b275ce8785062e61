//! Opening handshakes over HTTP/2 with any peer: what is accepted is right by a second reading, and both halves understand each other.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, request};
use suda_websocket::{
    Compression,
    handshake::{CONNECT_PROTOCOL, ClientOptions, ExtendedConnect, Policy, Target},
};

use super::{handshake::head, input::Input};

/// The first line stands for the pseudo-headers: method, URL, `:protocol`.
const REQUEST: [&str; 6] = [
    "CONNECT https://chat.example/room websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Protocol: chat.v1, chat.v2",
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "Origin: https://chat.example",
    "Host: chat.example",
];
/// The first line stands for the status.
const ANSWER: [&str; 3] = [
    "200",
    "Sec-WebSocket-Protocol: chat.v2",
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover",
];
const SUBPROTOCOLS: [&str; 2] = ["chat.v2", "chat.v1"];

pub fn extended_connect(data: &[u8]) {
    let mut input = Input::new(data);
    let how = input.byte();
    let compression = (how & 1 != 0).then(Compression::default);
    let policy = Policy {
        subprotocols: SUBPROTOCOLS.map(str::to_owned).into(),
        compression,
        ..Policy::default()
    };
    let options = ClientOptions {
        subprotocols: SUBPROTOCOLS.map(str::to_owned).into(),
        compression,
        ..ClientOptions::default()
    };
    match how >> 1 & 3 {
        0 | 1 => server(&policy, &head(&mut input, &REQUEST)),
        2 => client(&options, &head(&mut input, &ANSWER)),
        _ => both(&policy, &options, &String::from_utf8_lossy(input.rest())),
    }
}

/// The first line, and the others as header fields. What no HTTP/2 library would let through is left out.
fn parse(bytes: &[u8]) -> (String, HeaderMap) {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let mut headers = HeaderMap::new();
    for line in lines {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (halves.next(), halves.next()) else {
            continue;
        };
        let name = HeaderName::from_bytes(name);
        let value = HeaderValue::from_bytes(value.trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (first, headers)
}

/// All values of a field, as one list.
fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines = headers.get_all(name).iter();
    let items = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    items
        .map(|item| String::from_utf8_lossy(item.trim_ascii()).into_owned())
        .collect()
}

fn server(policy: &Policy, bytes: &[u8]) {
    let (first, headers) = parse(bytes);
    let mut first = first.split(' ');
    let (method, url, protocol) = (first.next(), first.next(), first.next());
    let Ok((mut head, ())) = Request::builder()
        .method(method.unwrap_or_default())
        .uri(url.unwrap_or_default())
        .version(http::Version::HTTP_2)
        .body(())
        .map(Request::into_parts)
    else {
        return;
    };
    head.headers = headers;
    match policy.judge_connect(&head, protocol) {
        Ok(agreement) => {
            let chosen = agreement.subprotocol.as_deref();
            check_accepted(&head, protocol, &agreement.response, chosen);
            let extensions = list(agreement.response.headers(), "sec-websocket-extensions");
            assert_eq!(agreement.compression.is_some(), !extensions.is_empty());
            if agreement.compression.is_some() {
                assert!(policy.compression.is_some());
                let offered = list(&head.headers, "sec-websocket-extensions").join(",");
                assert!(offered.contains("permessage-deflate"));
            }
        }
        Err(refusal) => {
            let response = policy.refuse(refusal, Some(&head));
            assert!((400..600).contains(&response.status().as_u16()));
            assert!(!response.body().is_empty());
            check_headers_of_http2(response.headers());
        }
    }
}

/// RFC 8441, sections 4 and 5.
fn check_accepted(
    head: &request::Parts,
    protocol: Option<&str>,
    response: &Response<()>,
    subprotocol: Option<&str>,
) {
    assert_eq!(head.method, Method::CONNECT);
    assert!(protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")));
    assert!(matches!(head.uri.scheme_str(), Some("http" | "https")));
    let host = head.uri.host().expect("an authority");
    assert!(!host.is_empty() && head.uri.path().starts_with('/'));
    assert!(
        !head
            .uri
            .authority()
            .expect("an authority")
            .as_str()
            .contains('@')
    );
    check_headers_of_http2(&head.headers);
    assert_eq!(list(&head.headers, "sec-websocket-version"), ["13"]);
    let origins = list(&head.headers, "origin");
    assert!(origins.len() <= 1);
    if let Some(origin) = origins.first() {
        let rest = origin.split_once("://").expect("an origin").1;
        let same = rest.get(..host.len()).expect("a host");
        assert!(same.eq_ignore_ascii_case(host));
        assert!(matches!(rest.as_bytes().get(host.len()), None | Some(b':')));
    }

    assert_eq!(response.status(), 200);
    check_headers_of_http2(response.headers());
    assert!(!response.headers().contains_key("sec-websocket-accept"));
    let told = list(response.headers(), "sec-websocket-protocol");
    assert_eq!(told.first().map(String::as_str), subprotocol);
    if let Some(name) = subprotocol {
        let offered = list(&head.headers, "sec-websocket-protocol");
        assert!(offered.iter().any(|offered| offered == name));
        assert!(SUBPROTOCOLS.contains(&name) && told.len() == 1);
    }
}

/// RFC 9113, section 8.2.2.
fn check_headers_of_http2(headers: &HeaderMap) {
    for name in ["connection", "upgrade", "transfer-encoding"] {
        assert!(!headers.contains_key(name), "{name}");
    }
}

fn client(options: &ClientOptions, bytes: &[u8]) {
    let (status, headers) = parse(bytes);
    let target: Target = "wss://chat.example/room".parse().expect("a URL");
    let handshake = ExtendedConnect::new(&target, options).expect("options that are right");
    let Ok(mut response) = Response::builder().status(status.as_str()).body(()) else {
        return;
    };
    *response.headers_mut() = headers;
    if let Ok((subprotocol, compression)) = handshake.verify(&response) {
        assert!(response.status().is_success());
        let told = list(response.headers(), "sec-websocket-protocol");
        assert_eq!(told, Vec::from_iter(subprotocol.clone()));
        assert!(subprotocol.is_none_or(|name| SUBPROTOCOLS.contains(&name.as_str())));
        assert!(compression.is_none() || options.compression.is_some());
        let agreed = list(response.headers(), "sec-websocket-extensions");
        assert_eq!(
            compression.is_some(),
            agreed.iter().any(|item| !item.is_empty())
        );
    }
}

/// Whatever is dialled, the server takes, and the client takes its answer.
fn both(policy: &Policy, options: &ClientOptions, url: &str) {
    let Ok(target) = url.parse::<Target>() else {
        return;
    };
    let Ok(handshake) = ExtendedConnect::new(&target, options) else {
        return;
    };
    let (head, ()) = handshake.request().clone().into_parts();
    assert_eq!(
        head.uri.path_and_query().map(|path| path.as_str()),
        Some(target.path_and_query())
    );
    let agreement = policy
        .judge_connect(&head, Some(CONNECT_PROTOCOL))
        .expect("our own request");
    let (subprotocol, compression) = handshake
        .verify(&agreement.response)
        .expect("our own answer");
    assert_eq!(subprotocol, agreement.subprotocol);
    assert_eq!(subprotocol.as_deref(), Some(SUBPROTOCOLS[0]));
    assert_eq!(compression.is_some(), agreement.compression.is_some());
    assert_eq!(compression.is_some(), options.compression.is_some());
}
