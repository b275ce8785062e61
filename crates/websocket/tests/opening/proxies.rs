//! Dialling through proxies: what they are asked, what goes through, and what becomes of those that misbehave.

use std::net::SocketAddr;
use std::time::Duration;

use suda_websocket::handshake::{HEADERS_MAX, RESPONSE_HEAD_BYTES_MAX};
use suda_websocket::{
    DialError, Dialer, MaybeTlsStream, Message, Proxy, ProxyError, ProxyRules, Upgrader,
};
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::dialer::{self_signed, serve_tls};
use crate::proxy_servers::{http_proxy, http_tunnel, socks_proxy, speaker};
use crate::servers::{Way, serve};

fn through(url: impl Into<String>) -> Dialer {
    Dialer::new().proxy(url.into().parse::<Proxy>().unwrap())
}

async fn echoes(mut conn: suda_websocket::Conn<MaybeTlsStream>) {
    conn.write_message("수다").await.unwrap();
    assert_eq!(conn.read_message().await.unwrap(), Message::text("수다"));
}

/// Why dialling through this proxy fails; the error must name it, and never its password.
async fn failure(dialer: Dialer, shown: &str) -> ProxyError {
    let error = dialer.dial("ws://chat.example/").await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains(shown) && !text.contains("secret"), "{text}");
    match error {
        DialError::Proxy { proxy, source } => {
            assert_eq!(proxy, shown);
            source
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_http_proxy_is_asked_for_the_host_by_name_and_port() {
    let server = serve(Way::Raw, Upgrader::new()).await;
    let mut proxy = http_proxy(server).await;
    for (url, authority) in [
        ("ws://chat.example/room", "chat.example:80"),
        ("ws://chat.example:9000/", "chat.example:9000"),
        ("ws://[2001:db8::1]/", "[2001:db8::1]:80"),
    ] {
        let dialer = through(format!("http://{}", proxy.address));
        let (conn, _) = dialer.dial(url).await.unwrap();
        assert_eq!(
            proxy.asked.recv().await.unwrap(),
            format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n")
        );
        echoes(conn).await;
    }
}

#[tokio::test]
async fn an_http_proxy_is_given_the_credentials_of_its_url() {
    let server = serve(Way::Raw, Upgrader::new()).await;
    let mut proxy = http_proxy(server).await;
    // The example of RFC 7617, section 2, and a user without password.
    for (user_info, encoded) in [
        ("Aladdin:open%20sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("Aladdin", "QWxhZGRpbjo="),
    ] {
        let dialer = through(format!("http://{user_info}@{}", proxy.address));
        let (conn, _) = dialer.dial("ws://chat.example/").await.unwrap();
        let head = proxy.asked.recv().await.unwrap();
        let line = format!("\r\nProxy-Authorization: Basic {encoded}\r\n");
        assert!(head.contains(&line), "{head}");
        echoes(conn).await;
    }
}

#[tokio::test]
async fn wss_goes_through_an_http_proxy_with_the_servers_certificate() {
    let (acceptor, config) = self_signed("chat.example");
    let port = serve_tls(acceptor).await;
    let proxy = http_proxy(SocketAddr::from(([127, 0, 0, 1], port))).await;
    let dialer = through(format!("http://{}", proxy.address)).tls(config);
    let (conn, _) = dialer.dial("wss://chat.example/").await.unwrap();
    echoes(conn).await;
}

#[tokio::test]
async fn an_https_proxy_is_spoken_to_inside_tls_of_its_own() {
    let server = serve(Way::Raw, Upgrader::new()).await;
    let (acceptor, config) = self_signed("localhost");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, mut asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            if let Ok(tls) = acceptor.accept(tcp).await {
                tokio::spawn(http_tunnel(tls, server, told.clone()));
            }
        }
    });
    let url = format!("https://localhost:{port}");
    let dialer = through(&url).tls(config);
    let (conn, _) = dialer.dial("ws://chat.example/").await.unwrap();
    assert!(
        asked
            .recv()
            .await
            .unwrap()
            .starts_with("CONNECT chat.example:80 ")
    );
    echoes(conn).await;

    // Its certificate is checked as any other.
    let (_, other_root) = self_signed("localhost");
    let source = failure(through(&url).tls(other_root), &url).await;
    assert!(
        matches!(&source, ProxyError::Unreachable(e) if matches!(**e, DialError::Tls { .. })),
        "{source}"
    );
}

#[tokio::test]
async fn a_socks5_proxy_resolves_names_and_takes_addresses_as_they_are() {
    let server = serve(Way::Raw, Upgrader::new()).await;
    let mut proxy = socks_proxy(server, None).await;
    for (url, asked) in [
        ("ws://chat.example/", "name chat.example 80"),
        ("ws://192.0.2.7:9000/", "v4 192.0.2.7 9000"),
        ("ws://[2001:db8::1]/", "v6 2001:db8::1 80"),
    ] {
        for scheme in ["socks5", "socks5h"] {
            let dialer = through(format!("{scheme}://{}", proxy.address));
            let (conn, _) = dialer.dial(url).await.unwrap();
            assert_eq!(proxy.asked.recv().await.unwrap(), asked);
            echoes(conn).await;
        }
    }
}

#[tokio::test]
async fn a_socks5_proxy_gets_user_and_password_if_it_wants_them() {
    let server = serve(Way::Raw, Upgrader::new()).await;
    for wanted in [Some(("me@home", "secret")), None] {
        let proxy = socks_proxy(server, wanted).await;
        let dialer = through(format!("socks5://me%40home:secret@{}", proxy.address));
        let (conn, _) = dialer.dial("ws://chat.example/").await.unwrap();
        echoes(conn).await;
    }
    let proxy = socks_proxy(server, Some(("me", "secret"))).await;
    let shown = format!("socks5://{}", proxy.address);
    let wrong = through(format!("socks5://me:secret2@{}", proxy.address));
    let source = failure(wrong, &shown).await;
    assert!(matches!(source, ProxyError::Credentials), "{source}");
    let source = failure(through(&shown), &shown).await;
    assert!(matches!(source, ProxyError::Authentication), "{source}");
}

#[tokio::test]
async fn a_refusing_http_proxy_is_told_with_status_headers_and_body() {
    let answer = "HTTP/1.1 407 Proxy Authentication Required\r\n\
        Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 9\r\n\r\nwho asks?";
    let proxy = speaker(answer.into(), true).await;
    let dialer = through(format!("http://me:secret@{proxy}"));
    let source = failure(dialer, &format!("http://{proxy}")).await;
    let ProxyError::Refused(response) = source else {
        panic!("{source}")
    };
    assert_eq!(response.status(), 407);
    assert_eq!(
        response.headers()["proxy-authenticate"],
        "Basic realm=\"x\""
    );
    assert_eq!(response.body(), "who asks?");
}

#[tokio::test]
async fn each_wrong_answer_of_an_http_proxy_ends_the_dialling() {
    let endless_head = format!(
        "HTTP/1.1 200 OK\r\nX: {}",
        "y".repeat(RESPONSE_HEAD_BYTES_MAX)
    );
    let many_lines = format!(
        "HTTP/1.1 200 OK\r\n{}\r\n",
        "X: y\r\n".repeat(HEADERS_MAX + 1)
    );
    let informational = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100);
    for (what, answer, expected) in [
        ("nothing", "", "it closed"),
        ("half a head", "HTTP/1.1 200 OK\r\nX: y", "it closed"),
        ("another protocol", "SSH-2.0-x\r\n\r\n", "malformed"),
        ("a TLS alert", "\x15\x03\x01\0\x02\x02\x28", "malformed"),
        ("bare LF", "HTTP/1.1 200 OK\n\n", "malformed"),
        (
            "bytes of a server that was not asked",
            "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 x",
            "malformed",
        ),
        ("endless head", &endless_head, "too long"),
        ("many lines", &many_lines, "too long"),
        ("many informational answers", &informational, "too long"),
        (
            "a redirect",
            "HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\n\r\n",
            "refused (302",
        ),
        (
            "half a body",
            "HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nno",
            "refused (403",
        ),
    ] {
        let proxy = speaker(answer.into(), false).await;
        let url = format!("http://{proxy}");
        let source = failure(through(&url), &url).await;
        assert!(source.to_string().contains(expected), "{what}: {source}");
    }
}

#[tokio::test]
async fn each_wrong_answer_of_a_socks5_proxy_ends_the_dialling() {
    for (what, answer, expected) in [
        ("nothing", &b""[..], "it closed"),
        ("half a choice", b"\x05", "it closed"),
        ("another version", b"\x04\x5a", "malformed"),
        ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n", "malformed"),
        (
            "a method that was not offered",
            b"\x05\x02",
            "another authentication",
        ),
        ("GSSAPI", b"\x05\x01", "another authentication"),
        ("no method", b"\x05\xff", "another authentication"),
        (
            "not allowed",
            b"\x05\0\x05\x02\0\x01\0\0\0\0\0\0",
            "not allowed",
        ),
        (
            "refused by the host",
            b"\x05\0\x05\x05\0\x01\0\0\0\0\0\0",
            "connection refused",
        ),
        (
            "an unknown code",
            b"\x05\0\x05\x63\0\x01\0\0\0\0\0\0",
            "code 99",
        ),
        (
            "a reply of another version",
            b"\x05\0\x04\0\0\x01\0\0\0\0\0\0",
            "malformed",
        ),
        (
            "an unknown address type",
            b"\x05\0\x05\0\0\x02\0\0\0\0\0\0",
            "malformed",
        ),
        ("half a reply", b"\x05\0\x05\0\0\x03\xffabc", "it closed"),
    ] {
        let proxy = speaker(answer.to_vec(), false).await;
        let url = format!("socks5://{proxy}");
        let source = failure(through(&url), &url).await;
        assert!(source.to_string().contains(expected), "{what}: {source}");
    }
}

/// A dialer whose streams are the given pipe.
fn over(pipe: DuplexStream, proxy: &str) -> Dialer {
    let pipe = std::sync::Mutex::new(Some(pipe));
    through(proxy).net_dial(move |_, _| {
        let pipe = pipe.lock().unwrap().take().unwrap();
        async { Ok(pipe) }
    })
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_never_answers_is_given_up_and_named() {
    for url in ["http://p.example:80", "socks5://p.example:1080"] {
        let (client, _proxy) = tokio::io::duplex(4096);
        let dialer = over(client, url).handshake_timeout(Duration::from_secs(7));
        let source = failure(dialer, url).await;
        assert!(matches!(source, ProxyError::Timeout), "{source}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_a_proxy_whose_body_never_ends_is_a_refusal_still() {
    use tokio::io::AsyncWriteExt as _;
    let (client, mut proxy) = tokio::io::duplex(4096);
    let answer = b"HTTP/1.1 502 Bad Gateway\r\n\r\nno such host";
    proxy.write_all(answer).await.unwrap();
    let url = "http://p.example:80";
    let source = failure(over(client, url), url).await;
    assert!(
        matches!(&source, ProxyError::Refused(r) if r.body() == "no such host"),
        "{source}"
    );
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}");
    let source = failure(through(&url), &url).await;
    assert!(
        matches!(&source, ProxyError::Unreachable(e) if matches!(**e, DialError::Connect { .. })),
        "{source}"
    );
}

#[tokio::test]
async fn a_name_too_long_for_socks5_is_told() {
    let proxy = speaker(Vec::new(), true).await;
    let host = "a.".repeat(128) + "example";
    let error = through(format!("socks5://{proxy}"))
        .dial(&format!("ws://{host}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            DialError::Proxy {
                source: ProxyError::HostTooLong,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn rules_send_some_hosts_through_the_proxy_and_others_directly() {
    let server = serve(Way::Raw, Upgrader::new()).await;
    let mut proxy = http_proxy(server).await;
    let address = proxy.address;
    let rules = ProxyRules::from_variables(|name| match name {
        "all_proxy" => Some(address.to_string()),
        "NO_PROXY" => Some("direct.example".to_owned()),
        _ => None,
    });
    let dialer = Dialer::new().proxy_rules(rules);
    let (conn, _) = dialer.dial("ws://chat.example/").await.unwrap();
    assert!(proxy.asked.recv().await.unwrap().contains("chat.example"));
    echoes(conn).await;
    // Loopback goes directly, and so does the list of NO_PROXY; the hook shows whom the dialer turns to.
    let (conn, _) = dialer.dial(&format!("ws://{server}/")).await.unwrap();
    echoes(conn).await;
    let (asked, mut hosts) = mpsc::unbounded_channel();
    let dialer = dialer.net_dial(move |host, port| {
        asked.send((host, port)).unwrap();
        async move { tokio::net::TcpStream::connect(server).await }
    });
    dialer.dial("ws://direct.example:81/").await.unwrap();
    assert_eq!(
        hosts.recv().await.unwrap(),
        ("direct.example".to_owned(), 81)
    );
    assert!(proxy.asked.try_recv().is_err());
}

#[tokio::test]
async fn a_mistake_in_rules_is_told_of_the_rules_not_of_the_environment() {
    let rules = ProxyRules::from_variables(|name| (name == "HTTP_PROXY").then(|| "ftp://p".into()));
    let dialer = Dialer::new().proxy_rules(rules);
    let error = dialer.dial("ws://chat.example/").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the proxy of the rules gave no connection: the variable HTTP_PROXY is wrong: \
         a proxy's URL begins with http://, https:// or socks5://"
    );
}

#[tokio::test]
async fn without_proxy_every_host_is_reached_directly() {
    let server = serve(Way::Raw, Upgrader::new()).await;
    let dialer = through("http://192.0.2.1:9").no_proxy();
    let (conn, _) = dialer.dial(&format!("ws://{server}/")).await.unwrap();
    echoes(conn).await;
}

/// This test starts itself once more: variables of a process cannot be set while its other tests run.
#[test]
fn the_environments_proxy_is_used_unless_something_else_is_said() {
    const URL: &str = "SUDA_WEBSOCKET_TEST_DIAL";
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Ok(url) = std::env::var(URL) {
        return runtime.block_on(async {
            echoes(Dialer::new().dial(&url).await.unwrap().0).await;
            let error = Dialer::new().no_proxy().dial(&url).await.unwrap_err();
            assert!(!matches!(error, DialError::Proxy { .. }), "{error}");
        });
    }
    let mut proxy = runtime.block_on(async {
        let server = serve(Way::Raw, Upgrader::new()).await;
        http_proxy(server).await
    });
    // A label of 64 letters cannot exist in DNS: only the proxy reaches such a host.
    let host = "a".repeat(64);
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args([
        "--exact",
        "proxies::the_environments_proxy_is_used_unless_something_else_is_said",
    ]);
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        child.env_remove(name);
    }
    child.env("HTTP_PROXY", proxy.address.to_string());
    let output = child.env(URL, format!("ws://{host}/")).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}"
    );
    assert!(proxy.asked.try_recv().unwrap().contains(&host));
}
