//! Every example does what it says, run as the program that it is.
#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use suda_websocket::{CloseCode, CloseOutcome, Compression, Conn, Dialer, MaybeTlsStream, Message};

/// The program of an example. `cargo test` builds it beside the tests.
fn program(name: &str) -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let path: PathBuf = path.join("examples").join(name);
    assert!(
        path.exists(),
        "{} is missing: cargo build --package suda-websocket --examples",
        path.display()
    );
    Command::new(path)
}

/// A server among the examples, which ends with the test.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(name: &str, args: &[&str]) -> Self {
        let mut child = program(name)
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.strip_suffix('/'))
            .unwrap_or_else(|| panic!("{name} said {line:?}"))
            .to_owned();
        Self { child, address }
    }

    fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    async fn dial(&self, dialer: Dialer) -> Conn<MaybeTlsStream> {
        dialer.dial(&self.url()).await.unwrap().0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn text(conn: &mut Conn<MaybeTlsStream>) -> String {
    conn.read_message()
        .await
        .unwrap()
        .as_text()
        .unwrap()
        .to_owned()
}

async fn page(server: &Server) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(&server.address)
        .await
        .unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    answer
}

#[tokio::test]
async fn echo_sends_back_what_comes_on_every_thread() {
    let server = Server::start(
        "echo_server",
        &[
            "--threads",
            "3",
            "--deflate",
            "takeover",
            "--subprotocol",
            "echo.v1",
        ],
    );
    let compression = Compression::default().bytes_min(0).context_takeover(true);
    for _ in 0..6 {
        let dialer = Dialer::new()
            .subprotocols(["echo.v1"])
            .compression(compression);
        let mut conn = server.dial(dialer).await;
        assert_eq!(conn.subprotocol(), Some("echo.v1"));
        assert!(conn.compression().is_some());
        for message in [
            Message::text("수다"),
            Message::binary(vec![7; 100_000]),
            Message::text(""),
        ] {
            conn.write_message(message.clone()).await.unwrap();
            assert_eq!(conn.read_message().await.unwrap(), message);
        }
        let outcome = conn.close(CloseCode::NORMAL, "").await.unwrap();
        assert!(matches!(outcome, CloseOutcome::Clean(_)), "{outcome:?}");
    }
    assert!(page(&server).await.contains("new WebSocket("));
}

#[tokio::test]
async fn echo_keeps_the_limits_that_it_was_given() {
    let server = Server::start(
        "echo_server",
        &["--read-limit", "10", "--origin", "https://chat.example"],
    );
    let mut conn = server.dial(Dialer::new()).await;
    conn.write_message("ten bytes!").await.unwrap();
    assert_eq!(text(&mut conn).await, "ten bytes!");
    conn.write_message("one more …").await.unwrap();
    let error = conn.read_message().await.unwrap_err();
    assert_eq!(error.as_close().unwrap().code, CloseCode::MESSAGE_TOO_BIG);

    let from =
        |origin| Dialer::new().header(http::header::ORIGIN, http::HeaderValue::from_static(origin));
    server.dial(from("https://chat.example")).await;
    let refused = from("https://other.example").dial(&server.url()).await;
    assert!(refused.unwrap_err().to_string().contains("403"));
}

#[test]
fn echo_client_prints_what_comes_back() {
    let server = Server::start("echo_server", &["--deflate", "no-takeover"]);
    let mut client = program("echo_client")
        .args(["--deflate", "no-takeover", &server.url()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let lines: Vec<String> = lines.take(3).map(Result::unwrap).collect();
    client.kill().unwrap();
    client.wait().unwrap();
    assert!(lines[0].starts_with("connected to "), "{lines:?}");
    let sent = lines[1].strip_prefix("> ").unwrap();
    assert_eq!(lines[2], format!("< {sent}"));
}

#[test]
fn interop_client_finds_nothing_wrong_with_our_own_server() {
    let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    for (deflate, negotiated) in [
        ("off", "none"),
        ("no-takeover", both),
        ("takeover", "permessage-deflate"),
    ] {
        let server = Server::start("echo_server", &["--deflate", deflate]);
        let output = program("interop_client")
            .args(["--deflate", deflate, &server.url()])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), negotiated);
    }
}

#[tokio::test]
async fn broadcast_reaches_all_others_on_all_threads() {
    let server = Server::start("broadcast_server", &["--threads", "2"]);
    let mut members = Vec::new();
    for _ in 0..5 {
        members.push(server.dial(Dialer::new()).await);
    }
    // Whoever hears of another is in the room; each has to hear of all before the counting begins.
    arrive(&mut members).await;
    members[0].write_message("to all others").await.unwrap();
    members[0].write_message(vec![1, 2, 3]).await.unwrap();
    for member in &mut members[1..] {
        assert_eq!(text(member).await, "to all others");
    }
    members[1].write_message("back").await.unwrap();
    assert_eq!(
        text(&mut members[0]).await,
        "back",
        "nobody hears himself, and binary messages go nowhere"
    );
}

/// Eight times a megabyte, which compressed arrive at once, are more than the 4 MiB that a member's queue takes.
#[tokio::test]
async fn broadcast_gives_nobody_up_for_what_another_says_at_once() {
    let server = Server::start("broadcast_server", &["--deflate", "no-takeover"]);
    let mut members = Vec::new();
    for _ in 0..3 {
        let dialer = Dialer::new().compression(Compression::default());
        members.push(server.dial(dialer).await);
    }
    arrive(&mut members).await;
    let texts = [b'a', b'b', b'c', b'd', b'e', b'f', b'g', b'h']
        .map(|letter| char::from(letter).to_string().repeat(1_000_000));
    for said in &texts {
        members[0].write_message(said.as_str()).await.unwrap();
    }
    members[0].flush().await.unwrap();
    for member in &mut members[1..] {
        for said in &texts {
            assert!(text(member).await == *said);
        }
    }
}

/// An upgrade is answered before the server's task goes on, so a member may be dialled and not yet listed: each one speaks until
/// every other has heard it.
async fn arrive(members: &mut [Conn<MaybeTlsStream>]) {
    for speaker in 0..members.len() {
        let hello = format!("hello from {speaker}");
        for listener in (0..members.len()).filter(|listener| *listener != speaker) {
            loop {
                members[speaker]
                    .write_message(hello.as_str())
                    .await
                    .unwrap();
                members[speaker].flush().await.unwrap();
                let heard = tokio::time::timeout(
                    std::time::Duration::from_millis(200),
                    heard(&mut members[listener], &hello),
                );
                if heard.await.is_ok() {
                    break;
                }
            }
        }
    }
    // What was said more than once is still under way. One last word each, and everything before it is gone.
    for speaker in 0..members.len() {
        let done = format!("{speaker} is done");
        members[speaker].write_message(done.as_str()).await.unwrap();
        members[speaker].flush().await.unwrap();
        for listener in (0..members.len()).filter(|listener| *listener != speaker) {
            heard(&mut members[listener], &done).await;
        }
    }
}

async fn heard(conn: &mut Conn<MaybeTlsStream>, wanted: &str) {
    while text(conn).await != wanted {}
}

#[tokio::test]
async fn chat_sends_to_everybody_and_does_not_wait_for_the_slow() {
    let server = Server::start("chat", &[]);
    assert!(page(&server).await.contains("<title>Chat</title>"));
    let mut slow = server.dial(Dialer::new()).await;
    slow.write_message("I shall read no more").await.unwrap();
    assert_eq!(text(&mut slow).await, "I shall read no more");

    let mut quick = server.dial(Dialer::new()).await;
    // More than the slow one's queue and the kernel's buffers hold.
    for number in 0..8000 {
        let line = format!("{number} {}", "x".repeat(4000));
        quick.write_message(line.as_str()).await.unwrap();
        assert_eq!(text(&mut quick).await, line);
    }
    let end = loop {
        match slow.read_message().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    let close = end.as_close().map(|close| close.code);
    assert!(
        matches!(close, None | Some(CloseCode::ABNORMAL_CLOSURE)),
        "it was let go: {end}"
    );
    quick.write_message("still here").await.unwrap();
    assert_eq!(text(&mut quick).await, "still here");
}

#[cfg(unix)]
#[tokio::test]
async fn command_carries_lines_both_ways_and_ends_with_the_program() {
    let script = "while read line; do echo \"got $line\"; [ \"$line\" = end ] && exit 3; done";
    let server = Server::start("command", &["sh", "-c", script]);
    assert!(page(&server).await.contains("<title>Command</title>"));
    let mut conn = server.dial(Dialer::new()).await;
    for line in ["one", "두 번째"] {
        conn.write_message(line).await.unwrap();
        assert_eq!(text(&mut conn).await, format!("got {line}"));
    }
    conn.write_message("end").await.unwrap();
    assert_eq!(text(&mut conn).await, "got end");
    let end = conn.read_message().await.unwrap_err();
    let close = end.as_close().unwrap();
    assert_eq!(
        (close.code, &close.reason[..]),
        (CloseCode::NORMAL, "exit status: 3")
    );
}

#[cfg(unix)]
#[tokio::test]
async fn command_moves_more_than_the_pipes_hold() {
    let server = Server::start("command", &["cat"]);
    let (mut reader, mut writer, _control) = server.dial(Dialer::new()).await.split();
    let line = "0123456789".repeat(1000);
    let sent = line.clone();
    let writing = tokio::spawn(async move {
        for _ in 0..200 {
            writer.write_message(sent.as_str()).await.unwrap();
        }
        writer.flush().await.unwrap();
        writer
    });
    for _ in 0..200 {
        let message = reader.read_message().await.unwrap();
        assert_eq!(message.as_text(), Some(&line[..]));
    }
    writing.await.unwrap();
}

#[tokio::test]
async fn filewatch_shows_each_content() {
    let folder = std::env::temp_dir().join(format!("suda-filewatch-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("watched.txt");
    std::fs::write(&file, "first").unwrap();
    let server = Server::start("filewatch", &["--every", "5", file.to_str().unwrap()]);
    assert!(page(&server).await.contains("<title>File</title>"));
    let mut early = server.dial(Dialer::new()).await;
    heard(&mut early, "first").await;
    std::fs::write(&file, "second, longer").unwrap();
    heard(&mut early, "second, longer").await;
    let mut late = server.dial(Dialer::new()).await;
    assert_eq!(text(&mut late).await, "second, longer");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn stream_10gib_passes_a_long_message_plain_and_compressed() {
    for deflate in ["off", "no-takeover", "takeover"] {
        let output = program("stream_10gib")
            .args(["--mib", "4", "--deflate", deflate])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with("4 MiB in "), "{text}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn bufferpool_shows_that_idle_connections_hold_no_buffers() {
    let message_bytes = 64 << 10;
    let output = program("bufferpool")
        .args(["--connections", "200", "--message"])
        .arg(message_bytes.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let each: Vec<f64> = text
        .lines()
        .filter_map(|line| line.strip_suffix(" KiB for each connection"))
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(each.len(), 2, "{text}");
    // Either end would hold the whole message if it kept what it read or wrote.
    assert!(each.iter().all(|kib| *kib < 64.0), "{text}");
}

#[test]
fn handshake_explains_every_line() {
    let output = program("handshake").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    for told in ["Sec-WebSocket-Key: ", "Sec-WebSocket-Accept: ", "101"] {
        assert!(text.contains(told), "{told}");
    }
}

#[test]
fn help_teaches_every_flag() {
    for name in ["echo_server", "broadcast_server"] {
        let output = program(name).arg("--help").output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        for flag in [
            "--listen <ADDRESS>",
            "--threads <N>",
            "--deflate <DEFLATE>",
            "--subprotocol <NAME>",
            "--origin <ORIGIN>",
            "--read-limit <BYTES>",
        ] {
            assert!(text.contains(flag), "{name} {flag}: {text}");
        }
        for value in ["off", "no-takeover", "takeover"] {
            assert!(text.contains(value), "{name} {value}: {text}");
        }
    }
    for name in [
        "autobahn_client",
        "bufferpool",
        "chat",
        "command",
        "echo_client",
        "filewatch",
        "interop_client",
        "stream_10gib",
    ] {
        let output = program(name).arg("--help").output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
    }
}
