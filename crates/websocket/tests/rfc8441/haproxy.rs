//! HAProxy between our client and our server, translating HTTP/2 to HTTP/1.1 and back.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use suda_websocket::{
    CloseCode, CloseOutcome, Compression, Conn, Dialer, Message, Stream, Upgrader,
};
use tokio::net::TcpStream;

use crate::peers::{Way, echo, echo_server};

/// A running HAProxy with three doors: HTTP/2 to HTTP/1.1, HTTP/1.1 to HTTP/2, and HTTP/2 to HTTP/2.
struct HaProxy {
    process: Child,
    doors: [SocketAddr; 3],
}

impl HaProxy {
    async fn start(http1: SocketAddr, http2: SocketAddr) -> Self {
        // HAProxy takes no port 0. All are held until all are known, so that they differ.
        let held = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let doors = held.each_ref().map(|door| door.local_addr().unwrap());
        drop(held);
        let [to_1, from_1, to_2] = doors;
        let config = format!(
            "defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout tunnel 1h
listen two_to_one
    bind {to_1} proto h2
    server one {http1}
listen one_to_two
    bind {from_1}
    server two {http2} proto h2
listen two_to_two
    bind {to_2} proto h2
    server two {http2} proto h2
"
        );
        let path = std::env::temp_dir().join(format!("suda-websocket-{}.cfg", std::process::id()));
        std::fs::write(&path, config).unwrap();
        let process = Command::new("haproxy")
            .env(
                "PATH",
                format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()),
            )
            .args(["-db", "-f"])
            .arg(&path)
            .stdin(Stdio::null())
            .spawn()
            .expect("haproxy is not installed");
        let this = Self { process, doors };
        for door in doors {
            let is_open = async {
                while TcpStream::connect(door).await.is_err() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), is_open)
                .await
                .expect("haproxy does not listen");
        }
        std::fs::remove_file(&path).unwrap();
        this
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn talk<S: Stream>(mut conn: Conn<S>) {
    assert!(conn.compression().is_some());
    for length in [0, 1, 1000, 70_000, 1 << 20] {
        let message = Message::text("수다 ".repeat(length / 7));
        conn.write_message(message.clone()).await.unwrap();
        assert_eq!(conn.read_message().await.unwrap(), message);
    }
    let outcome = conn.close(CloseCode::NORMAL, "bye").await.unwrap();
    assert!(matches!(outcome, CloseOutcome::Clean(_)), "{outcome:?}");
}

#[tokio::test]
#[ignore = "needs haproxy: cargo xtask interop runs it"]
async fn websockets_go_through_haproxy_from_and_to_both_versions() {
    let upgrader = || Upgrader::new().compression(Compression::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http1 = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                if let Ok((conn, _)) = upgrader().upgrade(tcp).await {
                    echo(conn).await;
                }
            });
        }
    });
    let http2 = echo_server(Way::Hyper, upgrader()).await;
    let proxy = HaProxy::start(http1, http2).await;
    let [to_1, from_1, to_2] = proxy.doors;
    let dialer = Dialer::new().compression(Compression::default());
    for door in [to_1, to_2] {
        let server = dialer.http2(&format!("ws://{door}")).await.unwrap();
        let (first, second) = tokio::join!(server.dial("/chat"), server.dial("/chat"));
        tokio::join!(talk(first.unwrap().0), talk(second.unwrap().0));
    }
    let (conn, _) = dialer.dial(&format!("ws://{from_1}/chat")).await.unwrap();
    talk(conn).await;
}
