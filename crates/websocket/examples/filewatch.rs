//! Shows a file in the browser, anew whenever it changes.
//!
//! One task looks at the file, each connection waits for the newest content: a slow client skips what is outdated, and nothing queues up.
//!
//! `cargo run --example filewatch -- Cargo.toml`, then open the address that it prints and edit the file.

#[path = "support/failure.rs"]
mod failure;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    extract::State,
    response::{Html, Response},
    routing::{any, get},
};
use clap::Parser;
use failure::Outcome;
use suda_websocket::{
    Config, Conn, Error, PreparedMessage, Upgrader, Writer, axum::WebSocketUpgrade,
    hyper::HyperStream,
};
use tokio::{
    fs::File,
    io::AsyncReadExt,
    net::TcpListener,
    sync::watch::{self, Receiver, Sender},
};

const PAGE: &str = include_str!("filewatch.html");
/// Of a longer file only the beginning is shown.
const CONTENT_BYTES_MAX: u64 = 1 << 20;

/// Who says nothing for so long is pinged,
const PING_EVERY: Duration = Duration::from_secs(30);
/// and who does not answer either is gone.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Shows a file in the browser, anew whenever it changes.
#[derive(Debug, Parser)]
struct Args {
    /// Address and port to listen on; port 0 takes a free one, which is printed.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9005")]
    listen: SocketAddr,
    /// How often to look at the file, in milliseconds.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 500)]
    every: u64,
    /// The file to show. It may come and go.
    file: PathBuf,
}

#[derive(Clone)]
struct App {
    upgrader: Upgrader,
    content: Receiver<PreparedMessage>,
}

impl axum::extract::FromRef<App> for Upgrader {
    fn from_ref(app: &App) -> Self {
        app.upgrader.clone()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let args = Args::parse();
    let listener = TcpListener::bind(args.listen).await?;
    println!("listening on http://{}/", listener.local_addr()?);
    let (sender, content) = watch::channel(PreparedMessage::text(""));
    tokio::spawn(watch_file(
        args.file,
        Duration::from_millis(args.every.max(1)),
        sender,
    ));
    let app = App {
        upgrader: Upgrader::new().config(Config::default().heartbeat(PING_EVERY, SILENCE_MAX)),
        content,
    };
    let router = Router::new()
        .route("/", get(Html(PAGE)))
        .route("/ws", any(show))
        .with_state(app);
    axum::serve(listener, router).await?;
    Ok(())
}

async fn watch_file(file: PathBuf, every: Duration, content: Sender<PreparedMessage>) {
    let mut ticker = tokio::time::interval(every);
    let mut seen = None;
    loop {
        ticker.tick().await;
        let now = version(&file).await.ok();
        if now == seen {
            continue;
        }
        let text = match read(&file).await {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => error.to_string(),
        };
        // Only now: what changes while it is read is read again at the next look.
        seen = now;
        content.send_replace(PreparedMessage::text(text));
    }
}

/// What tells one content from another without reading it.
async fn version(file: &Path) -> io::Result<(SystemTime, u64)> {
    let metadata = tokio::fs::metadata(file).await?;
    Ok((metadata.modified()?, metadata.len()))
}

async fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(file).await?;
    file.take(CONTENT_BYTES_MAX).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

async fn show(upgrade: WebSocketUpgrade, State(app): State<App>) -> Response {
    upgrade.on_upgrade(|conn| follow(conn, app.content))
}

async fn follow(conn: Conn<HyperStream>, content: Receiver<PreparedMessage>) {
    let (reader, writer, _) = conn.split();
    tokio::select! {
        // Nothing is expected, but only a reader answers pings and sees the client go.
        _ = reader.drain() => {}
        _ = send(writer, content) => {}
    }
}

async fn send(
    mut writer: Writer<HyperStream>,
    mut content: Receiver<PreparedMessage>,
) -> Result<(), Error> {
    content.mark_changed();
    while content.changed().await.is_ok() {
        let message = content.borrow_and_update().clone();
        writer.write_prepared(&message).await?;
        // Until the client has it: meanwhile only the newest content counts.
        writer.flush().await?;
    }
    Ok(())
}
