//! A program's input and output over a WebSocket: each message is a line for it, each line it prints is a message.
//!
//! Input and output are carried side by side: a program that must be read from before it takes more does not block us.
//!
//! `cargo run --example command -- cat`, then open the address that it prints. Whoever can connect can run the program, so it listens
//! on this machine only, and pages of other origins are refused.

#[path = "support/failure.rs"]
mod failure;

use std::{ffi::OsString, net::SocketAddr, process::Stdio, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    response::{Html, Response},
    routing::{any, get},
};
use clap::Parser;
use failure::Outcome;
use suda_websocket::{
    CloseCode, Conn, Error, Upgrader, Writer, axum::WebSocketUpgrade, hyper::HyperStream,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    process::{ChildStdout, Command},
};

const PAGE: &str = include_str!("command.html");
/// A longer line becomes several messages.
const LINE_BYTES_MAX: u64 = 64 << 10;
/// How long the peer may take to answer our close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A program's input and output over a WebSocket, a process for each connection.
#[derive(Debug, Parser)]
struct Args {
    /// Address and port to listen on; port 0 takes a free one, which is printed.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9004")]
    listen: SocketAddr,
    /// The program to run, and its arguments.
    #[arg(
        required = true,
        trailing_var_arg = true,
        value_name = "PROGRAM AND ARGUMENTS"
    )]
    command: Vec<OsString>,
}

#[derive(Clone)]
struct App {
    upgrader: Upgrader,
    command: Arc<[OsString]>,
}

impl axum::extract::FromRef<App> for Upgrader {
    fn from_ref(app: &App) -> Self {
        app.upgrader.clone()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let Args { listen, command } = Args::parse();
    let listener = TcpListener::bind(listen).await?;
    println!("listening on http://{}/", listener.local_addr()?);
    let app = App {
        upgrader: Upgrader::new(),
        command: command.into(),
    };
    let router = Router::new()
        .route("/", get(Html(PAGE)))
        .route("/ws", any(run))
        .with_state(app);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn run(upgrade: WebSocketUpgrade, State(app): State<App>) -> Response {
    upgrade.on_upgrade(async move |conn| session(conn, &app.command).await)
}

async fn session(mut conn: Conn<HyperStream>, command: &[OsString]) {
    let started = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // A client that leaves takes its process along.
        .kill_on_drop(true)
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => {
            eprintln!("{error}");
            let _ = conn
                .close(CloseCode::INTERNAL_ERROR, "the program did not start")
                .await;
            return;
        }
    };
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return;
    };
    let (mut reader, mut writer, control) = conn.split();
    let input = async {
        while let Ok(message) = reader.read_message().await {
            let line = [message.as_bytes(), b"\n"].concat();
            // A program that reads no more may still have something to say.
            let _ = stdin.write_all(&line).await;
        }
    };
    tokio::select! {
        () = input => return,
        output = carry_lines(BufReader::new(stdout), &mut writer) => if output.is_err() {
            return;
        },
    }
    let status = match child.wait().await {
        Ok(status) => status.to_string(),
        Err(error) => return eprintln!("{error}"),
    };
    if control.close(CloseCode::NORMAL, &status).is_ok() {
        let answer = async { while reader.read_message().await.is_ok() {} };
        // Answered or not, this is over.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, answer).await;
    }
}

/// Until the program's output ends. A client that reads slowly slows the program down.
async fn carry_lines(
    mut output: BufReader<ChildStdout>,
    writer: &mut Writer<HyperStream>,
) -> Result<(), Error> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut piece = (&mut output).take(LINE_BYTES_MAX);
        if piece.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        writer
            .write_message(text.trim_end_matches(['\r', '\n']))
            .await?;
    }
}
