//! A page in Chromium opens a WebSocket to our server over the HTTP/2 connection that it came by.

use std::convert::Infallible;
use std::process::Stdio;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use suda_websocket::{Compression, Upgrader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::interop::acceptor;
use crate::peers::echo;

const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><script>
const texts = ["", "수다", "x".repeat(70000)];
const report = (text) => fetch("/result", { method: "POST", body: text });
const socket = new WebSocket(`wss://${location.host}/chat`, ["b", "a"]);
let next = 0;
socket.onopen = () => socket.send(texts[0]);
socket.onmessage = ({ data }) => {
    if (data !== texts[next]) return report(`wrong at ${next}`);
    next += 1;
    if (next < texts.length) socket.send(texts[next]);
    else socket.close(1000, "bye");
};
socket.onclose = ({ code, reason, wasClean }) =>
    report([next, socket.protocol, socket.extensions, code, wasClean].join(" "));
</script>"#;

#[derive(Clone)]
struct Site {
    upgrader: Upgrader,
    /// What the page reports, and how its WebSocket came.
    told: mpsc::UnboundedSender<String>,
}

impl Site {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (mut head, body) = request.into_parts();
        if head.uri.path() == "/chat" {
            self.told
                .send(format!("{} {:?}", head.method, head.version))
                .unwrap();
            return Ok(match self.upgrader.upgrade_parts(&mut head) {
                Ok((response, on_upgrade)) => {
                    tokio::spawn(async { echo(on_upgrade.await.unwrap()).await });
                    response.map(|()| Full::default())
                }
                Err(refusal) => self
                    .upgrader
                    .refusal_response(refusal, Some(&head))
                    .map(Full::new),
            });
        }
        if head.uri.path() == "/result" {
            let text = body.collect().await.unwrap().to_bytes();
            self.told
                .send(String::from_utf8_lossy(&text).into_owned())
                .unwrap();
        }
        let mut response = Response::new(Full::from(PAGE));
        if head.uri.path() != "/" {
            *response.status_mut() = StatusCode::NOT_FOUND;
        }
        response
            .headers_mut()
            .insert(CONTENT_TYPE, "text/html".parse().unwrap());
        Ok(response)
    }
}

#[tokio::test]
#[ignore = "needs chromium: cargo xtask interop runs it"]
async fn a_page_in_chromium_opens_a_websocket_over_http2() {
    // HTTP/2 alone: over HTTP/1.1 there is nothing to be had.
    let (acceptor, _) = acceptor(&[b"h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, mut reports) = mpsc::unbounded_channel();
    let upgrader = Upgrader::new()
        .subprotocols(["a"])
        .compression(Compression::default());
    let site = Site { upgrader, told };
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let (acceptor, site) = (acceptor.clone(), site.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(tcp).await else {
                    return;
                };
                let service = service_fn(move |request| site.clone().answer(request));
                let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .enable_connect_protocol()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    let profile =
        std::env::temp_dir().join(format!("suda-websocket-chromium-{}", std::process::id()));
    let mut chromium = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--ignore-certificate-errors",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("--remote-debugging-port=0")
        .arg(format!("https://localhost:{port}/"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromium is not installed");
    let mut next = async || tokio::time::timeout(Duration::from_secs(120), reports.recv()).await;
    let came = next().await.expect("the page opens no WebSocket").unwrap();
    assert_eq!(came, format!("{} {:?}", Method::CONNECT, Version::HTTP_2));
    let report = next().await.expect("the page reports nothing").unwrap();
    assert!(
        report.starts_with("3 a permessage-deflate") && report.ends_with(" 1000 true"),
        "{report}"
    );
    chromium.kill().await.unwrap();
    let _ = std::fs::remove_dir_all(&profile);
}
