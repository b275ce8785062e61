//! Streams that the caller's functions open, Unix sockets, and cookies.

use std::sync::{Arc, Mutex};

use http::header::{COOKIE, HeaderValue, SET_COOKIE};
use suda_websocket::handshake::Target;
use suda_websocket::{CookieJar, DialError, Dialer, MemoryCookieJar, Message, Upgrader};
use tokio::io::duplex;
use tokio::net::{TcpStream, UnixListener};
use tokio_rustls::TlsConnector;

use crate::dialer::{self_signed, serve_tls};
use crate::servers::{Way, echo, serve};

#[tokio::test]
async fn net_dial_gives_the_stream_and_tls_is_spoken_over_it() {
    let (acceptor, config) = self_signed("chat.example");
    let port = serve_tls(acceptor).await;
    let dialer = Dialer::new().tls(config).net_dial(move |host, asked| {
        assert_eq!((host.as_str(), asked), ("chat.example", 443));
        TcpStream::connect(("127.0.0.1", port))
    });
    let (mut conn, _) = dialer.dial("wss://chat.example/").await.unwrap();
    conn.write_message("hi").await.unwrap();
    assert_eq!(conn.read_message().await.unwrap(), Message::text("hi"));
}

#[tokio::test]
async fn net_dial_may_give_any_stream_and_its_failure_is_told() {
    let dialer = Dialer::new().net_dial(|host, _| async move {
        if host != "here.example" {
            return Err(std::io::Error::other("no such place"));
        }
        let (ours, theirs) = duplex(4096);
        tokio::spawn(async {
            let (conn, _) = Upgrader::new().upgrade(theirs).await.unwrap();
            echo(conn).await;
        });
        Ok(ours)
    });
    let (mut conn, _) = dialer.dial("ws://here.example/").await.unwrap();
    conn.write_message("hi").await.unwrap();
    assert_eq!(conn.read_message().await.unwrap(), Message::text("hi"));
    let error = dialer.dial("ws://there.example/").await.unwrap_err();
    assert!(
        matches!(&error, DialError::Hook { host, .. } if host == "there.example"),
        "{error}"
    );
}

#[tokio::test]
async fn tls_dial_gives_a_stream_that_is_encrypted_already() {
    let (acceptor, config) = self_signed("chat.example");
    let port = serve_tls(acceptor).await;
    let dialer = Dialer::new().tls_dial(move |host, _| {
        let connector = TlsConnector::from(config.clone());
        async move {
            let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
            connector.connect(host.try_into().unwrap(), tcp).await
        }
    });
    let (mut conn, _) = dialer.dial("wss://chat.example/").await.unwrap();
    conn.write_message("hi").await.unwrap();
    assert_eq!(conn.read_message().await.unwrap(), Message::text("hi"));
    // `ws` goes its usual way.
    let plain = serve(Way::Raw, Upgrader::new()).await;
    dialer.dial(&format!("ws://{plain}/")).await.unwrap();
}

/// A folder that is removed with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn a_unix_socket_carries_a_connection_from_both_ends() {
    let folder = Folder::new("suda-websocket-unix");
    let path = folder.0.join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (conn, request) = Upgrader::new().upgrade(stream).await.unwrap();
        assert_eq!(request.headers()["host"], "chat.example");
        echo(conn).await;
    });
    let dialer = Dialer::new().unix(&path);
    let (mut conn, _) = dialer.dial("ws://chat.example/room").await.unwrap();
    conn.write_message("hi").await.unwrap();
    assert_eq!(conn.read_message().await.unwrap(), Message::text("hi"));

    let nowhere = folder.0.join("nowhere");
    let error = Dialer::new()
        .unix(&nowhere)
        .dial("ws://a/")
        .await
        .unwrap_err();
    assert!(
        matches!(&error, DialError::Unix { path, .. } if *path == nowhere),
        "{error}"
    );
}

#[tokio::test]
async fn a_redirect_is_refused_and_its_answer_told() {
    let answer = "HTTP/1.1 307 Temporary Redirect\r\nLocation: ws://evil.example/\r\nContent-Length: 0\r\n\r\n";
    let address = crate::proxy_servers::speaker(answer.into(), true).await;
    let error = Dialer::new()
        .dial(&format!("ws://{address}/"))
        .await
        .unwrap_err();
    let DialError::Handshake(refused) = error else {
        panic!("{error}")
    };
    let response = refused.response.unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(response.headers()["location"], "ws://evil.example/");
}

/// Records what it is given, and has one cookie for everybody.
#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl CookieJar for Recorder {
    fn cookies(&self, _: &Target) -> Option<HeaderValue> {
        Some(HeaderValue::from_static("from=jar"))
    }

    fn set_cookies(&self, url: &Target, set_cookie: &mut dyn Iterator<Item = &HeaderValue>) {
        let lines =
            set_cookie.map(|line| format!("{} {}", url.path_and_query(), line.to_str().unwrap()));
        self.0.lock().unwrap().extend(lines);
    }
}

#[tokio::test]
async fn a_jar_gives_its_cookies_behind_those_of_the_caller_and_takes_the_servers() {
    let server = Upgrader::new()
        .response_header(SET_COOKIE, HeaderValue::from_static("a=1; HttpOnly"))
        .response_header(SET_COOKIE, HeaderValue::from_static("b=2"));
    let jar = Arc::new(Recorder::default());
    let dialer = Dialer::new().cookie_jar(jar.clone());
    for (dialer, expected) in [
        (dialer.clone(), "from=jar"),
        (
            dialer
                .clone()
                .header(COOKIE, HeaderValue::from_static("own=1")),
            "own=1; from=jar",
        ),
        (
            dialer
                .header(COOKIE, HeaderValue::from_static("own=1"))
                .header(COOKIE, HeaderValue::from_static("other=2")),
            "own=1; other=2; from=jar",
        ),
    ] {
        let (client, stream) = duplex(4096);
        let (answered, upgraded) = tokio::join!(
            dialer.client(client, "ws://chat.example/room"),
            server.upgrade(stream)
        );
        answered.unwrap();
        let (_, request) = upgraded.unwrap();
        let lines: Vec<_> = request.headers().get_all(COOKIE).iter().collect();
        assert_eq!(lines, [expected]);
    }
    let taken = std::mem::take(&mut *jar.0.lock().unwrap());
    assert_eq!(taken, ["/room a=1; HttpOnly", "/room b=2"].repeat(3));
}

#[tokio::test]
async fn the_cookies_of_a_refusal_are_kept_too() {
    let answer = "HTTP/1.1 401 Unauthorized\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n";
    let address = crate::proxy_servers::speaker(answer.into(), true).await;
    let jar = Arc::new(Recorder::default());
    let dialer = Dialer::new().cookie_jar(jar.clone());
    dialer.dial(&format!("ws://{address}/x")).await.unwrap_err();
    assert_eq!(*jar.0.lock().unwrap(), ["/x a=1"]);
}

#[test]
fn the_jar_in_memory_is_bounded_and_the_oldest_cookies_go_first() {
    let jar = MemoryCookieJar::new();
    let set = |host: &str, name: usize, attributes: &str| {
        let line = format!("c{name}={name}{attributes}");
        let url = format!("ws://{host}/").parse().unwrap();
        jar.set_cookies(&url, &mut [line.parse().unwrap()].iter());
    };
    let sent = |host: &str| {
        let value = jar.cookies(&format!("ws://{host}/").parse().unwrap());
        let mut names: Vec<usize> = value.map_or(Vec::new(), |value| {
            let pairs = value.to_str().unwrap().split("; ");
            pairs
                .map(|pair| pair.split_once('=').unwrap().1.parse().unwrap())
                .collect()
        });
        names.sort_unstable();
        names
    };
    set("first.example", 0, "");
    for name in 0..50 {
        set("full.example", name, "");
    }
    // Set again: now the youngest. Gone: the place is free for 50. Then there is none left, and 1 is the oldest.
    set("full.example", 0, "");
    set("full.example", 7, "; Max-Age=0");
    set("full.example", 50, "");
    set("full.example", 51, "");
    let expected: Vec<usize> = (0..52).filter(|name| ![1, 7].contains(name)).collect();
    assert_eq!(sent("full.example"), expected);

    assert_eq!(sent("first.example").len(), 1);
    for host in 0..2950 {
        set(&format!("h{host}.example"), 0, "");
    }
    // 3001 were set, so the oldest of all has gone, and nobody else.
    assert_eq!(sent("first.example").len(), 0);
    assert_eq!(sent("full.example"), expected);
    assert_eq!(sent("h0.example").len(), 1);
}

#[test]
fn the_jar_in_memory_keeps_cookies_by_host_path_and_security() {
    let jar = MemoryCookieJar::new();
    let set = |url: &str, lines: &[&'static str]| {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| HeaderValue::from_static(line))
            .collect();
        jar.set_cookies(&url.parse().unwrap(), &mut lines.iter());
    };
    let sent = |url: &str| {
        let value = jar.cookies(&url.parse().unwrap());
        value.map(|value| {
            let mut pairs: Vec<_> = value
                .to_str()
                .unwrap()
                .split("; ")
                .map(str::to_owned)
                .collect();
            pairs.sort();
            pairs.join("; ")
        })
    };
    set(
        "wss://chat.example/room/1",
        &[
            "host=1; Path=/",
            "room=2; Path=/room",
            "safe=3; Secure; Path=/",
            "all=4; Domain=chat.example; Path=/",
            "theirs=5; Domain=other.example",
            "gone=6; Max-Age=0; Path=/",
            "no pair at all",
        ],
    );
    for (url, expected) in [
        (
            "wss://chat.example/room/2",
            Some("all=4; host=1; room=2; safe=3"),
        ),
        ("wss://chat.example/", Some("all=4; host=1; safe=3")),
        ("ws://chat.example/", Some("all=4; host=1")),
        ("ws://below.chat.example/", Some("all=4")),
        ("ws://other.example/", None),
    ] {
        assert_eq!(sent(url).as_deref(), expected, "{url}");
    }
    set(
        "wss://chat.example/",
        &[
            "host=7; Path=/",
            "all=; Max-Age=0; Domain=chat.example; Path=/",
        ],
    );
    assert_eq!(sent("ws://chat.example/").as_deref(), Some("host=7"));
}
